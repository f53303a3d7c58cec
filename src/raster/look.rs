use serde::{Deserialize, Serialize};

use super::statistics::Statistics;

/// Share of the values that is cut off at each end where nobody chooses.
const USUAL_CUT: f32 = 0.02;
/// Gammas that are of use.
pub const GAMMAS: std::ops::RangeInclusive<f32> = 0.1..=5.0;

/// How an image is shown: which bands, in which range. Pixels of files and masks know nothing of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Look {
    /// The bands; `None`: those that the file says are its colors.
    pub bands: Option<ShownBands>,
    /// The range of sample values that is shown.
    pub contrast: Contrast,
    /// Exponent: above 1 dark things are brighter.
    pub gamma: f32,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            bands: None,
            contrast: Contrast::default(),
            gamma: 1.0,
        }
    }
}

/// The bands that are shown, from 0 as the file counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShownBands {
    /// As red, green and blue.
    Colors([u16; 3]),
    /// One, in the colors of a ramp.
    One(u16, Ramp),
}

impl ShownBands {
    /// Those of red, green and blue.
    pub const fn bands(self) -> [u16; 3] {
        match self {
            Self::Colors(bands) => bands,
            Self::One(band, _) => [band; 3],
        }
    }
}

/// Colors from the least to the greatest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ramp {
    /// Black to white.
    #[default]
    Grey,
    /// Dark blue over green to yellow, evenly bright to the eye (matplotlib's viridis).
    Viridis,
    /// Black over red and orange to pale yellow (matplotlib's inferno).
    Inferno,
    /// Blue over white to red, for what lies around a middle.
    BlueRed,
    /// Brown over pale to green, for plants.
    BrownGreen,
    /// Sea, lowland, mountains, snow, for heights.
    Terrain,
}

impl Ramp {
    /// All of them, as they are listed.
    pub const ALL: [Self; 6] = [
        Self::Grey,
        Self::Viridis,
        Self::Inferno,
        Self::BlueRed,
        Self::BrownGreen,
        Self::Terrain,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grey => "Grey",
            Self::Viridis => "Viridis",
            Self::Inferno => "Inferno",
            Self::BlueRed => "Blue to red",
            Self::BrownGreen => "Brown to green",
            Self::Terrain => "Terrain",
        }
    }

    /// Colors that lie evenly from one end to the other.
    const fn stops(self) -> &'static [[u8; 3]] {
        match self {
            Self::Grey => &[[0, 0, 0], [255, 255, 255]],
            Self::Viridis => &[
                [68, 1, 84],
                [71, 44, 122],
                [59, 81, 139],
                [44, 113, 142],
                [33, 144, 141],
                [39, 173, 129],
                [92, 200, 99],
                [170, 220, 50],
                [253, 231, 37],
            ],
            Self::Inferno => &[
                [0, 0, 4],
                [31, 12, 72],
                [85, 15, 109],
                [136, 34, 106],
                [186, 54, 85],
                [227, 89, 51],
                [249, 140, 10],
                [249, 201, 50],
                [252, 255, 164],
            ],
            Self::BlueRed => &[
                [5, 48, 97],
                [67, 147, 195],
                [209, 229, 240],
                [247, 247, 247],
                [253, 219, 199],
                [214, 96, 77],
                [103, 0, 31],
            ],
            Self::BrownGreen => &[
                [84, 48, 5],
                [191, 129, 45],
                [246, 232, 195],
                [199, 234, 229],
                [90, 180, 100],
                [0, 90, 50],
            ],
            Self::Terrain => &[
                [51, 51, 153],
                [0, 153, 204],
                [0, 204, 102],
                [220, 235, 150],
                [160, 120, 90],
                [255, 255, 255],
            ],
        }
    }

    /// 256 opaque colors, the least value first.
    pub fn colors(self) -> [[u8; 4]; 256] {
        let stops = self.stops();
        std::array::from_fn(|at| {
            let place = at as f32 / 255.0 * (stops.len() - 1) as f32;
            let below = (place as usize).min(stops.len() - 2);
            let share = place - below as f32;
            let mix = |band: usize| {
                let [low, high] = [below, below + 1].map(|stop| f32::from(stops[stop][band]));
                (low + share * (high - low)).round() as u8
            };
            [mix(0), mix(1), mix(2), 255]
        })
    }
}

