//! Orthobrush: browse, correct, train and compare masks of aerial imagery.
//!
//! The layers, lowest first; each may use only those above it in this list, and a test holds them
//! to it. ARCHITECTURE.md draws the picture. Without default features the crate ends at `project`.

pub mod geom;

pub mod disk;

pub mod job;

pub mod raster;

pub mod label;

pub mod exchange;

pub mod metrics;

pub mod sample;

pub mod dataset;

pub mod project;

#[cfg(feature = "train")]
pub mod nn;

#[cfg(feature = "train")]
pub mod train;

#[cfg(feature = "window")]
pub mod session;

#[cfg(feature = "window")]
pub mod render;

#[cfg(feature = "window")]
pub mod ui;

#[cfg(feature = "window")]
pub mod cli;

#[cfg(feature = "window")]
pub mod app;
