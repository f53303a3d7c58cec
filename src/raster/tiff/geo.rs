use std::path::Path;

use super::directory::{Directories, Directory};
use super::tag;
use crate::geom::{GeoKeys, Georef};
use crate::raster::beside::{System, placed};
use crate::raster::error::Fault;
use crate::raster::read_at::ReadAt;

const MODEL_TYPE_KEY: u16 = 1_024;
const MODEL_IS_GEOGRAPHIC: u16 = 2;
const RASTER_TYPE_KEY: u16 = 1_025;
const GEOGRAPHIC_TYPE_KEY: u16 = 2_048;
const PROJECTED_TYPE_KEY: u16 = 3_072;
/// The value of a key for "not in the EPSG list".
const USER_DEFINED: u16 = 32_767;
const PIXEL_IS_POINT: u16 = 2;

/// What the tags say about the place of the image; both parts may be missing alone.
pub struct GeoTags {
    pub map_from_image: Option<[f64; 6]>,
    pub keys: Option<GeoKeys>,
}

impl GeoTags {
    pub fn read(bytes: &dyn ReadAt, directory: &Directory) -> Result<Self, Fault> {
        let key_directory = directory.numbers(bytes, tag::GEO_KEY_DIRECTORY, 1 << 16)?;
        let keys = (key_directory.len() >= 4).then(|| {
            Ok::<_, Fault>(GeoKeys {
                directory: key_directory.iter().map(|&value| value as u16).collect(),
                doubles: directory.floats(bytes, tag::GEO_DOUBLE_PARAMS, 1 << 16)?,
                ascii: directory
                    .text(bytes, tag::GEO_ASCII_PARAMS)?
                    .unwrap_or_default(),
            })
        });
        let keys = keys.transpose()?;
        let is_point = keys
            .as_ref()
            .and_then(|keys| short_key(keys, RASTER_TYPE_KEY))
            == Some(PIXEL_IS_POINT);
        let map_from_image = read_transform(bytes, directory)?.map(|transform| {
            if is_point {
                from_centers(transform)
            } else {
                transform
            }
        });
        Ok(Self {
            map_from_image,
            keys,
        })
    }

    /// The georeference, with files beside `image` for what the tags do not say.
    pub fn georef(self, image: &Path) -> Option<Georef> {
        let epsg = self.keys.as_ref().and_then(epsg_of);
        let unnumbered = self.keys.as_ref().filter(|_| epsg.is_none());
        let name = unnumbered.and_then(GeoKeys::system);
        let inside = self.map_from_image.map(|map_from_image| Georef {
            map_from_image,
            epsg,
            system: name.clone(),
            keys: None,
        });
        let placed = placed(image, inside, System { epsg, name })?;
        // The keys speak of another system where the files beside state their own.
        let keys = self.keys.filter(|_| placed.epsg == epsg);
        Some(Georef { keys, ..placed })
    }

    pub const fn is_empty(&self) -> bool {
        self.map_from_image.is_none() && self.keys.is_none()
    }
}

/// The georeference that a TIFF in memory states, which has nothing else of interest (`GeoJP2`), with
/// files beside `image` for what it does not say; `None` where it states no place.
pub(in crate::raster) fn georef_of_tags(tiff: &dyn ReadAt, image: &Path) -> Option<Georef> {
    let directories = Directories::read(tiff).ok()?;
    let tags = GeoTags::read(tiff, directories.all.first()?).ok()?;
    tags.map_from_image?;
    tags.georef(image)
}

fn epsg_of(keys: &GeoKeys) -> Option<u32> {
    // Beneath a projection the geographic code names only its datum.
    let model = short_key(keys, MODEL_TYPE_KEY).unwrap_or(MODEL_IS_GEOGRAPHIC);
    let geographic = short_key(keys, GEOGRAPHIC_TYPE_KEY);
    let geographic = geographic.filter(|_| model == MODEL_IS_GEOGRAPHIC);
    let code = short_key(keys, PROJECTED_TYPE_KEY).or(geographic);
    code.filter(|&code| code != 0 && code != USER_DEFINED)
        .map(u32::from)
}

/// The value of a key that is stored in the key directory itself.
fn short_key(keys: &GeoKeys, id: u16) -> Option<u16> {
    let entries = keys.directory.get(4..)?.chunks_exact(4);
    entries
        .map(|entry| (entry[0], entry[1], entry[3]))
        .find_map(|(key, place, value)| (key == id && place == 0).then_some(value))
}

fn read_transform(bytes: &dyn ReadAt, directory: &Directory) -> Result<Option<[f64; 6]>, Fault> {
    let matrix = directory.floats(bytes, tag::MODEL_TRANSFORMATION, 16)?;
    let scale = directory.floats(bytes, tag::MODEL_PIXEL_SCALE, 3)?;
    // More than one tie point is a set of control points, not a transform.
    let ties = directory.floats(bytes, tag::MODEL_TIEPOINT, 12)?;
    let found = match (&scale[..], &ties[..]) {
        (&[width, height, ..], &[col, row, _, x, y, _]) if width != 0.0 && height != 0.0 => {
            // Some writers make the height negative and still mean north up.
            let height = height.abs();
            Some([width, 0.0, x - col * width, 0.0, -height, y + row * height])
        }
        _ if matrix.len() == 16 => Some([0, 1, 3, 4, 5, 7].map(|index: usize| matrix[index])),
        _ => None,
    };
    Ok(found.filter(is_usable))
}

/// Whether every pixel has a place of its own on the map.
pub(in crate::raster) fn is_usable(transform: &[f64; 6]) -> bool {
    let [x_of_col, x_of_row, _, y_of_col, y_of_row, _] = transform;
    transform.iter().all(|number| number.is_finite())
        && x_of_col * y_of_row - x_of_row * y_of_col != 0.0
}

/// The transform of outer corners out of one that speaks of pixel centers.
pub(in crate::raster) fn from_centers(mut transform: [f64; 6]) -> [f64; 6] {
    transform[2] -= f64::midpoint(transform[0], transform[1]);
    transform[5] -= f64::midpoint(transform[3], transform[4]);
    transform
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(directory: &[u16]) -> GeoKeys {
        GeoKeys {
            directory: directory.to_vec(),
            ..GeoKeys::default()
        }
    }

    #[test]
    fn the_projected_code_goes_before_the_geographic_one() {
        let both = keys(&[1, 1, 0, 2, 2_048, 0, 1, 4_326, 3_072, 0, 1, 2_180]);
        assert_eq!(epsg_of(&both), Some(2_180));
        assert_eq!(
            epsg_of(&keys(&[1, 1, 0, 1, 2_048, 0, 1, 4_326])),
            Some(4_326)
        );
        assert_eq!(
            epsg_of(&keys(&[1, 1, 0, 1, 3_072, 0, 1, USER_DEFINED])),
            None
        );
        assert_eq!(epsg_of(&keys(&[1, 1, 0])), None);
        let datum_only = keys(&[1, 1, 0, 2, 1_024, 0, 1, 1, 2_048, 0, 1, 4_326]);
        assert_eq!(epsg_of(&datum_only), None);
    }

    #[test]
    fn centers_lie_half_a_pixel_inside() {
        let corners = from_centers([2.0, 0.0, 100.0, 0.0, -4.0, 50.0]);
        assert_eq!(corners, [2.0, 0.0, 99.0, 0.0, -4.0, 52.0]);
    }
}
