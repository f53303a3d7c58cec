use serde::{Deserialize, Serialize};

/// Which network looks at the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncoderKind {
    /// The contracting path of a U-Net.
    #[default]
    Plain,
    /// Residual, of 18 layers.
    Resnet18,
    /// Residual, of 34 layers.
    Resnet34,
    /// Residual, of 50 layers.
    Resnet50,
    /// `EfficientNet-Lite0`, which has learned from `ImageNet` already.
    Lite0,
}

/// What is said of an encoder.
struct Row {
    encoder: EncoderKind,
    name: &'static str,
    help: &'static str,
}

/// One row an encoder, in the order of [`EncoderKind`].
const TABLE: [Row; 5] = [
    Row {
        encoder: EncoderKind::Plain,
        name: "plain",
        help: "Pairs of 3×3 convolutions between halvings; as small as you like (Ronneberger 2015)",
    },
    Row {
        encoder: EncoderKind::Resnet18,
        name: "resnet18",
        help: "11 million weights in residual blocks of two convolutions (He 2015)",
    },
    Row {
        encoder: EncoderKind::Resnet34,
        name: "resnet34",
        help: "21 million weights in residual blocks of two convolutions (He 2015)",
    },
    Row {
        encoder: EncoderKind::Resnet50,
        name: "resnet50",
        help: "24 million weights in residual blocks with bottlenecks (He 2015)",
    },
    Row {
        encoder: EncoderKind::Lite0,
        name: "lite0",
        help: "3 million weights that know pictures already; learns from little (Tan & Le 2019)",
    },
];

impl EncoderKind {
    /// Every encoder, the simplest first.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::Plain; TABLE.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = TABLE[at].encoder;
            at += 1;
        }
        all
    };

    /// The name as written in recipes and model files.
    pub const fn name(self) -> &'static str {
        TABLE[self as usize].name
    }

    /// What it is, in one line.
    pub const fn help(self) -> &'static str {
        TABLE[self as usize].help
    }

    /// How the paths of the weights of each stage begin in a network with this encoder, the stage
    /// of the finest map first; the U-Net with the plain encoder has no such paths.
    pub const fn stages(self) -> [&'static [&'static str]; 5] {
        match self {
            Self::Plain => [
                &["encoder.levels.0", "encoder.levels.1"],
                &["encoder.levels.2"],
                &["encoder.levels.3"],
                &["encoder.levels.4"],
                &["encoder.levels.5"],
            ],
            Self::Resnet18 | Self::Resnet34 | Self::Resnet50 => [
                &["encoder.conv1", "encoder.bn1"],
                &["encoder.layer1"],
                &["encoder.layer2"],
                &["encoder.layer3"],
                &["encoder.layer4"],
            ],
            Self::Lite0 => [
                &["encoder.network.stages.0"],
                &["encoder.network.stages.1"],
                &["encoder.network.stages.2"],
                &["encoder.network.stages.3"],
                &["encoder.network.stages.4"],
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_are_those_of_files() {
        for (at, encoder) in EncoderKind::ALL.into_iter().enumerate() {
            assert_eq!(at, encoder as usize);
            let written = serde_json::to_value(encoder).expect("a word");
            assert_eq!(written, encoder.name());
            assert!(!encoder.help().is_empty());
        }
    }
}
