//! Compares every band with GDAL's checksums over the suites beside the project, if they are there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::source::TiffSource;
use crate::raster::read_at::FileBytes;
use crate::raster::source::TileSource as _;
use crate::raster::{checksum, open_stored};

/// What GDAL says of one file.
struct Expected {
    path: PathBuf,
    columns: BTreeMap<String, String>,
}

fn suite() -> Vec<Expected> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/tiff-suite");
    let Ok(manifest) = std::fs::read_to_string(folder.join("MANIFEST.csv")) else {
        tracing::warn!("tiff-suite is not here; nothing is compared");
        return Vec::new();
    };
    let mut lines = manifest.lines().map(cells);
    let names = lines.next().unwrap_or_default();
    lines
        .map(|cells| names.iter().cloned().zip(cells).collect::<BTreeMap<_, _>>())
        .map(|columns| Expected {
            path: folder.join(&columns["path"]),
            columns,
        })
        .collect()
}

/// The cells of a line of CSV; commas within quotes belong to a cell.
fn cells(line: &str) -> Vec<String> {
    let quoted = line.split('"').enumerate();
    let hidden: String = quoted
        .map(|(index, part)| {
            if index % 2 == 1 {
                part.replace(',', "\u{1}")
            } else {
                part.into()
            }
        })
        .collect();
    hidden
        .split(',')
        .map(|cell| cell.replace('\u{1}', ","))
        .collect()
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / count;
    (mean, variance.sqrt())
}

fn differs_from_sum(source: &TiffSource, band: u16, sum: &str) -> Option<String> {
    match checksum(source, band) {
        Err(error) => Some(error.to_string()),
        Ok(found) if found.to_string() == sum => None,
        Ok(found) => Some(format!("{found}, expected {sum}")),
    }
}

fn differs_from_statistics(source: &TiffSource, band: u16, stats: &str) -> Option<String> {
    let words = stats.split(' ').filter_map(|word| word.parse().ok());
    let stats: Vec<f64> = words.collect();
    let values = match source.read_values(source.info().size.bounds(), band) {
        Ok(values) => values,
        Err(error) => return Some(error.to_string()),
    };
    let (mean, deviation) = mean_and_deviation(&values);
    let is_near =
        stats.len() != 4 || ((mean - stats[2]).abs() <= 1.0 && (deviation - stats[3]).abs() <= 2.0);
    (!is_near).then(|| format!("{mean} ± {deviation}, expected {stats:?}"))
}

/// `None` where all bands are as GDAL says, else what differs.
fn difference(expected: &Expected) -> Option<String> {
    let bytes = FileBytes::open(&expected.path).expect("a file of the suite");
    let source = match TiffSource::read(Box::new(bytes), &expected.path) {
        Ok(source) => source,
        Err(fault) => return Some(format!("{fault:?}")),
    };
    let sums = expected.columns["gdal3103_checksum"].split('|');
    let stats = expected.columns["gdal3103_stats_min_max_mean_std"].split('|');
    for (band, (sum, stats)) in sums.zip(stats).enumerate() {
        let is_exact = !expected.columns["expect"].starts_with("stats");
        let differs = if is_exact {
            differs_from_sum(&source, band as u16, sum)
        } else if expected.columns["mask"] == "all_valid" {
            differs_from_statistics(&source, band as u16, stats)
        } else {
            // The statistics leave out what a mask hides.
            None
        };
        if let Some(how) = differs {
            return Some(format!("band {band}: {how}"));
        }
    }
    None
}

/// What is not read as GDAL reads it, and why; the whole list of exceptions.
fn reason(columns: &BTreeMap<String, String>) -> Option<&'static str> {
    let is = |column: &str, value: &str| columns[column].contains(value);
    if is("compression", "ccitt") {
        Some("Fax codecs, of scanned paper, are not read; they are named with what converts them")
    } else if is("photometric", "cmyk") && columns["bps"].starts_with("8|") {
        Some(
            "GDAL makes red, green, blue and opacity of 8-bit inks; here the bands are the inks, \
              and the picture is made of them",
        )
    } else {
        None
    }
}

/// Files of a kind: how many there are, how many are read as GDAL reads them.
type Tally = BTreeMap<String, [usize; 2]>;

