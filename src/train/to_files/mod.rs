//! Predicts images into files: finished blocks go to the disk at once, so that memory does not grow
//! with the image and a kill costs at most the block it came in.
//!
//! Beside `X.tif` lies `X.tif.part` while it is made: `made-of.json` says what the prediction is
//! made of, `blocks` holds what is finished. `X.prediction.json` stays and says it of the file.

mod made_of;
mod maker;
mod plan;
mod rows;
mod run;

pub(super) use made_of::bytes_and_time;
pub use maker::{FileMaker, run_of};
pub use plan::{FileEnd, FileTask, FilesEvent, FilesPlan, IfBegun};
pub(super) use run::run;
