//! A data set as people look at it before they learn from it.

mod command;
mod contact;
mod drawn;
mod look;
mod parted;
mod varied;
mod view;
mod words;

pub use command::DataCommand;
pub use contact::{ContactTile, MOST_PICTURES, SamplePictures};
pub use parted::Parted;
pub use varied::{Varied, VariedPatch};
pub use view::{DataPhase, DataSet};
pub use words::inspect_command;

pub(super) use view::DataReport;
