use super::blur::blur;
use super::cutout::Hole;
use super::jpeg::through_jpeg;
use super::noise::add_noise;
use super::shadow::Shade;
use super::tone::{Tint, Tone};
use super::{Augmentation, CutoutLabels, Kind, Square, Vary};
use crate::dataset::{ChannelKind, DatasetError, Rng};

/// How the colors of one patch are changed, in this order.
#[derive(Clone, Debug)]
pub(super) struct Look {
    shades: Vec<Shade>,
    tone: Option<Tone>,
    tint: Option<Tint>,
    /// Standard deviation in pixels.
    blur: Option<f64>,
    /// Standard deviation of colors in 0 to 1, and the stream.
    noise: Option<(f64, Rng)>,
    /// Quality.
    jpeg: Option<u8>,
    holes: Vec<Hole>,
    under_holes: CutoutLabels,
}

impl Look {
    /// The look of a patch of `side` by `own`.
    pub(super) fn drawn(own: &Augmentation, side: usize, seed: u64) -> Self {
        let one =
            |vary: Option<Vary>, kind: Kind| vary.and_then(|vary| vary.drawn(&mut kind.rng(seed)));
        let gamma = one(own.gamma, Kind::Gamma);
        let contrast = one(own.contrast, Kind::Contrast);
        let brightness = one(own.brightness, Kind::Brightness);
        let saturation = one(own.saturation, Kind::Saturation);
        let hue = one(own.hue, Kind::Hue);
        let is_toned = gamma.or(contrast).or(brightness).is_some();
        let tone = || {
            Tone::new(
                gamma.unwrap_or(1.0),
                contrast.unwrap_or(1.0),
                brightness.unwrap_or(0.0),
            )
        };
        let is_tinted = saturation.or(hue).is_some();
        let tint = || Tint::new(saturation.unwrap_or(1.0), hue.unwrap_or(0.0));
        let mut grain = Kind::Noise.rng(seed);
        let noise = own.noise.and_then(|vary| vary.drawn(&mut grain));
        let shades = own
            .shadow
            .map(|shadow| Shade::drawn(shadow, side, &mut Kind::Shadow.rng(seed)));
        let holes = own
            .cutout
            .map(|cutout| Hole::drawn(cutout, side, &mut Kind::Cutout.rng(seed)));
        Self {
            shades: shades.unwrap_or_default(),
            tone: is_toned.then(tone),
            tint: is_tinted.then(tint),
            blur: one(own.blur, Kind::Blur),
            noise: noise.map(|deviation| (deviation, grain)),
            jpeg: one(own.jpeg, Kind::Jpeg).map(|quality| quality.round() as u8),
            holes: holes.unwrap_or_default(),
            under_holes: own
                .cutout
                .map_or(CutoutLabels::Keep, |cutout| cutout.labels),
        }
    }

    /// Leaves out what channels of `kind` do not bear.
    pub(super) fn for_channels(mut self, kind: ChannelKind) -> Self {
        if kind != ChannelKind::Colors {
            self.tint = None;
        }
        if kind == ChannelKind::Other {
            self.jpeg = None;
        }
        self
    }

    /// Changes the colors of `square`; what has no data becomes the mean of its picture, of which
    /// there is one for each in `means`, and keeps its alpha.
    pub(super) fn apply(
        mut self,
        square: &mut Square,
        means: &[[u8; 3]],
    ) -> Result<(), DatasetError> {
        let Square { side, rgba, labels } = square;
        let pictures = rgba.chunks_exact_mut(*side * *side * 4);
        for (picture, mean) in pictures.zip(means) {
            self.apply_to_picture(picture, labels, (*side, *mean))?;
        }
        Ok(())
    }

