use std::sync::Arc;

use super::ground::ModelGrounds;
use super::instant::InstantWork;
use super::overviews::OverviewWork;
use super::similar::SimilarWork;
use super::thumbnails::Thumbnails;
use super::{DataSet, FinetuneState, QueueState, RateSearch, Runs, SearchState, Varied};
use crate::train::Recipe;

/// What is looked at besides the image, before and after a training.
#[derive(Debug, Default)]
pub(super) struct Study {
    pub runs: Runs,
    pub data: Option<DataSet>,
    /// Variations of a patch.
    pub varied: Varied,
    /// The recipe that was read from a file last.
    pub recipe: Option<Arc<Recipe>>,
    /// Small pictures of the listed images.
    pub thumbnails: Thumbnails,
    /// The search for a learning rate.
    pub rates: RateSearch,
    /// Trainings one after the other.
    pub queue: QueueState,
    /// The search of the choices of a recipe.
    pub search: SearchState,
    /// Going on from a model, and which is active.
    pub finetune: FinetuneState,
    /// What models learned from of the open image.
    pub grounds: ModelGrounds,
    /// Answers from scribbles.
    pub instant: InstantWork,
    /// Whether a window shows the session.
    pub is_watched: bool,
    /// What the open image looks like.
    pub similar: SimilarWork,
    /// Overviews of images that have none.
    pub overviews: OverviewWork,
}
