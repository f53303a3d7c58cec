//! What stands beside the canvases: tools, layers, classes, scores, images, training.

pub mod area;
pub mod classes;
pub mod contest;
mod fate;
pub mod images;
pub mod improve;
pub mod layers;
pub mod options;
pub mod recipe;
pub mod review;
pub mod scores;
pub mod tools;
pub mod train;
