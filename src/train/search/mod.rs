//! Searching the choices of a recipe: trials over a stated grid or a random sample, of which only
//! the better ones go on at each cut (successive halving; Jamieson and Talwalkar 2016).
//!
//! A trial has the whole training's recipe, so that its schedule is that of the whole training; it
//! rests at a cut and goes on by exact resume. Only the validation part chooses. The trainings are
//! done by the queue, so a search that was stopped or killed goes on where it was.

mod axis;
mod choices;
mod draw;
mod event;
mod folder;
mod halving;
mod ledger;
mod page;
mod plan;
mod result;
mod run;
mod spec;
#[cfg(test)]
mod tests;
mod with_base;
mod words;

use axis::Axis;
pub use choices::{RateChoice, SearchAxis, SearchChoices};
pub use event::SearchEvent;
pub use folder::SearchOrder;
pub use halving::{Halving, Rung};
pub(super) use ledger::SEARCH_FILE;
pub use plan::{SearchCost, SearchPlan, SearchTrial};
pub use result::{RefitResult, RefitRow, SearchResult, SearchRow};
pub(super) use run::run;
pub use spec::{Refit, SearchSpec, SearchWay};
