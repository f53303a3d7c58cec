// Colors class indices. Colors, visibility and opacity live outside the mask, so that recoloring
// uploads 1 KB and nothing of the mask.

@group(0) @binding(0) var pages: texture_2d_array<u32>;   // R8Uint, many tiles a layer
@group(1) @binding(0) var palette: texture_2d<f32>;       // 256 x 1, straight alpha = opacity

const NO_UNIFORM_CLASS: u32 = 256u;

struct MaskInstance {
    @location(0) clip: vec4f,     // left, top, right, bottom in clip space
    @location(1) texels: vec4f,   // left, top, right, bottom in texels of the tile
    @location(2) slot: vec4u,     // layer, first column, first row, the class of a uniform tile
}

struct MaskFragment {
    @builtin(position) position: vec4f,
    @location(0) texel: vec2f,
    @location(1) @interpolate(flat) slot: vec4u,
}

@vertex
fn vs_main(@builtin(vertex_index) corner: u32, tile: MaskInstance) -> MaskFragment {
    let share = vec2f(f32(corner & 1u), f32(corner >> 1u));
    var out: MaskFragment;
    out.position = vec4f(mix(tile.clip.xy, tile.clip.zw, share), 0.0, 1.0);
    out.texel = mix(tile.texels.xy, tile.texels.zw, share);
    out.slot = tile.slot;
    return out;
}

@fragment
fn fs_main(in: MaskFragment) -> @location(0) vec4f {
    var class_idx = in.slot.w;
    if class_idx == NO_UNIFORM_CLASS {
        let texel = vec2u(clamp(in.texel, vec2f(0.0), vec2f(255.0))) + in.slot.yz;
        class_idx = textureLoad(pages, texel, in.slot.x, 0).r;
    }
    let color = textureLoad(palette, vec2u(class_idx, 0u), 0);
    return vec4f(color.rgb * color.a, color.a);
}
