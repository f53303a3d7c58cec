use serde::{Deserialize, Serialize};

use super::{ImagePoint, ImageSize};

/// Where an image lies on the map.
///
/// Map coordinates are easting first, in the units of the file's own coordinate system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Georef {
    /// `[a, b, c, d, e, f]`: map x = a·col + b·row + c, map y = d·col + e·row + f, where (col, row)
    /// is an [`ImagePoint`], so that (c, f) is the outer corner of the upper-left pixel.
    pub map_from_image: [f64; 6],
    /// The EPSG code of the coordinate system, when the file names one.
    pub epsg: Option<u32>,
    /// The name of a coordinate system that is stated without such a code.
    #[serde(default)]
    pub system: Option<String>,
    /// The GeoTIFF keys as the file has them; copied to what is written, never interpreted here.
    pub keys: Option<GeoKeys>,
}

/// The three GeoTIFF key tags, kept as they were read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeoKeys {
    /// GeoKeyDirectoryTag (34735).
    pub directory: Vec<u16>,
    /// GeoDoubleParamsTag (34736).
    pub doubles: Vec<f64>,
    /// GeoAsciiParamsTag (34737), without its closing NUL.
    pub ascii: String,
}

/// The entries of a key directory are of four numbers each, after a header of as many.
const ENTRY: usize = 4;
/// GeoAsciiParamsTag, of which the texts of keys are parts.
const ASCII_PARAMS: u16 = 34_737;
const MODEL_TYPE_KEY: u16 = 1_024;
/// What kinds of coordinate systems the model type names: projected, geographic and geocentric ones.
const MODEL_TYPES: std::ops::RangeInclusive<u16> = 1..=3;
/// The names of a system in keys: a projected one's, the file's own citation, a geographic one's.
const NAME_KEYS: [u16; 3] = [3_073, 1_026, 2_049];
/// A longer name is none.
const MOST_LETTERS: usize = 80;
/// What is said of a system without a name.
const UNNAMED: &str = "unnamed";

/// A name as files give it, made fit to be shown.
pub fn shown_system(name: &str) -> String {
    let plain = name.chars().filter(|letter| !letter.is_control());
    let name: String = plain.take(MOST_LETTERS).collect();
    match name.trim() {
        "" => UNNAMED.to_owned(),
        name => name.to_owned(),
    }
}

impl GeoKeys {
    /// The name of the coordinate system that the keys state, by a code or not; `None` when they
    /// state none.
    pub fn system(&self) -> Option<String> {
        let states_one = self.entries().any(|entry| {
            entry[0] == MODEL_TYPE_KEY && entry[1] == 0 && MODEL_TYPES.contains(&entry[3])
        });
        let mut names = NAME_KEYS.iter().filter_map(|&key| self.text(key));
        states_one.then(|| shown_system(names.next().unwrap_or_default()))
    }

    fn entries(&self) -> impl Iterator<Item = &[u16]> {
        let entries = self.directory.get(ENTRY..).unwrap_or_default();
        entries.chunks_exact(ENTRY)
    }

    /// The text of a key, without the sign that ends it.
    fn text(&self, key: u16) -> Option<&str> {
        let mut entries = self.entries();
        let entry = entries.find(|entry| entry[0] == key && entry[1] == ASCII_PARAMS)?;
        let (count, start) = (usize::from(entry[2]), usize::from(entry[3]));
        let text = self.ascii.get(start..start.checked_add(count)?);
        // The last one may come without its end.
        let text = text.or_else(|| self.ascii.get(start..))?;
        let text = text.split('|').next().unwrap_or(text).trim();
        (!text.is_empty()).then_some(text)
    }
}

impl Georef {
    /// A north-up georeference from the outer upper-left corner and the pixel's size in map units.
    pub const fn north_up(min_x: f64, max_y: f64, pixel_size: f64, epsg: Option<u32>) -> Self {
        Self {
            map_from_image: [pixel_size, 0.0, min_x, 0.0, -pixel_size, max_y],
            epsg,
            system: None,
            keys: None,
        }
    }

    /// Map coordinates (easting, northing) of an image position.
    pub fn map_from_image(&self, at: ImagePoint) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.map_from_image;
        (a * at.x + b * at.y + c, d * at.x + e * at.y + f)
    }

    /// The image position of map coordinates (easting, northing) by Cramer's rule; `None` when the
    /// image is mapped onto a line.
    pub fn image_from_map(&self, (x, y): (f64, f64)) -> Option<ImagePoint> {
        let [a, b, c, d, e, f] = self.map_from_image;
        let determinant = a * e - b * d;
        let (x, y) = (x - c, y - f);
        let at = ImagePoint::new((e * x - b * y) / determinant, (a * y - d * x) / determinant);
        (at.x.is_finite() && at.y.is_finite()).then_some(at)
    }

    /// Width and height of a pixel in map units, both positive.
    pub fn pixel_size(&self) -> [f64; 2] {
        let [a, b, _, d, e, _] = self.map_from_image;
        [a.hypot(d), b.hypot(e)]
    }

    /// `[min_x, min_y, max_x, max_y]` of an image of `size`, in map units.
    pub fn bounds(&self, size: ImageSize) -> [f64; 4] {
        let (w, h) = (f64::from(size.width), f64::from(size.height));
        let corners = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)]
            .map(|(x, y)| self.map_from_image(ImagePoint::new(x, y)));
        corners.iter().fold(
            [
                f64::INFINITY,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::NEG_INFINITY,
            ],
            |[min_x, min_y, max_x, max_y], &(x, y)| {
                [min_x.min(x), min_y.min(y), max_x.max(x), max_y.max(y)]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn north_is_up() {
        let georef = Georef::north_up(500_000.0, 250_000.0, 0.25, Some(2180));
        assert_eq!(
            georef.map_from_image(ImagePoint::new(4.0, 8.0)),
            (500_001.0, 249_998.0)
        );
        assert_eq!(
            georef.image_from_map((500_001.0, 249_998.0)),
            Some(ImagePoint::new(4.0, 8.0))
        );
        assert_eq!(georef.pixel_size(), [0.25, 0.25]);
        assert_eq!(
            georef.bounds(ImageSize::new(400, 800)),
            [500_000.0, 249_800.0, 500_100.0, 250_000.0]
        );
    }

    #[test]
    fn keys_name_a_system_without_a_code() {
        let keys = |directory: &[u16]| GeoKeys {
            directory: directory.to_vec(),
            doubles: Vec::new(),
            ascii: "My site grid|WGS 84|".to_owned(),
        };
        let named = [
            1, 1, 0, 3, 1_024, 0, 1, 1, 1_026, 34_737, 13, 0, 3_072, 0, 1, 32_767,
        ];
        assert_eq!(keys(&named).system().as_deref(), Some("My site grid"));
        let of_datum = [1, 1, 0, 2, 1_024, 0, 1, 2, 2_049, 34_737, 7, 13];
        assert_eq!(keys(&of_datum).system().as_deref(), Some("WGS 84"));
        let beyond = [1, 1, 0, 2, 1_024, 0, 1, 2, 2_049, 34_737, 7, 900];
        assert_eq!(keys(&beyond).system().as_deref(), Some("unnamed"));
        // GDAL writes this of a picture with a place and no system.
        let none = [1, 1, 0, 1, 1_025, 0, 1, 1];
        assert_eq!(keys(&none).system(), None);
        assert_eq!(keys(&[1, 1]).system(), None);
        assert_eq!(shown_system(&"ab\n".repeat(99)).len(), 80);
    }
}
