//! Files of other programs, if they lie beside the project: none may hang, panic or fill memory,
//! and what they show must not depend on how it is asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use orthobrush::geom::PixelRect;
use orthobrush::raster::{Pyramid, TileCache, TileSource, open_raster};

fn data(folder: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(folder);
    if !folder.is_dir() {
        tracing::warn!("{} is not here; nothing is read", folder.display());
        return None;
    }
    Some(folder)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.extension().is_none_or(|extension| extension != "csv") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Reads the first picture, a corner and the far corner, as a viewer would.
fn look_at(path: &Path) -> Result<(), String> {
    let source = open_raster(path).map_err(|error| error.to_string())?;
    let size = source.info().size;
    let corner = PixelRect::new(0, 0, 64, 64).intersect(size.bounds());
    let far = PixelRect::new(
        size.width.saturating_sub(64),
        size.height.saturating_sub(64),
        64,
        64,
    );
    for rect in [corner, far.intersect(size.bounds())] {
        source
            .read_rgba(0, rect)
            .map_err(|error| error.to_string())?;
        // Wide samples have no indices; that is a fine answer.
        drop(source.read_index(rect));
    }
    let pyramid = Pyramid::new(source, Arc::new(TileCache::new(32 << 20)));
    let first = if size.num_pixels() > 1 << 26 {
        pyramid.sketch()
    } else {
        pyramid.tile(pyramid.shape().root())
    };
    first.map(drop).map_err(|error| error.to_string())
}

#[test]
fn damaged_files_end_quickly_with_pixels_or_an_error() {
    let Some(folder) = data("tiff-bad") else {
        return;
    };
    let mut slow = Vec::new();
    for path in files_below(&folder) {
        let start = Instant::now();
        let result = look_at(&path);
        let took = start.elapsed();
        if took > Duration::from_secs(2) {
            slow.push((path.clone(), took));
        }
        if let Err(why) = result {
            assert!(!why.contains("internal error"), "{why}");
            assert!(why.ends_with(&path.display().to_string()), "{why}");
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

#[test]
fn files_of_other_programs_are_read_or_refused_in_words() {
    let Some(folder) = data("tiff-suite") else {
        return;
    };
    for path in files_below(&folder) {
        let start = Instant::now();
        if let Err(why) = look_at(&path) {
            assert!(!why.contains("internal error"), "{why}");
            assert!(why.ends_with(&path.display().to_string()), "{why}");
        }
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{}",
            path.display()
        );
    }
}

/// The pixels of the whole image, asked for in windows of `side` pixels.
fn in_windows(source: &dyn TileSource, side: u32) -> Vec<u8> {
    let size = source.info().size;
    let mut out = vec![0; size.num_pixels() as usize * 4];
    for y in (0..size.height).step_by(side as usize) {
        for x in (0..size.width).step_by(side as usize) {
            let rect = PixelRect::new(x, y, side, side).intersect(size.bounds());
            let pixels = source.read_rgba(0, rect).expect("pixels");
            for (row, pixels) in pixels.chunks_exact(rect.width as usize * 4).enumerate() {
                let at = ((y as usize + row) * size.width as usize + x as usize) * 4;
                out[at..at + pixels.len()].copy_from_slice(pixels);
            }
        }
    }
    out
}

#[test]
fn windows_show_the_same_as_the_whole() {
    let Some(folder) = data("tiff-suite") else {
        return;
    };
    for path in files_below(&folder) {
        let Ok(source) = open_raster(&path) else {
            continue;
        };
        let bounds = source.info().size.bounds();
        if bounds.num_pixels() > 1 << 20 {
            continue;
        }
        let Ok(whole) = source.read_rgba(0, bounds) else {
            continue;
        };
        assert!(whole == in_windows(&*source, 37), "{}", path.display());
    }
}

#[test]
fn orthophotos_have_a_first_picture() {
    let Some(folder) = data("orthos") else { return };
    let is_image = |path: &PathBuf| {
        path.extension()
            .is_some_and(|kind| kind == "tif" || kind == "png")
    };
    for path in files_below(&folder).iter().filter(|path| is_image(path)) {
        let source = open_raster(path).expect("an orthophoto");
        let pyramid = Pyramid::new(source, Arc::new(TileCache::new(64 << 20)));
        let root = pyramid.tile(pyramid.shape().root()).expect("the root");
        assert!(
            root.bytes.chunks_exact(4).any(|pixel| pixel[3] > 0),
            "{}",
            path.display()
        );
    }
}
