use super::directory::DirectoryBuilder;
use crate::geom::{GeoKeys, Georef};
use crate::raster::tiff::tag;

const MODEL_TYPE_KEY: u16 = 1_024;
const RASTER_TYPE_KEY: u16 = 1_025;
const GEOGRAPHIC_TYPE_KEY: u16 = 2_048;
const PROJECTED_TYPE_KEY: u16 = 3_072;
const PIXEL_IS_AREA: u16 = 1;

/// Writes the place of the image: the transform, and the keys as they were read or, without any,
/// the few that an EPSG code needs.
pub(in crate::raster) fn write_georef(directory: &mut DirectoryBuilder, georef: &Georef) {
    let place = georef.map_from_image;
    let [width, skew, left, turn, height, top] = place;
    if skew == 0.0 && turn == 0.0 && width > 0.0 && height < 0.0 {
        directory.doubles(tag::MODEL_PIXEL_SCALE, &[width, -height, 0.0]);
        directory.doubles(tag::MODEL_TIEPOINT, &[0.0, 0.0, 0.0, left, top, 0.0]);
    } else {
        let mut matrix = [0.0; 16];
        for (index, number) in [0, 1, 3, 4, 5, 7].into_iter().zip(place) {
            matrix[index] = number;
        }
        matrix[15] = 1.0;
        directory.doubles(tag::MODEL_TRANSFORMATION, &matrix);
    }
    let keys = match (&georef.keys, georef.epsg) {
        (Some(keys), _) => Some(about_areas(keys)),
        (None, Some(code)) => u16::try_from(code).ok().map(minimal_keys),
        (None, None) => None,
    };
    let Some(keys) = keys else { return };
    directory.shorts(tag::GEO_KEY_DIRECTORY, &keys.directory);
    if !keys.doubles.is_empty() {
        directory.doubles(tag::GEO_DOUBLE_PARAMS, &keys.doubles);
    }
    if !keys.ascii.is_empty() {
        directory.text(tag::GEO_ASCII_PARAMS, &keys.ascii);
    }
}

/// The same keys, saying that the transform speaks of pixel corners, as ours does.
fn about_areas(keys: &GeoKeys) -> GeoKeys {
    let mut keys = keys.clone();
    let entries = keys.directory.get_mut(4..).unwrap_or_default();
    let raster_type = entries
        .chunks_exact_mut(4)
        .find(|entry| entry[0] == RASTER_TYPE_KEY);
    if let Some(entry) = raster_type {
        entry[1..].copy_from_slice(&[0, 1, PIXEL_IS_AREA]);
    }
    keys
}

fn minimal_keys(code: u16) -> GeoKeys {
    let (model, key) = if is_geographic(code) {
        (2, GEOGRAPHIC_TYPE_KEY)
    } else {
        (1, PROJECTED_TYPE_KEY)
    };
    let header = [1, 1, 0, 3];
    let entries = [
        [MODEL_TYPE_KEY, 0, 1, model],
        [RASTER_TYPE_KEY, 0, 1, PIXEL_IS_AREA],
        [key, 0, 1, code],
    ];
    let directory = [&header[..], &entries.concat()].concat();
    GeoKeys {
        directory,
        ..GeoKeys::default()
    }
}

/// Whether an EPSG code means degrees: the blocks of geographic systems and the newer ones in use.
fn is_geographic(code: u16) -> bool {
    matches!(
        code,
        4_120..=4_389 | 4_463 | 4_470 | 4_475 | 4_483 | 4_490 | 4_555 | 4_558 | 4_600..=4_825
            | 5_324 | 5_527 | 6_318 | 6_668 | 6_706 | 7_844 | 8_449 | 9_067
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epsg_code_makes_its_keys() {
        let keys = minimal_keys(2_180);
        assert_eq!(keys.directory[..4], [1, 1, 0, 3]);
        assert_eq!(
            keys.directory[4..],
            [1_024, 0, 1, 1, 1_025, 0, 1, 1, 3_072, 0, 1, 2_180]
        );
        assert_eq!(minimal_keys(4_326).directory[12..], [2_048, 0, 1, 4_326]);
    }

    #[test]
    fn points_become_areas() {
        let keys = GeoKeys {
            directory: vec![1, 1, 0, 1, 1_025, 0, 1, 2],
            ..GeoKeys::default()
        };
        assert_eq!(about_areas(&keys).directory[4..], [1_025, 0, 1, 1]);
    }
}
