//! All integration tests in one binary: each file in `tests/` would be linked anew.

mod cli;
mod comparing;
mod convert;
mod correcting;
mod crash;
mod fixture;
mod going_on;
mod importing;
mod improving;
mod judging;
mod keeping;
mod kept_with_label;
mod killed;
mod killed_window;
mod layering;
mod painting;
mod pictures;
mod raster_suite;
mod searching;
mod teamwork;
mod training;
mod window;
mod window_places;
mod window_tools;
mod window_training;
