//! Orthobrush: browse, correct, train and compare masks of aerial imagery.

pub mod geom;

pub mod disk;

pub mod job;

pub mod raster;

pub mod label;

pub mod metrics;
