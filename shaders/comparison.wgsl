// Colors how two masks of the same ground agree, from the same tiles that draw each of them; so a
// stroke shows in the same frame and nothing is computed twice.

@group(0) @binding(0) var pages: texture_2d_array<u32>;   // R8Uint, many tiles a layer
@group(1) @binding(0) var palette: texture_2d<f32>;       // a color for each verdict below

const NO_UNIFORM_CLASS: u32 = 256u;
const ALL_CLASSES: u32 = 256u;
const UNLABELED: u32 = 255u;
const SIDE: f32 = 256.0;

const AGREED: u32 = 0u;
const FOUND: u32 = 1u;            // the chosen class in both, or a chosen pair of one class
const INVENTED: u32 = 2u;         // the chosen class in the prediction alone
const MISSED: u32 = 3u;           // the chosen class in the truth alone
const DIFFERENT: u32 = 4u;        // two classes, where none or just those are chosen

struct ComparisonInstance {
    @location(0) clip: vec4f,     // left, top, right, bottom in clip space
    @location(1) texels: vec4f,   // left, top, right, bottom in texels of the tile
    @location(2) truth: vec4u,    // layer, first column, first row, the class of a uniform tile
    @location(3) predicted: vec4u,
    @location(4) chosen: vec4u,   // the class that is looked at, or all; of a pair the other one, or all
}

struct ComparisonFragment {
    @builtin(position) position: vec4f,
    @location(0) texel: vec2f,
    @location(1) @interpolate(flat) truth: vec4u,
    @location(2) @interpolate(flat) predicted: vec4u,
    @location(3) @interpolate(flat) chosen: vec2u,
}

@vertex
fn vs_main(@builtin(vertex_index) corner: u32, tile: ComparisonInstance) -> ComparisonFragment {
    let share = vec2f(f32(corner & 1u), f32(corner >> 1u));
    var out: ComparisonFragment;
    out.position = vec4f(mix(tile.clip.xy, tile.clip.zw, share), 0.0, 1.0);
    out.texel = mix(tile.texels.xy, tile.texels.zw, share);
    out.truth = tile.truth;
    out.predicted = tile.predicted;
    out.chosen = tile.chosen.xy;
    return out;
}

fn class_in(slot: vec4u, texel: vec2f) -> u32 {
    if slot.w != NO_UNIFORM_CLASS {
        return slot.w;
    }
    let at = vec2u(clamp(texel, vec2f(0.0), vec2f(SIDE - 1.0))) + slot.yz;
    return textureLoad(pages, at, slot.x, 0).r;
}

fn verdict(truth: u32, predicted: u32, chosen: vec2u) -> u32 {
    if chosen.y != ALL_CLASSES {
        let is_it = truth == chosen.x && predicted == chosen.y;
        return select(AGREED, select(DIFFERENT, FOUND, truth == predicted), is_it);
    }
    if chosen.x == ALL_CLASSES {
        return select(DIFFERENT, AGREED, truth == predicted);
    }
    if truth == chosen.x {
        return select(MISSED, FOUND, predicted == chosen.x);
    }
    return select(AGREED, INVENTED, predicted == chosen.x);
}

@fragment
fn fs_main(in: ComparisonFragment) -> @location(0) vec4f {
    let truth = class_in(in.truth, in.texel);
    let predicted = class_in(in.predicted, in.texel);
    // Where there is no truth or no prediction, nothing can be right or wrong.
    if truth == UNLABELED || predicted == UNLABELED {
        return vec4f(0.0);
    }
    let color = textureLoad(palette, vec2u(verdict(truth, predicted, in.chosen), 0u), 0);
    return vec4f(color.rgb * color.a, color.a);
}
