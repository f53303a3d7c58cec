use serde::{Deserialize, Serialize};

use super::encoder::EncoderKind;
use super::family::Family;
use super::norm::NormKind;

/// How the decoder of a U-Net doubles the sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecoderUp {
    /// Every pixel four times.
    #[default]
    Nearest,
    /// By a transposed 2×2 convolution.
    Transposed,
}

/// The shape of a network, without its weights. What a file leaves out has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Which kind of network.
    pub family: Family,
    /// Which network looks at the image.
    pub encoder: EncoderKind,
    /// Channels of the first level of the plain encoder; each level below has twice as many.
    pub base_filters: usize,
    /// Number of halvings of a U-Net with the plain encoder; other encoders have five.
    pub depth: usize,
    /// Channels of the images.
    pub in_channels: usize,
    /// Channels of the first layer of a residual encoder, and so of all others; 64 as published.
    pub stem_filters: usize,
    /// Where the encoder stops halving and dilates instead: 8, 16 or 32; none: as published for
    /// the family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_stride: Option<usize>,
    /// Channels of the decoder; none: as published for the family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Whether the blocks of a U-Net add their input to what they find.
    pub residual: bool,
    /// Share of the values that are left out in training, once, where the family has it.
    pub dropout: f64,
    /// Weight of the loss of a second head that looks at the encoder's last map but one and is left
    /// out in use (deep supervision, Zhao et al. 2017, with 0.4); 0: there is no such head.
    pub auxiliary_weight: f64,
    /// How many of the five stages of a pretrained encoder stay as they are, from the finest on.
    pub frozen_stages: usize,
    /// What stands behind convolutions.
    pub norm: NormKind,
    /// How the decoder of a U-Net doubles the sides.
    pub decoder_up: DecoderUp,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            family: Family::Unet,
            encoder: EncoderKind::Plain,
            base_filters: 8,
            depth: 4,
            in_channels: 3,
            stem_filters: 64,
            output_stride: None,
            width: None,
            residual: false,
            dropout: 0.0,
            auxiliary_weight: 0.0,
            frozen_stages: 0,
            norm: NormKind::Batch,
            decoder_up: DecoderUp::Nearest,
        }
    }
}

/// Halvings of every encoder but that of the plain U-Net.
const ENCODER_DEPTH: usize = 5;
/// The deepest level has no more channels, so that no file makes a network of many gigabytes.
const MOST_FILTERS: usize = 4096;

impl ModelConfig {
    /// What `base_filters` may be.
    pub const BASE_FILTERS: (u64, u64) = (1, 256);
    /// What `depth` may be.
    pub const DEPTH: (u64, u64) = (1, 6);
    /// What `stem_filters` may be.
    pub const STEM_FILTERS: (u64, u64) = (1, 128);
    /// What `width` may be, where it is said.
    pub const WIDTH: (u64, u64) = (16, 1024);
    /// What `frozen_stages` may be.
    pub const FROZEN_STAGES: (u64, u64) = (0, 5);
    /// What `auxiliary_weight` may be.
    pub const AUXILIARY_WEIGHT: (f64, f64) = (0.0, 10.0);

    /// Side lengths of patches are multiples of this, so that no level has half a pixel.
    pub const fn stride(&self) -> usize {
        if self.is_plain_unet() {
            1 << self.depth
        } else {
            self.encoder_stride()
        }
    }

    /// Channels of the plain encoder at `level` (0 is full resolution).
    pub const fn filters(&self, level: usize) -> usize {
        self.base_filters << level
    }

    /// Where an encoder stops halving.
    pub const fn encoder_stride(&self) -> usize {
        match self.output_stride {
            Some(stride) => stride,
            None => self.family.output_stride(),
        }
    }

    /// Channels of the decoder (see [`Family::decoder_width`]) behind a last map of `channels`.
    pub fn decoder_width(&self, channels: usize) -> usize {
        self.width
            .or(self.family.decoder_width())
            .unwrap_or((channels / 4).max(1))
    }

