use crate::raster::{SampleType, TileSource};

/// What an image says of its bands, which are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BandFacts {
    /// All bands but that of opacity, in the order of the file.
    pub data: Vec<u16>,
    /// How the samples are stored.
    pub sample: SampleType,
    /// Whether the samples are numbers of colors in a palette.
    pub has_palette: bool,
}

impl BandFacts {
    /// What the header of `source` says.
    pub fn of(source: &dyn TileSource) -> Self {
        let info = source.info();
        Self {
            data: source
                .data_bands()
                .into_iter()
                .map(|band| band + 1)
                .collect(),
            sample: info.sample,
            has_palette: info.palette.is_some(),
        }
    }

    /// Whether samples have more values than a byte, or a sign, so that ranges must tell what they
    /// become.
    pub const fn is_wide(&self) -> bool {
        !self.sample.is_index()
    }
}

/// What the header of an image of a training says.
#[derive(Clone, Debug)]
pub(in crate::dataset) struct ImageFacts {
    /// What the user calls it.
    pub(in crate::dataset) name: String,
    /// Meters along a side of a pixel, when it says so.
    pub(in crate::dataset) meters: Option<f64>,
    /// Its bands.
    pub(in crate::dataset) bands: BandFacts,
}
