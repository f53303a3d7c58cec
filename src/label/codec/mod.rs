//! Masks from files and back: index and color-coded PNG, `GeoTIFF` with a color table, black and
//! white; what a file leaves open, and reading it as a person decided.

mod coding;
mod decisions;
mod load;
mod load_as;
mod meaning;
mod over;
mod rows;
mod save;
mod shade_counts;
mod shades;
mod shading;
mod stream;
mod survey;
mod survey_words;
mod tally;
mod translation;
mod understood;
mod verify;
mod whole;
mod zero;

pub use coding::{Coding, Samples};
pub use decisions::{Align, MaskDecisions, Unknown, ZeroMeans};
pub use load::{LoadedMask, load_mask, load_mask_split};
pub use load_as::load_mask_unaligned;
pub use meaning::{Encoding, MIDDLE_GREY};
pub use over::save_mask_over;
pub use save::{SaveAs, save_mask};
pub use shading::{NEAR_CODE, Shading};
pub use stream::{IndexTiff, save_index_tiff};
pub use survey::{MaskSurvey, MaskValue, UnknownValue, survey_mask};
pub use understood::{FoundTable, TableOrigin};
pub use zero::{Zero, is_void_name};
