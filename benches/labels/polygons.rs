//! Class regions as polygons, beside GDAL's own tool, and with simpler borders.

use std::path::Path;
use std::process::{Command, Stdio};

use orthobrush::exchange::{
    Generalize, Region, generalize, generalize_mask, polygonize, write_geojson,
};
use orthobrush::geom::{Georef, ImageSize, PixelRect};
use orthobrush::label::{ClassTable, Encoding, Mask, SaveAs, UNLABELED, load_mask, save_mask};

use crate::{ground, once, side, thrice, timed};

pub fn bench() {
    let mask = ground::smooth(ImageSize::new(side(9_500), side(9_000)));
    let (size, frame) = (mask.size(), mask.size().bounds());
    thrice(&format!("polygonize {size}"), || regions_of(&mask));
    let regions = regions_of(&mask);
    println!(
        "  regions: {}, corners: {}",
        regions.len(),
        corners(&regions)
    );
    for (tolerance_px, squared) in [(2.0, vec![]), (2.0, vec![1])] {
        let options = Generalize {
            tolerance_px,
            squared,
            ..Generalize::default()
        };
        simplify(&regions, frame, &options);
    }
    let options = Generalize {
        tolerance_px: 2.0,
        min_pixels: 500,
        ..Generalize::default()
    };
    once(
        "polygonize and generalize, 2 px, from 500 pixels on",
        || generalize_mask(&mask, frame, &is_labeled, &options, &|| false),
    );
    beside_gdal(&mask);
}

const fn is_labeled(class: u8) -> bool {
    class != UNLABELED
}

fn regions_of(mask: &Mask) -> Vec<Region> {
    let area = mask.size().bounds();
    polygonize(mask, area, &is_labeled, &|| false).expect("nobody cancels")
}

fn corners<C>(regions: &[Region<C>]) -> usize {
    let rings = regions.iter().flat_map(|region| &region.rings);
    rings.map(Vec::len).sum()
}

fn simplify(regions: &[Region], frame: PixelRect, options: &Generalize) {
    let Generalize {
        tolerance_px,
        squared,
        ..
    } = options;
    let what = format!("generalize, {tolerance_px} px, squared classes {squared:?}");
    let simple = once(&what, || {
        generalize(regions, frame, options, &|| false).expect("nobody cancels")
    });
    println!("  corners left: {}", corners(&simple));
}

/// From a mask file to a file of polygons: the whole way, as both programs are used.
fn beside_gdal(mask: &Mask) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("label.tif");
    let georef = Georef::north_up(638_127.25, 487_350.5, 0.25, Some(2180));
    let classes = ClassTable::default();
    save_mask(&path, mask, &classes, Some(&georef), SaveAs::GeoTiff).expect("saved");
    let (seconds, ()) = timed(|| convert(&path, &folder.path().join("own.geojson")));
    println!("mask file to GeoJSON, Orthobrush: {seconds:.2} s (one run)");
    let target = folder.path().join("gdal.geojson");
    let (gdal_seconds, has_run) = timed(|| gdal_polygonize(&path, &target));
    if has_run {
        println!("mask file to GeoJSON, GDAL: {gdal_seconds:.2} s (one run)");
        println!("  ratio: {:.1}", gdal_seconds / seconds);
    } else {
        println!("  no gdal_polygonize.py ran; set GDAL_POLYGONIZE to compare");
    }
}

fn convert(mask: &Path, target: &Path) {
    let loaded = load_mask(mask, None, Encoding::Auto, None).expect("our own");
    let regions = regions_of(&loaded.mask);
    write_geojson(target, &regions, &loaded.classes, loaded.georef.as_ref()).expect("written");
}

fn gdal_polygonize(mask: &Path, target: &Path) -> bool {
    let program = std::env::var("GDAL_POLYGONIZE");
    let program = program.unwrap_or_else(|_| "gdal_polygonize.py".to_owned());
    let status = Command::new(program)
        .arg("-q")
        .args([mask, target])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