/// Which sample values are shown as black and white, for each shown band by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contrast {
    /// What the file says or its sample type has for bytes; 2 % cut off at each end for others.
    #[default]
    Usual,
    /// All values that occur.
    MinMax,
    /// But for this share of the values at each end.
    Cut(f32),
    /// So many standard deviations around the mean.
    Deviations(f32),
    /// From and to, for each of the three colors (one band: the first).
    Fixed([[f64; 2]; 3]),
}

/// A look, ready for the graphics card.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shading {
    /// For red, green and blue the band, counted through the layers of a tile.
    pub picks: [u16; 3],
    /// The number of a tile (0 to 1) that is shown as black.
    pub low: [f32; 3],
    /// What a number above it is multiplied with.
    pub factor: [f32; 3],
    /// 1 over the gamma.
    pub exponent: f32,
    /// Colors of the first band; `None` where three bands are colors.
    pub ramp: Option<Ramp>,
}

impl Shading {
    /// Numbers as they are.
    pub const PLAIN: Self = Self {
        picks: [0, 1, 2],
        low: [0.0; 3],
        factor: [1.0; 3],
        exponent: 1.0,
        ramp: None,
    };
}

impl Look {
    /// The bands that are shown of an image whose colors are `colors`.
    pub fn shown_bands(&self, colors: &[u16]) -> ShownBands {
        self.bands.unwrap_or(match colors {
            [red, green, blue, ..] => ShownBands::Colors([*red, *green, *blue]),
            [one, ..] => ShownBands::One(*one, Ramp::Grey),
            [] => ShownBands::Colors([0, 1, 2]),
        })
    }

    /// From and to of each shown band, in sample values; small values may be bright.
    pub fn ranges(&self, values: &Statistics, colors: &[u16]) -> [[f64; 2]; 3] {
        if let Contrast::Fixed(ranges) = self.contrast {
            return ranges;
        }
        self.shown_bands(colors).bands().map(|band| {
            let [low, high] = self.range(values, band);
            if values.samples.is_inverted {
                [high, low]
            } else {
                [low, high]
            }
        })
    }

    fn range(&self, values: &Statistics, band: u16) -> [f64; 2] {
        let samples = &values.samples;
        let place = samples.bands.iter().position(|&known| known == band);
        let Some(band) = place.and_then(|place| values.bands.get(place)) else {
            return samples.usual.unwrap_or(samples.scale);
        };
        let cut = |share: f32| {
            let ends = [share, 1.0 - share].map(|share| band.quantile(f64::from(share)));
            [
                ends[0].unwrap_or(samples.scale[0]),
                ends[1].unwrap_or(samples.scale[1]),
            ]
        };
        match (self.contrast, samples.usual) {
            (Contrast::Usual, Some(usual)) => usual,
            (Contrast::Usual, None) => cut(USUAL_CUT),
            (Contrast::Cut(share), _) => cut(share.clamp(0.0, 0.49)),
            (Contrast::Deviations(count), _) => {
                let reach = f64::from(count) * band.deviation;
                [band.mean - reach, band.mean + reach]
            }
            (Contrast::MinMax | Contrast::Fixed(_), _) => cut(0.0),
        }
    }

