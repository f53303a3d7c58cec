use std::path::Path;

use super::code_page::CodePage;
use super::dbf_read::Table;
use super::vector::{MAX_ATTRIBUTES, ring_of};
use super::whole_file::{read_beside, read_whole};
use super::wkt::crs_of_wkt;
use super::{ExchangeError, Geometry, VectorLayer};

/// Bytes before the first record.
const HEAD: usize = 100;

/// Reads a shapefile (ESRI Shapefile Technical Description, 1998): polygons and lines, whose
/// heights and measures are left out, with the attributes of the `.dbf` file beside it and the
/// coordinate system of the `.prj` file. The `.cpg` file tells how texts are written.
///
/// # Errors
/// [`ExchangeError`] when the disk does not give a file or one is damaged.
pub(super) fn read_shapefile(path: &Path) -> Result<VectorLayer, ExchangeError> {
    let shapes = read_whole(path)?;
    let attributes = read_beside(path, "dbf")?;
    let page = read_beside(path, "cpg")?;
    let page = page.and_then(|name| CodePage::by_name(&String::from_utf8_lossy(&name)));
    let system = read_beside(path, "prj")?;
    let malformed = |reason: &str| ExchangeError::Malformed {
        reason: reason.to_owned(),
        path: path.to_owned(),
    };
    let table = attributes.as_deref().map(|file| Table::new(file, page));
    let table = table.transpose().map_err(malformed)?;
    let mut layer = layer_of(&shapes, table.as_ref()).map_err(malformed)?;
    layer.crs = system.and_then(|text| crs_of_wkt(&String::from_utf8_lossy(&text)));
    Ok(layer)
}

const CUT_OFF: &str = "the .shp file is cut off";

/// The records one after the other, as the main file has them; the index file is not needed.
fn layer_of(file: &[u8], table: Option<&Table<'_>>) -> Result<VectorLayer, &'static str> {
    if !file.starts_with(&[0, 0, 0x27, 0x0a]) {
        return Err("it is no shapefile");
    }
    let mut rest = file.get(HEAD..).ok_or(CUT_OFF)?;
    let mut layer = VectorLayer::default();
    let mut attributes = 0;
    for index in 0.. {
        let Some((head, body)) = rest.split_first_chunk::<8>() else {
            break;
        };
        // In words of two bytes.
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize * 2;
        let (record, after) = body.split_at_checked(length).ok_or(CUT_OFF)?;
        rest = after;
        let Some(properties) =
            table.map_or_else(|| Some(Default::default()), |table| table.row(index))
        else {
            continue;
        };
        attributes += properties.len() as u64;
        if attributes > MAX_ATTRIBUTES {
            return Err("it has more than a hundred million attributes");
        }
        layer.add(parts_of(record)?, properties);
    }
    Ok(layer)
}

/// Rings of one polygon stay together, since what is in an odd number of them belongs to it.
fn parts_of(record: &[u8]) -> Result<Vec<Geometry>, &'static str> {
    let kind = number(record, 0)?;
    // Kinds with heights are 10 more, those with measures 20 more.
    let is_polygon = match kind {
        3 | 13 | 23 => false,
        5 | 15 | 25 => true,
        _ => return Ok(Vec::new()),
    };
    let lines = lines_of(record)?;
    if !is_polygon {
        let lines = lines.into_iter().filter(|line| line.len() >= 2);
        return Ok(lines.map(Geometry::Line).collect());
    }
    let rings: Vec<_> = lines.into_iter().filter_map(ring_of).collect();
    Ok((!rings.is_empty())
        .then_some(Geometry::Polygon(rings))
        .into_iter()
        .collect())
}

fn number(record: &[u8], at: usize) -> Result<usize, &'static str> {
    let bytes = record.get(at..).and_then(|rest| rest.first_chunk::<4>());
    bytes
        .map(|&bytes| u32::from_le_bytes(bytes) as usize)
        .ok_or(CUT_OFF)
}

/// Kind, four numbers of the bounds, the numbers of lines and of points, where each line starts
/// among the points, and the points.
fn lines_of(record: &[u8]) -> Result<Vec<Vec<[f64; 2]>>, &'static str> {
    let (num_lines, num_points) = (number(record, 36)?, number(record, 40)?);
    let table = num_lines
        .checked_mul(4)
        .and_then(|length| record.get(44..)?.split_at_checked(length));
    let (starts, rest) = table.ok_or(CUT_OFF)?;
    let points = num_points
        .checked_mul(16)
        .and_then(|length| rest.get(..length));
    let (points, _) = points.ok_or(CUT_OFF)?.as_chunks::<16>();
    let starts = starts
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&start| u32::from_le_bytes(start) as usize);
    let ends = starts.clone().skip(1).chain([points.len()]);
    let lines = starts.zip(ends).map(|(start, end)| {
        let line = points
            .get(start..end)
            .ok_or("the parts of a shape are not in order")?;
        Ok(line.iter().map(point).collect())
    });
    lines.collect()
}

