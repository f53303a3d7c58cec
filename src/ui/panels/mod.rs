//! What stands beside the canvases: tools, layers, classes, images, training.

pub mod classes;
pub mod images;
pub mod layers;
pub mod tools;
pub mod train;
