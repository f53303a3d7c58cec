//! JPEG 2000: boxes and headers once, then any part of any resolution from any thread.
//!
//! What lies where is read here; wavelets and entropy coding belong to a library, which gets one
//! tile at a time as a codestream of its own, so that neither a large file nor a lying header is
//! ever its business.

mod area;
mod boxes;
mod codestream;
mod coding;
mod decode;
mod fields;
mod gml;
#[cfg(test)]
mod made;
mod paint;
mod parts;
mod source;
#[cfg(test)]
mod tests;
mod tiles;

pub(super) use source::Jp2Source;

#[cfg(test)]
pub(super) use made::rgb_file as made_file;
