// Draws image tiles. Corners come in clip space, computed in f64 on the CPU; positions inside a
// tile are texels of that tile, so that large images do not jitter.

@group(0) @binding(0) var tiles: texture_2d_array<f32>;   // three bands and opacity, one layer a tile
@group(0) @binding(1) var smooth_sampler: sampler;
@group(1) @binding(0) var<uniform> shading: Shading;
@group(1) @binding(1) var ramp: texture_2d<f32>;          // 256 x 1

struct Shading {
    low: vec4f,           // numbers that are black
    factor: vec4f,        // what the rest is multiplied with
    exponent: vec4f,      // in x; y is 1 where the first band is looked up in the ramp
}

struct TileInstance {
    @location(0) clip: vec4f,     // left, top, right, bottom in clip space
    @location(1) texels: vec4f,   // left, top, right, bottom in texels of the tile
    @location(2) slot: vec4u,     // layer, valid width, valid height, 1 = show whole pixels
}

struct TileFragment {
    @builtin(position) position: vec4f,
    @location(0) texel: vec2f,
    @location(1) @interpolate(flat) slot: vec4u,
}

@vertex
fn vs_main(@builtin(vertex_index) corner: u32, tile: TileInstance) -> TileFragment {
    let share = vec2f(f32(corner & 1u), f32(corner >> 1u));
    var out: TileFragment;
    out.position = vec4f(mix(tile.clip.xy, tile.clip.zw, share), 0.0, 1.0);
    out.texel = mix(tile.texels.xy, tile.texels.zw, share);
    out.slot = tile.slot;
    return out;
}

fn shaded(bands: vec3f) -> vec3f {
    let share = clamp((bands - shading.low.rgb) * shading.factor.rgb, vec3f(0.0), vec3f(1.0));
    let bright = select(pow(share, vec3f(shading.exponent.x)), share, shading.exponent.x == 1.0);
    if shading.exponent.y == 1.0 {
        return textureLoad(ramp, vec2i(i32(bright.r * 255.0 + 0.5), 0), 0).rgb;
    }
    return bright;
}

@fragment
fn fs_main(in: TileFragment) -> @location(0) vec4f {
    let valid = vec2f(in.slot.yz);
    var texel = select(in.texel, floor(in.texel) + 0.5, in.slot.w == 1u);
    // Half a texel inside the valid part: what lies beyond belongs to the tile's last owner.
    texel = clamp(texel, vec2f(0.5), valid - 0.5);
    let uv = texel / vec2f(textureDimensions(tiles));
    let color = textureSampleLevel(tiles, smooth_sampler, uv, in.slot.x, 0.0);
    return vec4f(shaded(color.rgb) * color.a, color.a);
}
