use serde::{Deserialize, Serialize};

use super::{Chance, Cutout, Elastic, Shadow, Vary};
use crate::dataset::DatasetError;

/// What a patch shows where it reaches beyond the ground that it may read: the image's edge, or
/// ground near what is held out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Border {
    /// Pixels and labels mirrored.
    #[default]
    Reflect,
    /// Pixels mirrored, labels 255, so that nothing is learned from them.
    Ignore,
}

/// How patches are varied, kind by kind: the `[augment]` table of a recipe. A kind that is left
/// out is off.
///
/// They act in the order of the fields, and each draws from a stream of its own: turning one on
/// leaves the others as they were. All that moves ground acts in one resampling, bilinear for
/// colors and nearest for labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// What stands beyond the ground that may be read.
    pub border: Border,
    /// Left and right, up and down exchanged, each with this probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flip: Option<Chance>,
    /// A quarter, half or three quarters of a turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarter_turn: Option<Chance>,
    /// Degrees about the middle of the patch, in -180 to 180.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Vary>,
    /// How many times as large things appear, in 0.5 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Vary>,
    /// Along each axis, in sides of a patch, in -0.5 to 0.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift: Option<Vary>,
    /// Degrees by which upright lines lean, in -30 to 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shear: Option<Vary>,
    /// Smooth displacements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elastic: Option<Elastic>,
    /// Soft-edged dark polygons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
    /// Exponent of colors in 0 to 1, in 0.1 to 10; below 1 is brighter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gamma: Option<Vary>,
    /// Factor of the distance from middle grey, in 0 to 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contrast: Option<Vary>,
    /// What is added to colors in 0 to 1, in -1 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brightness: Option<Vary>,
    /// Factor of the distance from the grey of equal lightness, in 0 to 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saturation: Option<Vary>,
    /// Degrees about the grey axis, in -180 to 180.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hue: Option<Vary>,
    /// Standard deviation of a Gaussian in pixels, in 0 to 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blur: Option<Vary>,
    /// Standard deviation of Gaussian noise on colors in 0 to 1, in 0 to 0.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<Vary>,
    /// Quality of JPEG that the patch is packed and unpacked with, in 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jpeg: Option<Vary>,
    /// Rectangles blanked to the mean color.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutout: Option<Cutout>,
}

impl Augmentation {
    /// Strong variation for images from above, which have no upright.
    ///
    /// Turns are uniform; scale, gamma, blur and their probabilities are those of nnU-Net (Isensee
    /// et al. 2021); shift, brightness, contrast, hue and noise are defaults of Albumentations
    /// (Buslaev et al. 2020); displacements of 10 pixels are those of U-Net (Ronneberger et al.
    /// 2015); a blanked square is Cutout (`DeVries` & Taylor 2017).
    pub fn strong() -> Self {
        let vary = |probability, low, high| Some(Vary::new(probability, [low, high]));
        Self {
            border: Border::Reflect,
            flip: Some(Chance { probability: 0.5 }),
            quarter_turn: Some(Chance { probability: 0.75 }),
            rotation: vary(0.5, -45.0, 45.0),
            scale: vary(0.5, 0.7, 1.4),
            shift: vary(0.5, -0.0625, 0.0625),
            shear: vary(0.2, -10.0, 10.0),
            elastic: Some(Elastic {
                probability: 0.2,
                range: [0.0, 10.0],
                spacing: 64.0,
            }),
            shadow: Some(Shadow {
                probability: 0.2,
                range: [0.2, 0.5],
                ..Shadow::default()
            }),
            gamma: vary(0.3, 0.7, 1.5),
            contrast: vary(0.5, 0.8, 1.2),
            brightness: vary(0.5, -0.2, 0.2),
            saturation: vary(0.5, 0.7, 1.3),
            hue: vary(0.5, -20.0, 20.0),
            blur: vary(0.2, 0.5, 1.0),
            noise: vary(0.2, 0.012, 0.028),
            jpeg: vary(0.2, 60.0, 100.0),
            cutout: Some(Cutout {
                probability: 0.2,
                range: [0.1, 0.25],
                ..Cutout::default()
            }),
        }
    }

