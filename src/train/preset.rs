use super::Recipe;
use crate::dataset::LayoutKind;

/// A recipe that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// An answer in minutes on a processor.
    Fast,
    /// The default: on a processor the decoder of a U-Net on a pretrained encoder.
    Balanced,
    /// For a graphics card, or patience.
    Accurate,
    /// Land cover of Poland (`LandCover.ai`).
    Landcover,
    /// Roads from tiles.
    Roads,
    /// Land cover from satellite tiles (`DeepGlobe`).
    Deepglobe,
    /// Streets from a car (`CamVid`).
    Camvid,
    /// Salt bodies in seismic images (TGS).
    Salt,
}

impl Preset {
    /// All of them, the general ones first.
    pub const ALL: [Self; 8] = [
        Self::Fast,
        Self::Balanced,
        Self::Accurate,
        Self::Landcover,
        Self::Roads,
        Self::Deepglobe,
        Self::Camvid,
        Self::Salt,
    ];

    /// The word for it on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::Accurate => "accurate",
            Self::Landcover => "landcover",
            Self::Roads => "roads",
            Self::Deepglobe => "deepglobe",
            Self::Camvid => "camvid",
            Self::Salt => "salt",
        }
    }

    /// What it is for, in a line.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Fast => "An answer in minutes: on a processor the decoder alone learns",
            Self::Balanced => "The default: on a processor the decoder alone learns",
            Self::Accurate => "For a graphics card, or patience",
            Self::Landcover => "LandCover.ai: feature pyramid on ResNet-18, focal and Jaccard loss",
            Self::Roads => "Roads: DeepLabV3 on ResNet-50, cross-entropy and Dice",
            Self::Deepglobe => "DeepGlobe land cover: residual U-Net, cross-entropy",
            Self::Camvid => "CamVid: U-Net on ResNet-18, median-frequency weights",
            Self::Salt => "TGS salt: U-Net of 16 to 256 filters, plateau 5, early stop 10",
        }
    }

    /// The preset of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// The one for data sets of a kind, if any is meant for it.
    pub const fn fitting(kind: LayoutKind) -> Option<Self> {
        match kind {
            LayoutKind::LandCoverAi
            | LayoutKind::LandCoverAiSplit
            | LayoutKind::LandCoverAiPatches => Some(Self::Landcover),
            LayoutKind::SageMakerRoads
            | LayoutKind::DeepGlobeRoads
            | LayoutKind::MassachusettsRoads
            | LayoutKind::EpflRoads => Some(Self::Roads),
            LayoutKind::DeepGlobeLandCover => Some(Self::Deepglobe),
            LayoutKind::CamVid | LayoutKind::CamVidSuite | LayoutKind::CamVidSegNet => {
                Some(Self::Camvid)
            }
            LayoutKind::TgsSalt => Some(Self::Salt),
            _ => None,
        }
    }

    /// Its recipe.
    pub fn recipe(self) -> Recipe {
        let text = match self {
            Self::Fast => include_str!("../../assets/recipes/fast.toml"),
            Self::Balanced => include_str!("../../assets/recipes/balanced.toml"),
            Self::Accurate => include_str!("../../assets/recipes/accurate.toml"),
            Self::Landcover => include_str!("../../assets/recipes/landcover.toml"),
            Self::Roads => include_str!("../../assets/recipes/roads.toml"),
            Self::Deepglobe => include_str!("../../assets/recipes/deepglobe.toml"),
            Self::Camvid => include_str!("../../assets/recipes/camvid.toml"),
            Self::Salt => include_str!("../../assets/recipes/salt.toml"),
        };
        Recipe::from_toml(text).expect("a test reads all of them")
    }
}

#[cfg(test)]
mod tests {
    use super::super::UpdateConfig;
    use super::*;
    use crate::nn::{ModelConfig, NUM_LEVELS};

    #[test]
    fn every_preset_works_and_survives_a_file() {
        for preset in Preset::ALL {
            let recipe = preset.recipe();
            recipe
                .check()
                .unwrap_or_else(|error| panic!("{}: {error}", preset.name()));
            assert_eq!(Recipe::from_toml(&recipe.to_toml()), Ok(recipe));
            assert_eq!(Preset::of_name(preset.name()), Some(preset));
        }
    }

    #[test]
    fn on_a_processor_the_default_trains_the_decoder_on_kept_features() {
        for preset in [Preset::Fast, Preset::Balanced] {
            let Recipe {
                model, features, ..
            } = preset.recipe();
            assert_eq!(features.kept_stages(&model, true), NUM_LEVELS);
            assert_eq!(features.kept_stages(&model, false), 0);
        }
        // What a recipe leaves out is as it was.
        let plain = Recipe {
            model: ModelConfig::default(),
            updates: UpdateConfig::default(),
            ..Preset::Balanced.recipe()
        };
        assert_eq!(plain, Recipe::default());
    }
}