    /// What the card is to do with the numbers of tiles. Colors of a table stay as they are.
    pub fn shading(&self, values: &Statistics, colors: &[u16]) -> Shading {
        let samples = &values.samples;
        if samples.bands.is_empty() {
            return Shading::PLAIN;
        }
        let shown = self.shown_bands(colors);
        let ramp = match shown {
            ShownBands::Colors(_) => None,
            ShownBands::One(_, ramp) => Some(ramp).filter(|&ramp| ramp != Ramp::Grey),
        };
        let place = |band| samples.bands.iter().position(|&known| known == band);
        let picks = if samples.bands.len() == 1 {
            // All three numbers of its pixels are the same.
            [0, 1, 2]
        } else {
            shown.bands().map(|band| place(band).unwrap_or(0) as u16)
        };
        let ranges = self.ranges(values, colors);
        let ends = ranges.map(|range| range.map(|value| samples.share(value)));
        let gamma = self.gamma.clamp(*GAMMAS.start(), *GAMMAS.end());
        Shading {
            picks,
            low: ends.map(|[low, _]| low as f32),
            factor: ends.map(|[low, high]| factor(low, high)),
            exponent: 1.0 / gamma,
            ramp,
        }
    }
}

/// Where all values are the same, they are grey at most.
fn factor(low: f64, high: f64) -> f32 {
    let range = high - low;
    if range.abs() < 1e-12 {
        0.0
    } else {
        (1.0 / range) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;
    use crate::raster::source::TileSamples;
    use crate::raster::tile::{Depth, Tile, TileFormat};

    /// Four bands of 16 bits; band b of pixel p is (b + 1) * p.
    fn values() -> Statistics {
        let format = TileFormat {
            depth: Depth::Half,
            layers: 2,
        };
        let layer = |first: u16| {
            let pixel = move |p: u16| {
                let band = move |b: u16| f32::from((first + b + 1) * p) / 65_536.0;
                [band(0), band(1), band(2), 1.0]
            };
            (0..101).flat_map(pixel).collect::<Vec<f32>>()
        };
        let tile = Tile {
            size: ImageSize::new(101, 1),
            format,
            bytes: [layer(0), layer(3)]
                .map(|layer| format.narrowed(&layer))
                .concat(),
        };
        let samples = TileSamples {
            bands: vec![0, 1, 2, 3],
            format,
            scale: [0.0, 65_536.0],
            usual: None,
            is_inverted: false,
        };
        Statistics::of(&tile, &samples)
    }

    #[test]
    fn each_band_has_its_own_range() {
        let (values, colors) = (values(), [0, 1, 2]);
        let look = |contrast| Look {
            contrast,
            bands: Some(ShownBands::Colors([3, 1, 0])),
            gamma: 1.0,
        };
        let ranges = |contrast| look(contrast).ranges(&values, &colors);
        assert_eq!(
            ranges(Contrast::MinMax),
            [[0.0, 400.0], [0.0, 200.0], [0.0, 100.0]]
        );
        assert_eq!(ranges(Contrast::Cut(0.1))[0], [40.0, 360.0]);
        assert_eq!(ranges(Contrast::Usual)[2], [2.0, 98.0]);
        let [low, high] = ranges(Contrast::Deviations(1.0))[2];
        assert!((low - (50.0 - 29.155)).abs() < 0.01 && (high - (50.0 + 29.155)).abs() < 0.01);
        let shading = look(Contrast::MinMax).shading(&values, &colors);
        assert_eq!(shading.picks, [3, 1, 0]);
        assert_eq!(shading.factor[0], 65_536.0 / 400.0);
    }

    #[test]
    fn a_look_survives_its_text() {
        let look = Look {
            bands: Some(ShownBands::One(3, Ramp::Viridis)),
            contrast: Contrast::Cut(0.05),
            gamma: 1.5,
        };
        let text = serde_json::to_string(&look).expect("text");
        assert_eq!(serde_json::from_str::<Look>(&text).expect("a look"), look);
        assert!(serde_json::from_str::<Look>("{\"color\":1}").is_err());
    }

    #[test]
    fn ramps_end_where_they_say() {
        for ramp in Ramp::ALL {
            let colors = ramp.colors();
            let stops = ramp.stops();
            assert_eq!(colors[0][..3], stops[0]);
            assert_eq!(colors[255][..3], stops[stops.len() - 1]);
        }
    }
}