fn point(bytes: &[u8; 16]) -> [f64; 2] {
    let (numbers, _) = bytes.as_chunks::<8>();
    [
        f64::from_le_bytes(numbers[0]),
        f64::from_le_bytes(numbers[1]),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::dbf_read::tests::table;
    use super::super::{Crs, read_vectors};
    use super::*;
    use crate::disk::replace_file;

    const RING: [[f64; 2]; 5] = [[0.0, 0.0], [0.0, 9.0], [9.0, 9.0], [9.0, 0.0], [0.0, 0.0]];
    const HOLE: [[f64; 2]; 4] = [[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 1.0]];

    fn record(kind: u32, lines: &[&[[f64; 2]]]) -> Vec<u8> {
        let points = lines.concat();
        let mut body = kind.to_le_bytes().to_vec();
        body.resize(36, 0);
        body.extend((lines.len() as u32).to_le_bytes());
        body.extend((points.len() as u32).to_le_bytes());
        let mut start = 0_u32;
        for line in lines {
            body.extend(start.to_le_bytes());
            start += line.len() as u32;
        }
        body.extend(
            points
                .iter()
                .flatten()
                .flat_map(|value| value.to_le_bytes()),
        );
        if kind > 10 {
            body.extend(vec![0; 16 + 8 * points.len()]);
        }
        body
    }

    fn file(records: &[Vec<u8>]) -> Vec<u8> {
        let mut file = vec![0, 0, 0x27, 0x0a];
        file.resize(HEAD, 0);
        for (index, record) in records.iter().enumerate() {
            file.extend((index as u32 + 1).to_be_bytes());
            file.extend((record.len() as u32 / 2).to_be_bytes());
            file.extend(record);
        }
        file
    }

    fn example() -> Vec<u8> {
        file(&[
            record(5, &[&RING, &HOLE]),
            record(13, &[&HOLE, &RING[..2]]),
            vec![0; 4],
            record(25, &[&RING]),
            record(1, &[]),
        ])
    }

    #[test]
    fn polygons_and_lines_are_read_with_what_lies_beside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fields.shp");
        let rows: [&[u8]; 5] = [b" \xa3", b" b", b" c", b"*d", b" e"];
        let prj = b"GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\"]]";
        let files: [(&str, &[u8]); 4] = [
            ("shp", &example()),
            ("DBF", &table(&[("use", b'C', 1)], &rows)),
            ("prj", prj),
            ("cpg", b"1250"),
        ];
        for (ending, bytes) in files {
            replace_file(&path.with_extension(ending), bytes).expect("written");
        }
        let layer = read_vectors(&path, None).expect("a shapefile");
        assert_eq!((layer.shapes.len(), layer.skipped), (3, 2));
        assert_eq!(layer.crs, Some(Crs::Epsg(4326)));
        let rings = vec![RING[..4].to_vec(), HOLE[..3].to_vec()];
        assert_eq!(layer.shapes[0].geometry, Geometry::Polygon(rings));
        assert_eq!(layer.shapes[1].geometry, Geometry::Line(HOLE.to_vec()));
        assert_eq!(layer.shapes[2].geometry, Geometry::Line(RING[..2].to_vec()));
        let used: Vec<_> = layer
            .shapes
            .iter()
            .map(|shape| &shape.properties["use"])
            .collect();
        assert_eq!(used, ["Ł", "b", "b"]);
    }

    #[test]
    fn damaged_files_are_told() {
        let overlapping = {
            let mut record = record(3, &[&HOLE, &RING]);
            record[44..48].copy_from_slice(&3_u32.to_le_bytes());
            record[48..52].copy_from_slice(&1_u32.to_le_bytes());
            record
        };
        let huge = {
            let mut record = record(3, &[&HOLE]);
            record[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
            record
        };
        for (bytes, expected) in [
            (b"no".to_vec(), "no shapefile"),
            (example()[..60].to_vec(), "cut off"),
            (example()[..150].to_vec(), "cut off"),
            (file(&[overlapping]), "order"),
            (file(&[huge]), "cut off"),
        ] {
            let error = layer_of(&bytes, None).expect_err("damaged");
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn damaged_bytes_do_no_harm(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            length: prop::sample::Index,
        ) {
            let mut file = example();
            for (at, value) in changes {
                let at = at.index(file.len());
                file[at] = value;
            }
            file.truncate(length.index(file.len() + 1));
            if let Ok(layer) = layer_of(&file, None) {
                let points: usize = layer
                    .shapes
                    .iter()
                    .map(|shape| shape.geometry.points().count())
                    .sum();
                prop_assert!(points * 16 <= file.len());
            }
        }
    }
}
