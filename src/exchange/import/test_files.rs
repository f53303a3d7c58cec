use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder as _};

use crate::disk::replace_file;

/// A PNG of one band.
pub(super) fn grey(folder: &Path, width: u32, pixels: &[u8]) -> PathBuf {
    png(
        folder,
        (width, pixels.len() as u32 / width),
        pixels,
        ExtendedColorType::L8,
    )
}

/// A PNG of three bands.
pub(super) fn rgb(folder: &Path, width: u32, pixels: &[u8]) -> PathBuf {
    let size = (width, pixels.len() as u32 / 3 / width);
    png(folder, size, pixels, ExtendedColorType::Rgb8)
}

/// A JPEG of three bands, quality 90.
pub(super) fn jpeg(folder: &Path, width: u32, pixels: &[u8]) -> PathBuf {
    let mut bytes = Cursor::new(Vec::new());
    let height = pixels.len() as u32 / 3 / width;
    JpegEncoder::new_with_quality(&mut bytes, 90)
        .encode(pixels, width, height, ExtendedColorType::Rgb8)
        .expect("encoded");
    put(&folder.join("mask.jpg"), bytes.get_ref())
}

fn png(folder: &Path, size: (u32, u32), pixels: &[u8], color: ExtendedColorType) -> PathBuf {
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(pixels, size.0, size.1, color)
        .expect("encoded");
    put(&folder.join("mask.png"), &bytes)
}

fn put(path: &Path, bytes: &[u8]) -> PathBuf {
    replace_file(path, bytes).expect("written");
    path.to_owned()
}
