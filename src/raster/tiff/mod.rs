//! A thin TIFF reader: directories once, then any chunk from any thread.
//!
//! Entropy decoding belongs to codec crates; this folder knows where bytes lie and what they mean.

mod bands;
mod bits;
mod chunk;
mod codec;
mod directory;
mod display;
mod exif;
mod geo;
mod grid;
#[cfg(test)]
mod hostile;
mod jpeg;
mod jpeg_bits;
mod jpeg_frame;
mod jpeg_scan;
mod jpeg_walk;
mod lerc;
mod levels;
#[cfg(test)]
mod made;
#[cfg(test)]
mod made_bands;
mod numbers;
mod page;
mod source;
mod stored;
mod stream;
#[cfg(test)]
mod suite;
pub(super) mod tag;
mod tiles;
mod webp;
mod words;
mod ycbcr;

pub(super) use bits::{BitRows, unpack_bits};
pub(super) use display::{full_alpha, same};
pub(super) use exif::exif_orientation;
pub(super) use geo::{from_centers, georef_of_tags, is_usable};
#[cfg(test)]
pub(super) use hostile::made_files;
pub(super) use jpeg::{JpegColors, decode_jpeg, jpeg_header};
pub(super) use jpeg_frame::JpegFrame;
#[cfg(test)]
pub(crate) use made_bands::MadeBands;
pub(super) use page::Photometric;
pub(super) use source::TiffSource;
