use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::{DeepLab, EncoderUNet, Fcn, Fpn, PspNet, Segmenter, UNet};
use crate::nn::ModelConfig;
use crate::nn::encoder::EncoderKind;
use crate::nn::layers::Layers;

/// What is said of a family, and its published shape.
struct Row {
    name: &'static str,
    help: &'static str,
    paper: &'static str,
    /// Where its encoder stops halving unless told otherwise.
    output_stride: usize,
    /// Channels of its decoder unless told otherwise; see [`Family::decoder_width`].
    width: Option<usize>,
    /// See [`super::Auxiliary`].
    has_auxiliary: bool,
}

/// Makes [`Family`], its table and [`Network`] of the list below: modules that are a [`Segmenter`],
/// each with the families that it is the network of.
macro_rules! families {
    ($(
        $(#[$network_doc:meta])*
        $network:ident($module:ident)
        $(or, around another encoder, $(#[$other_doc:meta])* $other:ident($other_module:ident))?
        { $( $(#[$family_meta:meta])* $family:ident => $row:tt )+ }
    )+) => {
        /// Which kind of network.
        ///
        /// To add one: a file in this folder with a module that is a [`Segmenter`] and, around an
        /// encoder, [`Parted`](super::Parted), so that its decoder can learn from kept features;
        /// and the module with its row in the list of this file. Tests go over [`Family::ALL`].
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Family {
            $($( $(#[$family_meta])* $family, )+)+
        }

        /// One row a family, in the order of [`Family`].
        const TABLE: &[Row] = &[$($( Row $row, )+)+];

        impl Family {
    /// Whether it takes means over all that it sees, so that it is best shown as much at once as it
    /// learned from.
    pub const fn has_one_view(self) -> bool {
        matches!(self, Self::Pspnet | Self::DeepLabV3 | Self::DeepLabV3Plus)
    }

            /// Every family, in the order they should be offered.
            pub const ALL: [Self; TABLE.len()] = [$($( Self::$family, )+)+];
        }

        /// A network of any family.
        ///
        /// Weights are saved under the names of the fields within; the variant is not part of them.
        #[derive(Module, Debug)]
        #[expect(clippy::large_enum_variant, reason = "there are one or two at a time")]
        pub enum Network {
            $(
                $(#[$network_doc])*
                $network($module),
                $( $(#[$other_doc])* $other($other_module), )?
            )+
        }

        impl Network {
            /// [`Network::new`] with what makes its layers.
            pub(in crate::nn) fn of_family(
                config: &ModelConfig,
                num_classes: usize,
                layers: &mut Layers<'_>,
            ) -> Self {
                match config.family {
                    $(
                        $( Family::$family )|+ => {
                            $( if config.encoder != EncoderKind::Plain {
                                let network = $other_module::new(config, num_classes, layers);
                                return Self::$other(network);
                            } )?
                            Self::$network($module::new(config, num_classes, layers))
                        }
                    )+
                }
            }

            /// What the network can do.
            pub(in crate::nn) fn family(&self) -> &dyn Segmenter {
                match self {
                    $(
                        Self::$network(network) => network,
                        $( Self::$other(network) => network, )?
                    )+
                }
            }

            /// [`Network::family`], to change it.
            pub(in crate::nn) fn family_mut(&mut self) -> &mut dyn Segmenter {
                match self {
                    $(
                        Self::$network(network) => network,
                        $( Self::$other(network) => network, )?
                    )+
                }
            }
        }
    };
}

families! {
    /// U-Net with an encoder of its own.
    Unet(UNet) or, around another encoder,
    /// U-Net around another encoder.
    EncoderUnet(EncoderUNet) {
        /// Encoder and decoder with skips at every level.
        #[default]
        Unet => {
            name: "unet",
            help: "Joins what and where at every level; fine edges, learns from few labels",
            paper: "Ronneberger, Fischer & Brox 2015, U-Net",
            output_stride: 32,
            width: Some(256),
            has_auxiliary: false,
        }
    }

    /// FCN-16s and FCN-8s.
    Fcn(Fcn) {
        /// Fully convolutional with one skip.
        Fcn16s => {
            name: "fcn16s",
            help: "Scores of strides 32 and 16 added up; the classic, coarse edges",
            paper: "Long, Shelhamer & Darrell 2015, Fully Convolutional Networks",
            output_stride: 32,
            width: None,
            has_auxiliary: false,
        }
        /// Fully convolutional with two skips.
        Fcn8s => {
            name: "fcn8s",
            help: "Scores of strides 32, 16 and 8 added up; finer than fcn16s",
            paper: "Long, Shelhamer & Darrell 2015, Fully Convolutional Networks",
            output_stride: 32,
            width: None,
            has_auxiliary: false,
        }
    }

    /// Feature pyramid.
    Fpn(Fpn) {
        /// A feature pyramid, added up.
        Fpn => {
            name: "fpn",
            help: "A pyramid of maps of equal depth, added up; light, for things of many sizes",
            paper: "Lin et al. 2017, Feature Pyramid Networks; Kirillov et al. 2019, Panoptic FPN",
            output_stride: 32,
            width: Some(256),
            has_auxiliary: false,
        }
    }

    /// Pyramid pooling.
    Pspnet(PspNet) {
        /// Means over four grids.
        Pspnet => {
            name: "pspnet",
            help: "Adds what four grids over the patch show; for ground that its surroundings explain",
            paper: "Zhao et al. 2017, Pyramid Scene Parsing Network",
            output_stride: 8,
            width: Some(512),
            has_auxiliary: true,
        }
    }

    /// `DeepLabV3` and V3+.
    DeepLab(DeepLab) {
        /// Dilated convolutions of several rates.
        DeepLabV3 => {
            name: "deeplabv3",
            help: "Looks around each place at four distances; wide views, smooth edges",
            paper: "Chen et al. 2017, Rethinking Atrous Convolution",
            output_stride: 16,
            width: Some(256),
            has_auxiliary: true,
        }
        /// The same with a skip of stride 4.
        DeepLabV3Plus => {
            name: "deeplabv3plus",
            help: "deeplabv3 with a decoder that sharpens edges",
            paper: "Chen et al. 2018, Encoder-Decoder with Atrous Separable Convolution",
            output_stride: 16,
            width: Some(256),
            has_auxiliary: true,
        }
    }
}

impl Family {
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
        TABLE[self as usize].has_auxiliary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_files() {
        for family in Family::ALL {
            let written = serde_json::to_value(family).expect("a word");
            assert_eq!(written, family.name());
            let is_one_line = |text: &str| !text.is_empty() && !text.contains('\n');
            assert!(is_one_line(family.help()) && is_one_line(family.paper()));
        }
    }
}
