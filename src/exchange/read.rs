use std::io::Read as _;
use std::path::Path;

use super::gpkg_read::read_geopackage;
use super::shp_read::read_shapefile;
use super::{ExchangeError, VectorLayer, read_geojson};
use crate::disk::open_file;

/// Reads the polygons and lines of a file: `GeoJSON`, `GeoPackage` (.gpkg) or a shapefile (.shp with
/// its .dbf, .prj and .cpg beside it), told apart by what is in it, not by its name.
///
/// `layer` chooses a layer of a `GeoPackage`; without it all are read, one after the other. Other
/// files have one layer, whatever it is called.
///
/// # Errors
/// [`ExchangeError`] when the disk does not give the file, it is none of these or damaged, or its
/// layers cannot be read together.
pub fn read_vectors(path: &Path, layer: Option<&str>) -> Result<VectorLayer, ExchangeError> {
    let mut start = Vec::new();
    open_file(path)
        .and_then(|file| file.take(16).read_to_end(&mut start))
        .map_err(|source| ExchangeError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
    if start.starts_with(b"SQLite format 3\0") {
        read_geopackage(path, layer)
    } else if start.starts_with(&[0, 0, 0x27, 0x0a]) {
        read_shapefile(path)
    } else if start.starts_with(b"PK\x03\x04") {
        Err(ExchangeError::Malformed {
            reason: "the file is a ZIP archive, which has to be unpacked first".to_owned(),
            path: path.to_owned(),
        })
    } else if path
        .extension()
        .is_some_and(|ending| ending == "gpkg" || ending == "shp")
        && !begins_text(&start)
    {
        Err(ExchangeError::Malformed {
            reason: "it is neither a GeoPackage nor a shapefile, or its beginning is damaged"
                .to_owned(),
            path: path.to_owned(),
        })
    } else {
        read_geojson(path)
    }
}

/// Whether a file may be `GeoJSON` under a wrong name.
fn begins_text(start: &[u8]) -> bool {
    start.trim_ascii_start().starts_with(b"{")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::replace_file;

    #[test]
    fn files_are_told_apart_by_what_is_in_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fields.gpkg");
        let line = b"{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}";
        replace_file(&path, line).expect("written");
        assert_eq!(read_vectors(&path, None).expect("GeoJSON").shapes.len(), 1);
        for (bytes, expected) in [
            (&b"PK\x03\x04 and more"[..], "ZIP"),
            (b"SQLite format 3\0", "database"),
            (b"\0\0\x27\x0a", "cut off"),
            (b"", "nor a shapefile"),
        ] {
            replace_file(&path, bytes).expect("written");
            let error = read_vectors(&path, None).expect_err("none of them");
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.to_string().ends_with("fields.gpkg"), "{error}");
        }
        let missing = read_vectors(&folder.path().join("none.shp"), None);
        assert!(matches!(missing, Err(ExchangeError::Unreadable { .. })));
    }
}
