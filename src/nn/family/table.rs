use serde::{Deserialize, Serialize};

/// Which kind of network.
///
/// To add one: a file in this folder with a module that is a [`Segmenter`](super::Segmenter) and,
/// around an encoder, [`Parted`](super::Parted), so that its decoder can learn from kept features; a
/// variant and a row of the table below; and a variant of [`Network`](crate::nn::Network). Tests
/// go over [`Family::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Encoder and decoder with skips at every level.
    #[default]
    Unet,
    /// Fully convolutional with one skip.
    Fcn16s,
    /// Fully convolutional with two skips.
    Fcn8s,
    /// A feature pyramid, added up.
    Fpn,
    /// Means over four grids.
    Pspnet,
    /// Dilated convolutions of several rates.
    DeepLabV3,
    /// The same with a skip of stride 4.
    DeepLabV3Plus,
}

/// What is said of a family, and its published shape.
struct Row {
    family: Family,
    name: &'static str,
    help: &'static str,
    paper: &'static str,
    /// Where its encoder stops halving unless told otherwise.
    output_stride: usize,
    /// Channels of its decoder unless told otherwise; see [`Family::decoder_width`].
    width: Option<usize>,
}

/// One row a family, in the order of [`Family`].
const TABLE: [Row; 7] = [
    Row {
        family: Family::Unet,
        name: "unet",
        help: "Joins what and where at every level; fine edges, learns from few labels",
        paper: "Ronneberger, Fischer & Brox 2015, U-Net",
        output_stride: 32,
        width: Some(256),
    },
    Row {
        family: Family::Fcn16s,
        name: "fcn16s",
        help: "Scores of strides 32 and 16 added up; the classic, coarse edges",
        paper: "Long, Shelhamer & Darrell 2015, Fully Convolutional Networks",
        output_stride: 32,
        width: None,
    },
    Row {
        family: Family::Fcn8s,
        name: "fcn8s",
        help: "Scores of strides 32, 16 and 8 added up; finer than fcn16s",
        paper: "Long, Shelhamer & Darrell 2015, Fully Convolutional Networks",
        output_stride: 32,
        width: None,
    },
    Row {
        family: Family::Fpn,
        name: "fpn",
        help: "A pyramid of maps of equal depth, added up; light, for things of many sizes",
        paper: "Lin et al. 2017, Feature Pyramid Networks; Kirillov et al. 2019, Panoptic FPN",
        output_stride: 32,
        width: Some(256),
    },
    Row {
        family: Family::Pspnet,
        name: "pspnet",
        help: "Adds what four grids over the patch show; for ground that its surroundings explain",
        paper: "Zhao et al. 2017, Pyramid Scene Parsing Network",
        output_stride: 8,
        width: Some(512),
    },
    Row {
        family: Family::DeepLabV3,
        name: "deeplabv3",
        help: "Looks around each place at four distances; wide views, smooth edges",
        paper: "Chen et al. 2017, Rethinking Atrous Convolution",
        output_stride: 16,
        width: Some(256),
    },
    Row {
        family: Family::DeepLabV3Plus,
        name: "deeplabv3plus",
        help: "deeplabv3 with a decoder that sharpens edges",
        paper: "Chen et al. 2018, Encoder-Decoder with Atrous Separable Convolution",
        output_stride: 16,
        width: Some(256),
    },
];

impl Family {
    /// Every family, in the order they should be offered.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::Unet; TABLE.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = TABLE[at].family;
            at += 1;
        }
        all
    };

    /// The name as written in recipes and model files.
    pub const fn name(self) -> &'static str {
        TABLE[self as usize].name
    }

    /// What it is good for, in one line.
    pub const fn help(self) -> &'static str {
        TABLE[self as usize].help
    }

    /// Where it was published.
    pub const fn paper(self) -> &'static str {
        TABLE[self as usize].paper
    }

    /// Where its encoder stops halving unless a configuration says otherwise.
    pub const fn output_stride(self) -> usize {
        TABLE[self as usize].output_stride
    }

    /// Channels of its decoder unless a configuration says otherwise: of the U-Net's first step,
    /// of the FPN's pyramid, of what `PSPNet` and `DeepLab` classify. None: a quarter of the
    /// encoder's last map.
    pub const fn decoder_width(self) -> Option<usize> {
        TABLE[self as usize].width
    }

    /// Whether it may have a second head for training (see [`super::Auxiliary`]).
    pub const fn has_auxiliary(self) -> bool {
        matches!(self, Self::Pspnet | Self::DeepLabV3 | Self::DeepLabV3Plus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_are_those_of_files() {
        for (at, family) in Family::ALL.into_iter().enumerate() {
            assert_eq!(at, family as usize);
            let written = serde_json::to_value(family).expect("a word");
            assert_eq!(written, family.name());
            let is_one_line = |text: &str| !text.is_empty() && !text.contains('\n');
            assert!(is_one_line(family.help()) && is_one_line(family.paper()));
        }
    }
}
