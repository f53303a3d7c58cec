//! How the learning rate goes from step to step: pure functions of the step, and their spelling
//! in recipes.

mod choice;
mod curves;
mod spelling;

pub use choice::{Schedule, Span};
pub use curves::{Constant, Cosine, Exponential, OneCycle, Polynomial, Steps};