    /// Changes one picture of the square with `labels`; noise goes on in its stream.
    fn apply_to_picture(
        &mut self,
        rgba: &mut [u8],
        labels: &mut [u8],
        (side, mean): (usize, [u8; 3]),
    ) -> Result<(), DatasetError> {
        // Before colors are mixed, so that no black seeps in from ground without data.
        fill_void(rgba, mean);
        for shade in &self.shades {
            shade.apply(rgba, side);
        }
        if let Some(tone) = &self.tone {
            tone.apply(rgba);
        }
        if let Some(tint) = &self.tint {
            tint.apply(rgba);
        }
        if let Some(deviation) = self.blur {
            blur(rgba, side, deviation);
        }
        if let Some((deviation, rng)) = &mut self.noise {
            add_noise(rgba, *deviation, rng);
        }
        if let Some(quality) = self.jpeg {
            through_jpeg(rgba, side, quality)?;
        }
        for hole in &self.holes {
            hole.apply(rgba, labels, side, self.under_holes);
        }
        fill_void(rgba, mean);
        Ok(())
    }
}

fn fill_void(rgba: &mut [u8], [r, g, b]: [u8; 3]) {
    for pixel in rgba.as_chunks_mut::<4>().0 {
        if pixel[3] == 0 {
            *pixel = [r, g, b, 0];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_change_nothing_change_nothing() {
        let still = |at: f64| Some(Vary::new(1.0, [at, at]));
        let own = Augmentation {
            gamma: still(1.0),
            contrast: still(1.0),
            brightness: still(0.0),
            saturation: still(1.0),
            hue: still(0.0),
            blur: still(0.0),
            noise: still(0.0),
            ..Augmentation::default()
        };
        let mut rng = Rng::of(&[1]);
        let mut rgba: Vec<u8> = (0..16 * 16 * 4).map(|_| rng.bits() as u8).collect();
        for pixel in rgba.chunks_exact_mut(4) {
            pixel[3] = 255;
        }
        let square = Square {
            side: 16,
            rgba,
            labels: vec![1; 256],
        };
        let mut changed = square.clone();
        let look = Look::drawn(&own, 16, 3);
        look.apply(&mut changed, &[[1, 2, 3]]).expect("a look");
        assert_eq!(changed, square);
    }

    #[test]
    fn ground_without_data_is_the_mean_and_labels_stay() {
        for seed in 0..40 {
            let own = Augmentation::strong();
            let mut square = Square {
                side: 32,
                rgba: [[9, 9, 9, 0], [200, 100, 50, 255]].repeat(512).concat(),
                labels: [255, 2].repeat(512),
            };
            Look::drawn(&own, 32, seed)
                .apply(&mut square, &[[7, 8, 9]])
                .expect("a look");
            for pixel in square.rgba.chunks_exact(4) {
                assert!(pixel[3] == 255 || pixel == [7, 8, 9, 0]);
            }
            assert!(square.rgba.chunks_exact(8).all(|two| two[3] == 0));
            assert_eq!(square.labels, [255, 2].repeat(512));
        }
    }

    #[test]
    fn every_picture_is_varied_and_what_colors_alone_bear_is_left_out() {
        let side = 32;
        let mut rng = Rng::of(&[7]);
        let one: Vec<u8> = (0..side * side)
            .flat_map(|_| [rng.bits() as u8, rng.bits() as u8, rng.bits() as u8, 255])
            .collect();
        let always = |at: f64| Some(Vary::new(1.0, [at, at]));
        let own = Augmentation {
            noise: None,
            saturation: always(0.0),
            jpeg: always(5.0),
            brightness: always(0.1),
            ..Augmentation::strong()
        };
        for seed in 0..20 {
            let varied = |pictures: usize, kind| {
                let mut square = Square {
                    side,
                    rgba: one.repeat(pictures),
                    labels: vec![1; side * side],
                };
                let look = Look::drawn(&own, side, seed).for_channels(kind);
                look.apply(&mut square, &[[9; 3]; 2]).expect("a look");
                square
            };
            // Equal pictures are changed alike.
            let two = varied(2, ChannelKind::Other);
            let single = varied(1, ChannelKind::Other);
            assert_eq!(two.rgba, single.rgba.repeat(2));
            assert_eq!(two.labels, single.labels);
            let is_grey = |square: &Square| {
                let pixels = square.rgba.chunks_exact(4);
                pixels.clone().filter(|p| p[0].abs_diff(p[1]) < 12).count() > pixels.len() * 9 / 10
            };
            assert!(!is_grey(&single) && is_grey(&varied(1, ChannelKind::Colors)));
        }
    }
}