    /// The same kinds of layers with few channels and nothing left to chance, to try a device with.
    pub fn thin(&self) -> Self {
        Self {
            base_filters: self.base_filters.min(4),
            depth: self.depth.min(2),
            stem_filters: self.stem_filters.min(4),
            width: (!self.is_plain_unet()).then_some(16),
            dropout: 0.0,
            auxiliary_weight: 0.0,
            frozen_stages: 0,
            ..self.clone()
        }
    }

    /// Whether it is the U-Net with an encoder of its own.
    pub const fn is_plain_unet(&self) -> bool {
        matches!(self.family, Family::Unet) && matches!(self.encoder, EncoderKind::Plain)
    }

    /// Whether values are left out in training, by chance.
    pub const fn leaves_out(&self) -> bool {
        self.dropout > 0.0 || self.auxiliary_weight > 0.0
    }

    /// Says what does not fit, if anything. A configuration that passes makes a network.
    ///
    /// # Errors
    /// A sentence that names the field, what it may be and what it is.
    pub fn check(&self) -> Result<(), String> {
        within("base_filters", self.base_filters, Self::BASE_FILTERS)?;
        within("depth", self.depth, Self::DEPTH)?;
        within("in_channels", self.in_channels, (1, 64))?;
        within("stem_filters", self.stem_filters, Self::STEM_FILTERS)?;
        within("frozen_stages", self.frozen_stages, Self::FROZEN_STAGES)?;
        if let Some(width) = self.width {
            within("width", width, Self::WIDTH)?;
        }
        if let Some(stride) = self.output_stride
            && ![8, 16, 32].contains(&stride)
        {
            return Err(format!(
                "model.output_stride is {stride}, it must be 8, 16 or 32"
            ));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(format!(
                "model.dropout is {}, it must be 0 or more and less than 1",
                self.dropout
            ));
        }
        let (least, most) = Self::AUXILIARY_WEIGHT;
        if !(least..=most).contains(&self.auxiliary_weight) {
            return Err(format!(
                "model.auxiliary_weight is {}, it must be in {least} to {most}",
                self.auxiliary_weight
            ));
        }
        if self.auxiliary_weight > 0.0 && !self.family.has_auxiliary() {
            return Err(format!(
                "model.auxiliary_weight is for pspnet, deeplabv3 and deeplabv3plus, not for {}; \
                 leave it out",
                self.family.name()
            ));
        }
        match self.misfit() {
            Some(misfit) => Err(misfit),
            None => Ok(()),
        }
    }

    /// Choices that work alone but not together.
    fn misfit(&self) -> Option<String> {
        let depth = if self.is_plain_unet() {
            self.depth
        } else {
            ENCODER_DEPTH
        };
        let is_plain = self.encoder == EncoderKind::Plain;
        if is_plain && self.filters(depth) > MOST_FILTERS {
            return Some(format!(
                "model.base_filters is {}, which makes {} at the deepest level; the limit there \
                 is {MOST_FILTERS}",
                self.base_filters,
                self.filters(depth)
            ));
        }
        let (family, encoder) = (self.family.name(), self.encoder.name());
        let is_unet = self.family == Family::Unet;
        let has_norm = self.norm != NormKind::None;
        let is_transposed = self.decoder_up == DecoderUp::Transposed;
        let is_frozen = self.frozen_stages > 0;
        let rules = [
            (
                is_frozen && self.encoder != EncoderKind::Lite0,
                format!("model.frozen_stages is for encoder lite0, not for {encoder}"),
            ),
            (
                self.residual && !is_unet,
                format!("model.residual is for unet only, not for {family}; leave it out"),
            ),
            (
                is_transposed && !is_unet,
                format!("model.decoder_up is for unet only, not for {family}; leave it out"),
            ),
            (
                is_transposed && !self.is_plain_unet() && self.encoder_stride() != 32,
                "model.decoder_up transposed needs model.output_stride 32".to_owned(),
            ),
            (
                !has_norm && !is_plain,
                format!("model.norm is none, {encoder} needs one; choose batch or group"),
            ),
            (
                !has_norm && self.residual,
                "model.norm is none, model.residual needs one; choose batch or group".to_owned(),
            ),
            (
                self.is_plain_unet() && self.width.is_some(),
                "model.width is not for unet with encoder plain; set model.base_filters".to_owned(),
            ),
            (
                self.is_plain_unet() && self.output_stride.is_some(),
                "model.output_stride is not for unet with encoder plain; set model.depth"
                    .to_owned(),
            ),
        ];
        let broken = rules.into_iter().find(|(is_broken, _)| *is_broken);
        broken.map(|(_, sentence)| sentence)
    }
}

