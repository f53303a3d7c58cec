//! Compares every band with GDAL's checksums over the suites beside the project, if they are there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::display::Samples;
use super::grid::ChunkAt;
use super::page::Page;
use super::source::{PageKind, TiffSource, chunks_of, for_each_run};
use crate::raster::read_at::FileBytes;
use crate::raster::source::TileSource as _;

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

/// GDAL's checksum of whole numbers (`GDALChecksumImage`).
fn checksum(values: &[f64]) -> u32 {
    const PRIMES: [i64; 11] = [7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43];
    let terms = values.iter().zip(PRIMES.iter().cycle());
    terms.fold(0_i64, |sum, (&value, prime)| {
        (sum + i64::from(value as i32) % prime) & 0xFFFF
    }) as u32
}

/// All values of one band of the image.
fn band(source: &TiffSource, page: &Page, band: u16) -> Result<Vec<f64>, String> {
    let rect = page.size.bounds();
    let mut out = vec![0.0; rect.num_pixels() as usize];
    let is_planar = page.grid.chunk_bands < page.bands;
    let size = usize::from(page.sample.bits().div_ceil(8));
    let stride = size * usize::from(page.grid.chunk_bands);
    let first = if is_planar {
        0
    } else {
        usize::from(band) * size
    };
    for (col, row) in chunks_of(page, rect) {
        let at = ChunkAt {
            col,
            row,
            plane: if is_planar { band } else { 0 },
        };
        let chunk = source
            .chunk((0, PageKind::Image, at))
            .map_err(|fault| format!("{fault:?}"))?;
        for_each_run(page, (col, row), rect, |pixel, out_pixel, count| {
            let bytes = &chunk.bytes[pixel * stride + first..];
            let samples = Samples {
                bytes,
                stride,
                sample: page.sample,
            };
            let out = &mut out[out_pixel..][..count];
            out.iter_mut()
                .zip(samples.values())
                .for_each(|(out, value)| *out = value);
        });
    }
    Ok(out)
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

/// `None` where all bands are as GDAL says, else what differs.
fn difference(expected: &Expected) -> Option<String> {
    let bytes = FileBytes::open(&expected.path).expect("a file of the suite");
    let source = match TiffSource::read(Box::new(bytes), &expected.path) {
        Ok(source) => source,
        Err(fault) => return Some(format!("{fault:?}")),
    };
    let page = source.base_page();
    let is_float = page.sample.name().starts_with("float");
    let sums = expected.columns["gdal3103_checksum"].split('|');
    let stats = expected.columns["gdal3103_stats_min_max_mean_std"].split('|');
    for (index, (sum, stats)) in sums.zip(stats).enumerate() {
        let values = match band(&source, page, index as u16) {
            Ok(values) => values,
            Err(why) => return Some(why),
        };
        if expected.columns["expect"].starts_with("stats") {
            let stats: Vec<f64> = stats
                .split(' ')
                .filter_map(|word| word.parse().ok())
                .collect();
            let (mean, deviation) = mean_and_deviation(&values);
            let has_mask = expected.columns["mask"] != "all_valid";
            let is_near = |stats: &[f64]| {
                (mean - stats[2]).abs() <= 1.0 && (deviation - stats[3]).abs() <= 2.0
            };
            // The statistics leave out what a mask hides.
            if stats.len() == 4 && !has_mask && !is_near(&stats) {
                return Some(format!(
                    "band {index}: {mean} ± {deviation}, expected {stats:?}"
                ));
            }
        } else if !is_float && checksum(&values).to_string() != sum {
            return Some(format!(
                "band {index}: {}, expected {sum}",
                checksum(&values)
            ));
        }
    }
    None
}

#[test]
fn the_tier_one_files_are_as_gdal_reads_them() {
    let (mut tried, mut matched) = (BTreeMap::new(), BTreeMap::new());
    let mut wrong = Vec::new();
    for expected in suite() {
        if !["checksum", "stats"]
            .iter()
            .any(|kind| expected.columns["expect"].starts_with(kind))
        {
            continue;
        }
        let tier = expected.columns["tier"].clone();
        *tried.entry(tier.clone()).or_insert(0) += 1;
        match difference(&expected) {
            None => *matched.entry(tier).or_insert(0) += 1,
            Some(why) => wrong.push(format!("{tier} {}: {why}", expected.columns["path"])),
        }
    }
    tracing::info!(?tried, ?matched, "compared with GDAL");
    let is_excused = |why: &&String| !why.starts_with("1 ") || why.contains("ZSTD");
    let unexcused: Vec<_> = wrong.iter().filter(|why| !is_excused(why)).collect();
    assert!(unexcused.is_empty(), "{unexcused:#?}");
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
        if numbers.len() != 6 {
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
