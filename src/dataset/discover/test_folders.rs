//! Folders that the tests of this module share.

use std::path::{Path, PathBuf};

use crate::disk::{replace_file, replace_with};

/// A folder with empty files of these names.
pub(in crate::dataset) fn folder_with(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in files {
        write(folder.path(), file, b"");
    }
    folder
}

/// Writes a file and the folders that it needs.
pub(in crate::dataset) fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    replace_file(&path, bytes).expect("a file");
    path
}

/// How the pixels of a PNG are stored.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::dataset) enum Kind {
    Grey,
    Wide,
    Rgb,
}

/// Writes a PNG of this width; wide greys are given high byte first.
pub(in crate::dataset) fn png(
    folder: &Path,
    name: &str,
    kind: Kind,
    width: u32,
    pixels: &[u8],
) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    let bytes = match kind {
        Kind::Grey => 1,
        Kind::Wide => 2,
        Kind::Rgb => 3,
    };
    let height = pixels.len() as u32 / width / bytes;
    replace_with(&path, |file| {
        let mut encoder = png::Encoder::new(file, width, height);
        encoder.set_color(if kind == Kind::Rgb {
            png::ColorType::Rgb
        } else {
            png::ColorType::Grayscale
        });
        encoder.set_depth(if kind == Kind::Wide {
            png::BitDepth::Sixteen
        } else {
            png::BitDepth::Eight
        });
        encoder.write_header()?.write_image_data(pixels)?;
        Ok(())
    })
    .expect("a picture");
    path
}

/// A colored image of `width` × 2 pixels that depends on `seed`; its content is a PNG whatever the
/// name says, as readers tell formats apart by content.
pub(in crate::dataset) fn image(folder: &Path, name: &str, width: u32, seed: u8) -> PathBuf {
    let pixels: Vec<u8> = (0..width as u8 * 6)
        .map(|at| at.wrapping_mul(7).wrapping_add(seed))
        .collect();
    png(folder, name, Kind::Rgb, width, &pixels)
}
