// Colors class indices. Colors, visibility and opacity live outside the mask, so that recoloring
// uploads 1 KB and nothing of the mask.

@group(0) @binding(0) var pages: texture_2d_array<u32>;   // R8Uint, many tiles a layer
@group(1) @binding(0) var palette: texture_2d<f32>;       // 256 x 1, straight alpha = opacity

const NO_UNIFORM_CLASS: u32 = 256u;
const NO_TILE: u32 = 257u;        // beyond the mask: nothing to differ from
const CLASS_BITS: u32 = 511u;
const OUTLINE: u32 = 512u;        // only pixels beside another class are drawn
const SIDE: f32 = 256.0;
const LINE_WIDTH: f32 = 1.6;      // screen pixels

struct MaskInstance {
    @location(0) clip: vec4f,     // left, top, right, bottom in clip space
    @location(1) texels: vec4f,   // left, top, right, bottom in texels of the tile
    @location(2) slot: vec4u,     // layer, first column, first row, the class of a uniform tile
    @location(3) left: vec4u,     // the slots of the tiles around
    @location(4) right: vec4u,
    @location(5) above: vec4u,
    @location(6) below: vec4u,
}

struct MaskFragment {
    @builtin(position) position: vec4f,
    @location(0) texel: vec2f,
    @location(1) @interpolate(flat) slot: vec4u,
    @location(2) @interpolate(flat) left: vec4u,
    @location(3) @interpolate(flat) right: vec4u,
    @location(4) @interpolate(flat) above: vec4u,
    @location(5) @interpolate(flat) below: vec4u,
}

@vertex
fn vs_main(@builtin(vertex_index) corner: u32, tile: MaskInstance) -> MaskFragment {
    let share = vec2f(f32(corner & 1u), f32(corner >> 1u));
    var out: MaskFragment;
    out.position = vec4f(mix(tile.clip.xy, tile.clip.zw, share), 0.0, 1.0);
    out.texel = mix(tile.texels.xy, tile.texels.zw, share);
    out.slot = tile.slot;
    out.left = tile.left;
    out.right = tile.right;
    out.above = tile.above;
    out.below = tile.below;
    return out;
}

// The class at a texel of one tile.
fn class_in(slot: vec4u, texel: vec2f) -> u32 {
    let uniform_class = slot.w & CLASS_BITS;
    if uniform_class != NO_UNIFORM_CLASS {
        return uniform_class;
    }
    let at = vec2u(clamp(texel, vec2f(0.0), vec2f(SIDE - 1.0))) + slot.yz;
    return textureLoad(pages, at, slot.x, 0).r;
}

// The class a little beside a texel, in the next tile where that is reached.
fn class_beside(in: MaskFragment, offset: vec2f) -> u32 {
    let at = in.texel + offset;
    if at.x < 0.0 {
        return class_in(in.left, at + vec2f(SIDE, 0.0));
    }
    if at.x >= SIDE {
        return class_in(in.right, at - vec2f(SIDE, 0.0));
    }
    if at.y < 0.0 {
        return class_in(in.above, at + vec2f(0.0, SIDE));
    }
    if at.y >= SIDE {
        return class_in(in.below, at - vec2f(0.0, SIDE));
    }
    return class_in(in.slot, at);
}

fn differs(class_idx: u32, beside: u32) -> bool {
    return beside != class_idx && beside != NO_TILE;
}

@fragment
fn fs_main(in: MaskFragment) -> @location(0) vec4f {
    let step = LINE_WIDTH * abs(vec2f(dpdx(in.texel.x), dpdy(in.texel.y)));
    let class_idx = class_in(in.slot, in.texel);
    let color = textureLoad(palette, vec2u(class_idx, 0u), 0);
    if (in.slot.w & OUTLINE) == 0u {
        return vec4f(color.rgb * color.a, color.a);
    }
    let is_border = differs(class_idx, class_beside(in, vec2f(step.x, 0.0)))
        || differs(class_idx, class_beside(in, vec2f(-step.x, 0.0)))
        || differs(class_idx, class_beside(in, vec2f(0.0, step.y)))
        || differs(class_idx, class_beside(in, vec2f(0.0, -step.y)));
    if !is_border || color.a == 0.0 {
        return vec4f(0.0);
    }
    return vec4f(color.rgb, 1.0);
}
