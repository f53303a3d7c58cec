//! Training patches varied from epoch to epoch, each a pure function of numbers.
//!
//! Three words are kept bit for bit as they always were; a table chooses kinds and their ranges.
//! Geometry reads real ground around a patch where it may, moves colors and labels by one map and
//! never mixes labels; then colors alone are changed.

mod blur;
mod choice;
mod color_shift;
mod cutout;
mod elastic;
mod entry;
mod jpeg;
mod kind;
mod look;
mod noise;
mod place;
mod preview;
mod resample;
mod shadow;
mod square;
mod table;
mod tone;
mod turn;
mod warp;

pub use choice::Augment;
pub(super) use color_shift::ColorShift;
pub use entry::{Chance, Cutout, CutoutLabels, Elastic, Shadow, Vary};
pub(super) use place::Place;
pub use preview::{PREVIEWED, PatchView, preview};
pub(super) use square::Square;
pub use table::{Augmentation, Border};
pub(super) use turn::Turn;

use elastic::DisplacementField;
use kind::Kind;
use look::Look;
use warp::{Bend, Warp};
