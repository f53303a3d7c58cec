use super::plane::Vec2;

/// The `splitmix64` finalizer (Steele, Lea, Flood 2014).
pub(super) const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A hash of a seed and a lattice point.
pub(super) const fn hash_at(seed: u64, x: i32, y: i32) -> u64 {
    mix(seed ^ mix(((x as u32 as u64) << 32) | y as u32 as u64))
}

/// A short run of even numbers drawn from one hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw(u64);

impl Draw {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The numbers that belong to a lattice point.
    pub const fn at(seed: u64, x: i32, y: i32) -> Self {
        Self(hash_at(seed, x, y))
    }

    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// Even in [0, 1).
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / 16_777_216.0
    }

    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Even in [-1, 1).
    pub fn signed(&mut self) -> f32 {
        self.unit() * 2.0 - 1.0
    }

    pub fn chance(&mut self, share: f32) -> bool {
        self.unit() < share
    }

    /// One of `items`, which holds at least one.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[(self.bits() % items.len() as u64) as usize]
    }
}

/// A cheap hash for things that happen at every pixel.
pub(super) const fn pixel_hash(seed: u32, x: i32, y: i32) -> u32 {
    let mut h = (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77) ^ seed;
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^ (h >> 15)
}

fn lattice(seed: u32, x: i32, y: i32) -> f32 {
    pixel_hash(seed, x, y) as f32 * (2.0 / 4_294_967_296.0) - 1.0
}

/// The largest whole number not above `x`; quicker than `f32::floor` where that is a call.
fn floor(x: f32) -> i32 {
    let cut = x as i32;
    cut - i32::from(x < cut as f32)
}

/// The part of `x` behind the largest whole number not above it.
pub(super) fn fract(x: f32) -> f32 {
    x - floor(x) as f32
}

fn fade(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

pub(super) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(super) fn smoothstep(low: f32, high: f32, value: f32) -> f32 {
    fade(((value - low) / (high - low)).clamp(0.0, 1.0))
}

/// Value noise in [-1, 1] with a lattice of one unit.
pub(super) fn noise(seed: u32, x: f32, y: f32) -> f32 {
    let (ix, iy) = (floor(x), floor(y));
    let (tx, ty) = (fade(x - ix as f32), fade(y - iy as f32));
    let top = lerp(lattice(seed, ix, iy), lattice(seed, ix + 1, iy), tx);
    let bottom = lerp(lattice(seed, ix, iy + 1), lattice(seed, ix + 1, iy + 1), tx);
    lerp(top, bottom, ty)
}

/// Value noise along a line, in [-1, 1].
pub(super) fn noise_1d(seed: u32, x: f32) -> f32 {
    let floor = x.floor();
    let i = floor as i32;
    lerp(
        lattice(seed, i, 7),
        lattice(seed, i + 1, 7),
        fade(x - floor),
    )
}

/// Three turned octaves of value noise, about in [-1, 1]; the turning hides the lattice.
pub(super) fn cloudy(seed: u32, at: Vec2, period: f32) -> f32 {
    let (x, y) = (at.x / period, at.y / period);
    let (x2, y2) = (x * 1.62 - y * 1.17 + 19.3, x * 1.17 + y * 1.62 - 7.1);
    let (x3, y3) = (x2 * 1.17 - y2 * 1.62 - 3.7, x2 * 1.62 + y2 * 1.17 + 11.9);
    0.58 * noise(seed, x, y) + 0.28 * noise(seed ^ 0x51, x2, y2) + 0.14 * noise(seed ^ 0xA3, x3, y3)
}

/// A slow function sampled on a lattice that is fixed to the world, read back bilinearly.
///
/// The lattice does not depend on the block, so neighbouring blocks read the same values.
#[derive(Debug)]
pub(super) struct SlowField {
    shift: u32,
    x0: i32,
    y0: i32,
    cols: usize,
    values: Vec<f32>,
}

impl SlowField {
    /// Samples `function` every `1 << shift` pixels over the pixels from (x, y) to (x + w, y + h).
    pub fn sample(
        shift: u32,
        origin: (i32, i32),
        extent: (usize, usize),
        mut function: impl FnMut(Vec2) -> f32,
    ) -> Self {
        let (x0, y0) = (origin.0 >> shift, origin.1 >> shift);
        let cols = (((origin.0 + extent.0 as i32) >> shift) - x0 + 2) as usize;
        let rows = (((origin.1 + extent.1 as i32) >> shift) - y0 + 2) as usize;
        let step = (1 << shift) as f32;
        let mut values = Vec::with_capacity(cols * rows);
        for row in 0..rows as i32 {
            for col in 0..cols as i32 {
                let at = Vec2::new((x0 + col) as f32 * step, (y0 + row) as f32 * step);
                values.push(function(at));
            }
        }
        Self {
            shift,
            x0,
            y0,
            cols,
            values,
        }
    }

    /// The value at pixel (x, y).
    pub fn get(&self, x: i32, y: i32) -> f32 {
        let (col, row) = ((x >> self.shift) - self.x0, (y >> self.shift) - self.y0);
        let mask = (1 << self.shift) - 1;
        let inverse = 1.0 / (1 << self.shift) as f32;
        let (tx, ty) = ((x & mask) as f32 * inverse, (y & mask) as f32 * inverse);
        let i = row as usize * self.cols + col as usize;
        let (top, bottom) = (&self.values[i..i + 2], &self.values[i + self.cols..]);
        lerp(lerp(top[0], top[1], tx), lerp(bottom[0], bottom[1], tx), ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_field_does_not_depend_on_where_its_block_starts() {
        let plane = |at: Vec2| at.x * 2.0 - at.y;
        let a = SlowField::sample(3, (-9, 4), (64, 40), plane);
        let b = SlowField::sample(3, (17, 20), (20, 20), plane);
        for (x, y) in [(17, 20), (30, 33), (36, 39)] {
            assert_eq!(a.get(x, y).to_bits(), b.get(x, y).to_bits());
            assert!((a.get(x, y) - plane(Vec2::new(x as f32, y as f32))).abs() < 1e-4);
        }
    }

    #[test]
    fn the_quick_floor_is_a_floor() {
        for x in [-2.5, -2.0, -0.25, 0.0, 0.75, 3.0, 29_999.5_f32] {
            assert_eq!(floor(x), x.floor() as i32);
            assert!((0.0..1.0).contains(&fract(x)));
        }
    }

    #[test]
    fn noise_stays_in_range_and_has_no_bias() {
        let values: Vec<f32> = (0..40_000)
            .map(|i| noise(5, (i % 200) as f32 * 0.37, (i / 200) as f32 * 0.37))
            .collect();
        assert!(values.iter().all(|v| v.abs() <= 1.0));
        assert!((values.iter().sum::<f32>() / 40_000.0).abs() < 0.1);
    }
}
