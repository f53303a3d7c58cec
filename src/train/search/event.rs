use super::{Rung, SearchResult};
use crate::train::{QueueEvent, ScoredOn};

/// What a search says.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchEvent {
    /// How all trials stand before anything is done: those of a search that goes on are trained in
    /// part.
    Found(Box<SearchResult>),
    /// A part begins, or goes on.
    RungBegan {
        /// Its place, from 0.
        at: usize,
        /// Parts in all.
        total: usize,
        /// How many trials it has and how far they are trained.
        rung: Rung,
        /// The names of its trials, in the order in which they are trained.
        trials: Vec<String>,
    },
    /// What the trainings of the running part, or those of the winner, say.
    Queue(Box<QueueEvent>),
    /// A part is over, now or before.
    RungEnded {
        /// Its place, from 0.
        at: usize,
        /// The trials that go on; after the last part the winner. The best first.
        kept: Vec<String>,
        /// How all trials stand.
        result: Box<SearchResult>,
    },
    /// The winner is trained anew.
    RefitBegan {
        /// The winner's name.
        winner: String,
        /// What is special about it.
        label: String,
        /// The ground that the new networks are scored on.
        on: ScoredOn,
        /// The names of the new trainings, in their order.
        trials: Vec<String>,
    },
    /// The search is over.
    Finished(Box<SearchResult>),
}
