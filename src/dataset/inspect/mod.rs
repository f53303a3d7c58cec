//! Looking at all files of a data set before it is learned from: sizes, classes, and what is wrong.

mod channels;
mod inspection;
mod problem;
mod text;

mod between;
mod blurred;
mod grain;
mod halo;
mod judge;
mod lattice;
mod misread;
mod pixel_sizes;
mod pixels;
mod seen;
mod set_widths;
mod widths;

#[cfg(test)]
mod misread_stories;
#[cfg(test)]
mod real_masks;
#[cfg(test)]
mod stories;

pub use channels::ChannelStatistics;
pub use inspection::{
    ClassCount, DepthCount, InspectOptions, Inspection, Majority, PartCount, SizeCount, inspect,
};
pub use pixel_sizes::PixelSizeCount;
pub use problem::{Problem, ProblemKind, Severity};