fn within(field: &str, value: usize, (least, most): (u64, u64)) -> Result<(), String> {
    if (least..=most).contains(&(value as u64)) {
        return Ok(());
    }
    Err(format!(
        "model.{field} is {value}, it must be in {least} to {most}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_double_while_sides_halve() {
        let config = ModelConfig {
            base_filters: 8,
            depth: 3,
            ..ModelConfig::default()
        };
        assert_eq!(config.stride(), 8);
        assert_eq!(
            (0..=3)
                .map(|level| config.filters(level))
                .collect::<Vec<_>>(),
            [8, 16, 32, 64]
        );
    }

    #[test]
    fn files_from_before_there_were_families_are_read() {
        let old = r#"{"family": "unet", "base_filters": 12, "depth": 3}"#;
        let config: ModelConfig = serde_json::from_str(old).expect("a network");
        let expected = ModelConfig {
            base_filters: 12,
            depth: 3,
            ..ModelConfig::default()
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn all_choices_survive_both_kinds_of_file() {
        for family in Family::ALL {
            let config = ModelConfig {
                family,
                encoder: EncoderKind::Resnet34,
                output_stride: Some(16),
                width: Some(64),
                dropout: 0.25,
                norm: NormKind::Group,
                ..ModelConfig::default()
            };
            let text = serde_json::to_string(&config).expect("text");
            assert_eq!(
                serde_json::from_str::<ModelConfig>(&text).ok(),
                Some(config.clone())
            );
            let text = toml::to_string(&config).expect("text");
            assert_eq!(toml::from_str::<ModelConfig>(&text).ok(), Some(config));
        }
    }

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut ModelConfig), word: &str) {
        let mut config = ModelConfig::default();
        change(&mut config);
        let error = config.check().expect_err("a refusal");
        assert!(error.contains(word), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(ModelConfig::default().check(), Ok(()));
        check_refused(|config| config.base_filters = 0, "base_filters is 0");
        check_refused(|config| config.depth = 7, "depth is 7");
        check_refused(|config| config.in_channels = 0, "in_channels");
        check_refused(|config| config.stem_filters = 200, "stem_filters");
        check_refused(|config| config.output_stride = Some(4), "8, 16 or 32");
        check_refused(|config| config.dropout = f64::NAN, "dropout");
        check_refused(|config| config.dropout = 1.0, "less than 1");
        check_refused(|config| config.width = Some(64), "base_filters");
        check_refused(
            |config| (config.base_filters, config.depth) = (256, 6),
            "16384",
        );
        check_refused(
            |config| (config.family, config.residual) = (Family::Fpn, true),
            "fpn",
        );
        check_refused(
            |config| (config.encoder, config.norm) = (EncoderKind::Resnet18, NormKind::None),
            "resnet18 needs one",
        );
    }

    #[test]
    fn families_stop_halving_where_they_were_published_to() {
        let strides = Family::ALL.map(|family| {
            let config = ModelConfig {
                family,
                encoder: EncoderKind::Resnet50,
                ..ModelConfig::default()
            };
            config.stride()
        });
        assert_eq!(strides, [32, 32, 32, 32, 8, 16, 16]);
    }
}
