//! A run as plain files: reading a run's folder, writing what the loop does not need itself, and
//! reports and tables of what came out.
//!
//! Pure but for the disk: no tensors, no clock. Whatever is missing or damaged in a folder is said
//! in notes, since a run that was killed or made by an older version is still worth a look.

mod base64;
mod best;
mod bounded;
mod chart;
mod class_rows;
mod comparison;
mod csv;
mod curves;
mod end;
mod environment;
mod files;
mod final_groups;
mod final_table;
mod final_text;
mod heat;
mod html;
mod judged_class;
mod judgement;
mod log;
mod markdown;
mod metrics_table;
mod picture;
mod rate_chart;
mod record;
mod scale;
mod steps;
mod strip;
mod summary;
#[cfg(test)]
mod test_run;
mod weights_header;
mod words;

pub(super) use best::held_out;
pub(super) use bounded::read_bounded;
pub use chart::{Axis, CurveLook, smoothed, thinned};
pub use class_rows::ClassEpoch;
pub use comparison::comparison_html;
pub(super) use csv::{Records, csv_line, csv_text};
pub use curves::{curves_svg, rate_drops, unfreezing};
pub(in crate::train) use end::END_FILE;
pub use end::RunEnd;
pub use environment::Environment;
pub(in crate::train) use files::REPORT_FILE;
pub use files::{EpochFiles, FinalScores, ScoredOn, write_report, write_run_files};
pub use final_groups::{FinalGroup, Spread};
pub use final_table::{FinalRow, FinalTable};
pub use html::report_html;
pub use judged_class::JudgedClass;
pub(in crate::train) use judgement::ChosenThresholds;
pub use judgement::{BinaryJudgement, JudgedImage, Judgement, TestReading};
pub use log::append_log;
pub use markdown::report_markdown;
pub use picture::ReportPicture;
pub(in crate::train) use rate_chart::rate_svg;
pub use record::RunRecord;
pub use scale::Scale;
pub(in crate::train) use steps::append_steps;
pub use steps::{StepLoss, step_seconds};
pub use strip::{Patch, list_samples, rgba_of, sample_path, strip_png, write_strip};
pub use summary::RunSummary;
pub(super) use words::{NONE, duration, markdown_row, plain, put, ratio};
