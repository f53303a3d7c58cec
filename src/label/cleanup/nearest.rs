use crate::geom::PixelRect;

/// No site is near enough.
pub(super) const FAR: u32 = u32::MAX;

/// Steps to a site that is not in the column; more than any window is high.
const NO_SITE: u32 = 2_000;

/// Where a distance transform looks for sites.
pub(super) struct Sites<'a> {
    /// The pixels that are looked at.
    pub(super) window: PixelRect,
    /// One class a pixel of the window, row by row.
    pub(super) classes: &'a [u8],
    /// Whether pixels of a class are sites.
    pub(super) is_site: [bool; 256],
}

impl Sites<'_> {
    /// The nearest site of each pixel of `out`, which lies inside the window, row by row.
    ///
    /// As `256 * squared distance + class`, so that the smaller class wins among sites as near;
    /// [`FAR`] when none is within `radius`. The exact squared Euclidean distance transform of
    /// lower envelopes of parabolas (Felzenszwalb and Huttenlocher 2012), in whole numbers, with
    /// the class as a lift of less than one unit of squared distance.
    pub(super) fn nearest(&self, out: PixelRect, radius: u32) -> Vec<u32> {
        let limit = (radius * radius) << 8 | 0xff;
        let mut keys = self.nearest_in_columns(out);
        let width = self.window.width as usize;
        let left = (out.x - self.window.x) as usize;
        let mut envelope = Vec::new();
        let mut nearest = vec![FAR; out.width as usize * out.height as usize];
        let lines = nearest.chunks_exact_mut(out.width as usize);
        for (line, keys) in lines.zip(keys.chunks_exact_mut(width)) {
            lower_envelope(keys, left..left + line.len(), limit, &mut envelope);
            read_envelope(&envelope, left, limit, line);
        }
        nearest
    }

    /// The same within each column of the window alone, for the rows of `out`.
    fn nearest_in_columns(&self, out: PixelRect) -> Vec<u32> {
        let width = self.window.width as usize;
        let first = (out.y - self.window.y) as usize;
        let rows = first..first + out.height as usize;
        let mut keys = vec![FAR; width * rows.len()];
        let mut sweep = Sweep {
            steps: vec![NO_SITE; width],
            class: vec![0; width],
        };
        for (y, classes) in self.classes.chunks_exact(width).enumerate().take(rows.end) {
            sweep.step(classes, &self.is_site);
            if rows.contains(&y) {
                sweep.lower(&mut keys[(y - first) * width..][..width]);
            }
        }
        sweep.steps.fill(NO_SITE);
        let lines = self.classes.chunks_exact(width).enumerate().skip(first);
        for (y, classes) in lines.rev() {
            sweep.step(classes, &self.is_site);
            if rows.contains(&y) {
                sweep.lower(&mut keys[(y - first) * width..][..width]);
            }
        }
        keys
    }
}

/// The last site that a walk through the rows met in each column.
struct Sweep {
    steps: Vec<u32>,
    class: Vec<u8>,
}

impl Sweep {
    fn step(&mut self, classes: &[u8], is_site: &[bool; 256]) {
        for ((steps, last), &class) in self.steps.iter_mut().zip(&mut self.class).zip(classes) {
            if is_site[usize::from(class)] {
                (*steps, *last) = (0, class);
            } else {
                *steps += 1;
            }
        }
    }

    fn lower(&self, keys: &mut [u32]) {
        for ((key, &steps), &class) in keys.iter_mut().zip(&self.steps).zip(&self.class) {
            *key = (*key).min((steps * steps) << 8 | u32::from(class));
        }
    }
}

/// A parabola that is the lowest from column `from` on.
struct Parabola {
    at: i64,
    height: i64,
    from: i64,
}

/// The lower envelope of the parabolas over `keys` for the columns `range`. Parabolas above
/// `limit` decide nothing and are left out.
fn lower_envelope(
    keys: &[u32],
    range: std::ops::Range<usize>,
    limit: u32,
    envelope: &mut Vec<Parabola>,
) {
    envelope.clear();
    let (start, end) = (range.start as i64, range.end as i64);
    for (at, &key) in keys.iter().enumerate().filter(|&(_, &key)| key <= limit) {
        let (at, height) = (at as i64, i64::from(key));
        let mut from = start;
        while let Some(last) = envelope.last() {
            // From this column on the new one is not above the last one.
            let rise = height - last.height + 256 * (at * at - last.at * last.at);
            let crossing = -(-rise).div_euclid(512 * (at - last.at));
            if crossing > last.from {
                from = crossing;
                break;
            }
            envelope.pop();
        }
        if from < end {
            envelope.push(Parabola { at, height, from });
        }
    }
}

fn read_envelope(envelope: &[Parabola], left: usize, limit: u32, line: &mut [u32]) {
    let mut rest = envelope;
    for (x, out) in (left as i64..).zip(line) {
        while rest.get(1).is_some_and(|next| next.from <= x) {
            rest = &rest[1..];
        }
        let Some(lowest) = rest.first() else {
            return;
        };
        let key = lowest.height + 256 * (x - lowest.at) * (x - lowest.at);
        if key <= i64::from(limit) {
            *out = key as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_definition(sites: &Sites<'_>, (x, y): (u32, u32), radius: u32) -> u32 {
        let window = sites.window;
        let mut best = FAR;
        for (at, &class) in sites.classes.iter().enumerate() {
            let at = at as u32;
            let (dx, dy) = (
                (window.x + at % window.width).abs_diff(x),
                (window.y + at / window.width).abs_diff(y),
            );
            let squared = dx * dx + dy * dy;
            if sites.is_site[usize::from(class)] && squared <= radius * radius {
                best = best.min(squared << 8 | u32::from(class));
            }
        }
        best
    }

    proptest! {
        #[test]
        fn the_nearest_site_is_its_definition(
            window in (0_u32..50, 0_u32..50, 1_u32..40, 1_u32..40),
            seed in prop::collection::vec(0_u8..60, 1..300),
            radius in 0_u32..60,
            cut in (0_u32..20, 0_u32..20),
        ) {
            let window = PixelRect::new(window.0, window.1, window.2, window.3);
            let classes: Vec<u8> =
                seed.iter().copied().cycle().take(window.num_pixels() as usize).collect();
            let is_site = std::array::from_fn(|class| class < 5 || class == 255);
            let sites = Sites { window, classes: &classes, is_site };
            let out = PixelRect::new(
                window.x + cut.0.min(window.width - 1),
                window.y + cut.1.min(window.height - 1),
                30,
                30,
            ).intersect(window);
            let nearest = sites.nearest(out, radius);
            for (at, &key) in nearest.iter().enumerate() {
                let (x, y) = (out.x + at as u32 % out.width, out.y + at as u32 / out.width);
                prop_assert_eq!(key, by_definition(&sites, (x, y), radius));
            }
        }
    }
}