    /// Says which entry makes no sense, if any.
    ///
    /// # Errors
    /// [`DatasetError::Augment`] names the entry, what it may be and what it is.
    pub fn check(&self) -> Result<(), DatasetError> {
        for (name, chance) in [("flip", self.flip), ("quarter_turn", self.quarter_turn)] {
            chance.map_or(Ok(()), |chance| chance.check(name))?;
        }
        for (name, vary, bounds) in self.varied() {
            vary.map_or(Ok(()), |vary| vary.check(name, bounds))?;
        }
        self.elastic.map_or(Ok(()), Elastic::check)?;
        self.shadow.map_or(Ok(()), Shadow::check)?;
        self.cutout.map_or(Ok(()), Cutout::check)
    }

    /// The kinds that are one drawn number, and where it may lie.
    fn varied(&self) -> [(&'static str, Option<Vary>, [f64; 2]); 12] {
        [
            ("rotation", self.rotation, [-180.0, 180.0]),
            ("scale", self.scale, [0.5, 2.0]),
            ("shift", self.shift, [-0.5, 0.5]),
            ("shear", self.shear, [-30.0, 30.0]),
            ("gamma", self.gamma, [0.1, 10.0]),
            ("contrast", self.contrast, [0.0, 4.0]),
            ("brightness", self.brightness, [-1.0, 1.0]),
            ("saturation", self.saturation, [0.0, 4.0]),
            ("hue", self.hue, [-180.0, 180.0]),
            ("blur", self.blur, [0.0, 8.0]),
            ("noise", self.noise, [0.0, 0.5]),
            ("jpeg", self.jpeg, [1.0, 100.0]),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut Augmentation), words: &str) {
        let mut augmentation = Augmentation::strong();
        change(&mut augmentation);
        let error = augmentation.check().expect_err("a refusal").to_string();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn the_presets_make_sense() {
        Augmentation::strong().check().expect("a working preset");
        Augmentation::default().check().expect("nothing to refuse");
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let vary = |low, high| Some(Vary::new(0.5, [low, high]));
        check_refused(
            |own| own.scale = vary(0.1, 3.0),
            "augment.scale.range is 0.1 to 3",
        );
        check_refused(|own| own.scale = vary(1.2, 0.8), "the smaller number first");
        check_refused(|own| own.hue = vary(f64::NAN, 0.0), "augment.hue.range");
        check_refused(|own| own.blur = vary(0.0, f64::INFINITY), "in 0 to 8");
        check_refused(
            |own| own.jpeg = Some(Vary::new(1.5, [50.0, 90.0])),
            "augment.jpeg.probability is 1.5",
        );
        check_refused(
            |own| {
                own.flip = Some(Chance {
                    probability: f64::NAN,
                });
            },
            "augment.flip.probability",
        );
    }

    #[test]
    fn what_makes_no_sense_of_shapes_is_named() {
        let elastic = Elastic {
            probability: 1.0,
            range: [0.0, 20.0],
            spacing: 64.0,
        };
        check_refused(
            |own| own.elastic = Some(elastic),
            "a quarter of augment.elastic.spacing",
        );
        let elastic = Elastic {
            spacing: 1.0,
            ..elastic
        };
        check_refused(
            |own| own.elastic = Some(elastic),
            "augment.elastic.spacing is 1",
        );
        let shadow = Shadow {
            most: 0,
            ..Shadow::default()
        };
        check_refused(|own| own.shadow = Some(shadow), "augment.shadow.most is 0");
        let shadow = Shadow {
            softness: -1.0,
            ..Shadow::default()
        };
        check_refused(|own| own.shadow = Some(shadow), "augment.shadow.softness");
        let cutout = Cutout {
            range: [0.5, 1.5],
            ..Cutout::default()
        };
        check_refused(
            |own| own.cutout = Some(cutout),
            "augment.cutout.range is 0.5 to 1.5",
        );
    }
}
