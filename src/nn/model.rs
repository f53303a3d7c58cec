use serde::{Deserialize, Serialize};

/// Which kind of network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Encoder and decoder of equal depth with skips at every level.
    #[default]
    Unet,
}

impl Family {
    /// The name as written in recipes and model files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unet => "unet",
        }
    }
}

/// The shape of a network, without its weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Which kind of network.
    pub family: Family,
    /// Channels of the first level; each level below has twice as many.
    pub base_filters: usize,
    /// Number of halvings.
    pub depth: usize,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            family: Family::Unet,
            base_filters: 8,
            depth: 4,
        }
    }
}

impl ModelConfig {
    /// Side lengths of patches are multiples of this, so that no level has half a pixel.
    pub const fn stride(&self) -> usize {
        1 << self.depth
    }

    /// Channels at `level` (0 is full resolution).
    pub const fn filters(&self, level: usize) -> usize {
        self.base_filters << level
    }
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
}
