//! What a folder of images and masks is: which known layout, which masks belong to which images,
//! how they stand for classes.
//!
//! Names are looked at first; of the files themselves only lists, tables and a bounded number of
//! masks are read.

mod decode;
mod find;
mod kinds;
mod sample;
mod side;

mod apart;
mod builtin;
mod choose;
mod class_lists;
mod correct;
mod correct_classes;
mod facts;
mod list_files;
mod lists;
mod named_pairs;
mod naming;
mod note_words;
mod off_palette;
mod pairing;
mod patterns;
mod recognize;
mod rle;
mod starts;
mod stems;
mod suffixes;
mod tree;
mod words;

#[cfg(test)]
mod real_data;
#[cfg(test)]
pub(super) mod test_folders;
#[cfg(test)]
mod twins;
#[cfg(test)]
mod twins_as_published;
#[cfg(test)]
mod twins_of_names;
#[cfg(test)]
mod twins_with_tables;

pub use correct::{Corrections, discover_corrected};
pub use decode::MaskEncoding;
pub use find::{Discovery, discover};
pub use kinds::{Layout, LayoutKind};
pub use off_palette::OffPalette;
pub use sample::{MaskSource, Sample};
pub use side::SideTable;

pub(super) use facts::spread;
pub(super) use named_pairs::NamedPairs;