#[test]
fn the_suite_is_as_gdal_reads_it_and_the_documentation_says_so() {
    let suite = suite();
    if suite.is_empty() {
        return;
    }
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut excused: Tally = BTreeMap::new();
    let mut wrong = Vec::new();
    for expected in &suite {
        let columns = &expected.columns;
        if !["checksum", "stats"]
            .iter()
            .any(|kind| columns["expect"].starts_with(kind))
        {
            continue;
        }
        let found = difference(expected);
        for (title, kind) in kinds(columns) {
            let count = tallies.entry(title).or_default().entry(kind).or_default();
            count[0] += 1;
            count[1] += usize::from(found.is_none());
        }
        match (found, reason(columns)) {
            (Some(_), Some(reason)) => excused.entry(reason.to_owned()).or_default()[0] += 1,
            // An exception that is none any more has to go.
            (None, Some(_)) if !columns["expect"].starts_with("stats") => {
                wrong.push(format!("{}: read all the same", columns["path"]));
            }
            (None, _) => {}
            (Some(how), None) => wrong.push(format!("{}: {how}", columns["path"])),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    check_page(&page(&tallies, &excused));
}

/// What a file is counted as.
fn kinds(columns: &BTreeMap<String, String>) -> Vec<(&'static str, String)> {
    let of = |column: &str| columns[column].clone();
    let bits = columns["bps"].split('|').next().unwrap_or_default();
    let form = columns["sampleformat"]
        .split('|')
        .next()
        .unwrap_or_default();
    let big = if columns["bigtiff"] == "1" {
        "BigTIFF"
    } else {
        "classic TIFF"
    };
    let pieces = if columns["layout"] == "tiled" {
        "tiles"
    } else {
        "strips"
    };
    let order = if columns["endian"] == "be" {
        "big"
    } else {
        "little"
    };
    vec![
        ("Codec", of("compression")),
        ("Samples", format!("{form} {bits:>2}")),
        ("Colors", of("photometric")),
        ("Cut into", format!("{pieces}, {}", of("planar"))),
        ("Form", format!("{big}, {order} endian")),
        ("Predictor", of("predictor")),
    ]
}

/// The part of `docs/formats.md` that the suite makes.
fn page(tallies: &BTreeMap<&str, Tally>, excused: &Tally) -> String {
    let tables = tallies.iter().map(|(title, tally)| {
        let head = format!("| {title} | files | as GDAL reads them |\n|---|---:|---:|\n");
        let row =
            |(kind, [all, read]): (&String, &[usize; 2])| format!("| {kind} | {all} | {read} |\n");
        head + &tally.iter().map(row).collect::<String>() + "\n"
    });
    let reasons = excused
        .iter()
        .map(|(reason, [count, _])| format!("- {reason} ({count} files).\n"));
    let tables: String = tables.collect();
    let reasons: String = reasons.collect();
    format!("{tables}What differs, and why:\n\n{reasons}")
}

fn check_page(expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let text = std::fs::read_to_string(&path).expect("docs/formats.md");
    let [begin, end] = ["begin", "end"].map(|word| format!("<!-- suite: {word} -->\n"));
    let found = text
        .split_once(&begin)
        .and_then(|(_, rest)| rest.split_once(&end))
        .map(|(part, _)| part.trim());
    assert_eq!(
        found,
        Some(expected.trim()),
        "docs/formats.md should say:\n{expected}"
    );
}

#[test]
fn overviews_and_masks_are_found_where_gdal_finds_them() {
    for expected in suite() {
        let columns = &expected.columns;
        let Ok(source) = open_stored(&expected.path) else {
            continue;
        };
        let info = source.info();
        let stated = columns["overviews"].split('|').filter(|it| !it.is_empty());
        let (found, stated) = (info.level_sizes.len() - 1, stated.count());
        assert_eq!(found, stated, "{}: overviews", columns["path"]);
        let is_hidden = columns["mask"].contains("per_dataset");
        let is_seen = !is_hidden || info.has_alpha || reason(columns).is_some();
        assert!(is_seen, "{}: a mask", columns["path"]);
    }
}

#[test]
fn the_places_on_the_map_are_as_gdal_reads_them() {
    for expected in suite() {
        let numbers = expected.columns["geotransform"].split([' ', '|', ',']);
        let numbers: Vec<f64> = numbers.filter_map(|word| word.parse().ok()).collect();
        let bytes = FileBytes::open(&expected.path).expect("a file of the suite");
        let Ok(source) = TiffSource::read(Box::new(bytes), &expected.path) else {
            continue;
        };
        let georef = source.info().georef.clone().unwrap_or_default();
        let path = &expected.columns["path"];
        // The reference was made without the notes beside this one, which GDAL would go by.
        if numbers.len() != 6 || path.ends_with("/byte_nogeoref.tif") {
            continue;
        }
        for (found, expected) in georef.map_from_image.iter().zip(&numbers) {
            let tolerance = 1e-9 * expected.abs().max(1e-9);
            assert!(
                (found - expected).abs() <= tolerance,
                "{path}: {found}, {expected}"
            );
        }
        // Codes with heights are not kept: what is below them is the horizontal one.
        let epsg = expected.columns["epsg"].parse::<u32>().ok();
        let epsg = epsg.filter(|code| ![4_979, 9_518].contains(code));
        if let (Some(found), Some(expected)) = (georef.epsg, epsg) {
            assert_eq!(found, expected, "{path}");
        }
    }
}
