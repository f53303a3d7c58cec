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

impl Georef {
    /// A north-up georeference from the outer upper-left corner and the pixel's size in map units.
    pub const fn north_up(min_x: f64, max_y: f64, pixel_size: f64, epsg: Option<u32>) -> Self {
        Self {
            map_from_image: [pixel_size, 0.0, min_x, 0.0, -pixel_size, max_y],
            epsg,
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
}
