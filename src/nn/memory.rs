use super::ModelConfig;
use super::encoder::{EncoderKind, Lite0};
use super::family::Family;

/// Planes that a step keeps for the way back for each channel of a convolution with its norm
/// (measured on the CPU with the U-Net: some 30 a filter at four convolutions).
const PLANES_A_CONV: f64 = 7.5;

impl ModelConfig {
    /// About how many numbers a training step keeps for each pixel of a patch.
    pub fn numbers_a_pixel(&self) -> f64 {
        if self.is_plain_unet() {
            // Four convolutions a level, and each level has half of the one above.
            return 4.0 * PLANES_A_CONV * 2.0 * self.base_filters as f64;
        }
        PLANES_A_CONV * (self.encoder_channels() + self.decoder_channels())
    }

    /// Channels of the encoder's convolutions, each by its share of the full resolution.
    fn encoder_channels(&self) -> f64 {
        let (base, per_layer) = match self.encoder {
            EncoderKind::Plain => {
                let level = |level| 2.0 * self.filters(level) as f64 * self.share(1 << level);
                return (0..=5).map(level).sum();
            }
            // Blocks times channels of their convolutions, by 3×3 channels.
            EncoderKind::Lite0 => {
                // Channels of all its convolutions at strides 2 to 32.
                let channels = [176.0, 576.0, 944.0, 7056.0, 10_976.0];
                let strides = [2, 4, 8, 16, 32].map(|stride| self.share(stride));
                // Nothing is kept of stages that hold still.
                let learning = channels.iter().zip(strides).skip(self.frozen_stages);
                return learning.map(|(n, share)| n * share).sum();
            }
            EncoderKind::Resnet18 => (self.stem_filters as f64, [4.0; 4]),
            EncoderKind::Resnet34 => (self.stem_filters as f64, [6.0, 8.0, 12.0, 6.0]),
            EncoderKind::Resnet50 => (self.stem_filters as f64, [18.0, 24.0, 36.0, 18.0]),
        };
        let layers = per_layer.into_iter().enumerate();
        let layers = layers.map(|(layer, convs)| {
            let planes = base * f64::from(1 << layer);
            convs * planes * self.share(4 << layer)
        });
        base * self.share(2) + layers.sum::<f64>()
    }

    /// The same for the decoder.
    fn decoder_channels(&self) -> f64 {
        let last = match self.encoder {
            EncoderKind::Plain => self.filters(5),
            EncoderKind::Resnet18 | EncoderKind::Resnet34 => 8 * self.stem_filters,
            EncoderKind::Resnet50 => 32 * self.stem_filters,
            EncoderKind::Lite0 => Lite0::CHANNELS[4],
        };
        let width = self.decoder_width(last) as f64;
        let deepest = self.share(32);
        match self.family {
            Family::Unet => (0..5)
                .map(|step| 4.0 * width / f64::from(1 << step) * self.share(16 >> step))
                .sum(),
            Family::Fcn16s | Family::Fcn8s => width * deepest,
            Family::Fpn => 4.0 * width * self.share(4),
            Family::Pspnet => (width + 2.0 * last as f64) * deepest,
            Family::DeepLabV3 => 11.0 * width * deepest,
            Family::DeepLabV3Plus => 10.0 * width * deepest + 4.0 * width * self.share(4),
        }
    }

    /// Pixels of a map at `stride` for each pixel of the patch.
    fn share(&self, stride: usize) -> f64 {
        (stride.min(self.encoder_stride()) as f64).powi(-2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(family: Family, encoder: EncoderKind) -> f64 {
        let config = ModelConfig {
            family,
            encoder,
            ..ModelConfig::default()
        };
        config.numbers_a_pixel()
    }

    #[test]
    fn the_plain_unet_keeps_sixty_planes_a_filter() {
        assert_eq!(numbers(Family::Unet, EncoderKind::Plain), 8.0 * 60.0);
    }

    #[test]
    fn stages_that_hold_still_keep_nothing() {
        let keeps = |frozen_stages| {
            let config = ModelConfig {
                encoder: EncoderKind::Lite0,
                frozen_stages,
                ..ModelConfig::default()
            };
            config.numbers_a_pixel()
        };
        assert!(keeps(0) > keeps(2) && keeps(2) > keeps(5));
        assert!(keeps(5) > 0.0);
    }

    #[test]
    fn more_and_wider_layers_keep_more() {
        for family in Family::ALL {
            let [small, middle, large] = [
                EncoderKind::Resnet18,
                EncoderKind::Resnet34,
                EncoderKind::Resnet50,
            ]
            .map(|encoder| numbers(family, encoder));
            assert!(100.0 < small && small < middle && middle < large && large < 10_000.0);
        }
    }
}
