use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::jobs::{JobId, Report};
use super::keeping::absolute;
use super::state::Session;
use super::training::RUNS_FOLDER;
use super::{CommandError, Notice, QueueState, ReadSearch, SearchState, TrainOn};
use crate::dataset::parts::{FoldUnit, PartWay, Shares};
use crate::geom::ImageSize;
use crate::label::{ClassTable, Mask};
use crate::train::{
    BegunWork, QueuePlan, QueueTable, Recipe, SearchOrder, SearchPlan, SearchSpec, TrainData,
    TrainError, Trial, list_begun,
};

/// What can be done with searches for the best choices of a recipe.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchCommand {
    /// Searches; what is done in the folder already is left alone.
    Start {
        /// What is searched.
        spec: Box<SearchSpec>,
        /// The recipe that every trial begins with.
        base: Box<Recipe>,
        /// What to learn from.
        on: TrainOn,
        /// The search's folder; `None` makes the next one beside the runs.
        folder: Option<PathBuf>,
    },
    /// Goes on with a search that was begun; one that is over shows what it came to.
    GoOn {
        /// The search's folder.
        folder: PathBuf,
    },
    /// Reads a search file; it is then in [`SearchState::read`].
    Load {
        /// A `.toml` file.
        path: PathBuf,
    },
    /// Looks which searches and cross-validations there are beside the runs; they are then in
    /// [`SearchState::begun`].
    Look {
        /// What the runs learned from.
        on: TrainOn,
    },
}

/// A cross-validation, or one training from several seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldsOrder {
    /// All choices.
    pub recipe: Recipe,
    /// What to learn from.
    pub on: TrainOn,
    /// Portions; none: the recipe's own parts.
    pub folds: Option<u32>,
    /// Seeds; none: the recipe's own.
    pub seeds: Vec<u64>,
    /// The folder for the run folders; `None` makes the next one beside the runs.
    pub folder: Option<PathBuf>,
}

/// What jobs report about searches and queues.
pub(super) enum QueuesReport {
    /// A queue can start.
    QueueReady(Box<QueuePlan>),
    /// A search can start.
    SearchReady(Box<SearchPlan>),
    /// A search file was read.
    SearchRead(Arc<ReadSearch>),
    /// What there is beside the runs.
    Begun(Vec<BegunWork>),
    /// What the trainings of a queue came to, and the page that says so.
    Table(Box<QueueTable>, PathBuf),
}

/// What many trainings read, frozen.
struct KeptGround {
    data: TrainData,
    label: Option<(Mask, ClassTable)>,
}

fn refused(error: TrainError) -> CommandError {
    CommandError::Refused(error.to_string())
}

impl Session {
    /// Whether trainings run or are prepared.
    pub fn is_learning(&self) -> bool {
        self.training.is_running()
            || self.study.queue.job.is_some()
            || self.study.search.job.is_some()
    }

    pub(super) fn refuse_while_learning(&self) -> Result<(), CommandError> {
        if self.is_learning() {
            return Err(CommandError::Busy("A training"));
        }
        Ok(())
    }

    pub(super) fn apply_search(&mut self, command: SearchCommand) -> Result<(), CommandError> {
        match command {
            SearchCommand::Start {
                spec,
                base,
                on,
                folder,
            } => self.start_search(*spec, *base, &on, folder),
            SearchCommand::GoOn { folder } => self.go_on_searching(absolute(&folder)),
            SearchCommand::Load { path } => {
                self.read_search(path);
                Ok(())
            }
            SearchCommand::Look { on } => self.look_for_begun(&on),
        }
    }

    fn start_search(
        &mut self,
        spec: SearchSpec,
        base: Recipe,
        on: &TrainOn,
        folder: Option<PathBuf>,
    ) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.refuse_while_learning()?;
        let KeptGround { data, label } = self.kept_ground(on)?;
        let folder = match folder {
            Some(folder) => absolute(&folder),
            None => self.next_folder(on, "search-")?,
        };
        let order = SearchOrder { spec, base, data };
        let cache_bytes = self.settings.budget().tile_cache_bytes;
        // What cannot work is said at once.
        let plan = order.plan(folder.clone(), cache_bytes).map_err(refused)?;
        let out = folder.clone();
        let id = self.start_job("Preparing the search", move |job| {
            if !SearchOrder::is_in(&out) {
                let label = label.as_ref();
                order.write(&out, label.map(|(mask, classes)| (mask, classes)))?;
            }
            let ready = QueuesReport::SearchReady(Box::new(plan));
            job.tell(Report::Queues(ready))?;
            Ok(())
        });
        self.search_is_prepared(id, folder);
        Ok(())
    }

    fn go_on_searching(&mut self, folder: PathBuf) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.refuse_while_learning()?;
        let cache_bytes = self.settings.budget().tile_cache_bytes;
        let out = folder.clone();
        let id = self.start_job("Preparing to go on with the search", move |job| {
            let plan = SearchOrder::read(&out)?.plan(out, cache_bytes)?;
            let ready = QueuesReport::SearchReady(Box::new(plan));
            job.tell(Report::Queues(ready))?;
            Ok(())
        });
        self.search_is_prepared(id, folder);
        Ok(())
    }

    fn search_is_prepared(&mut self, id: JobId, folder: PathBuf) {
        let before = std::mem::take(&mut self.study.search);
        self.study.search = SearchState {
            job: Some(id),
            folder: Some(folder),
            begun: before.begun,
            read: before.read,
            ..SearchState::default()
        };
    }

    fn read_search(&mut self, path: PathBuf) {
        self.start_quiet_job("Reading a search", move |job| {
            let read = Arc::new(ReadSearch::load(&path)?);
            job.tell(Report::Queues(QueuesReport::SearchRead(read)))?;
            Ok(())
        });
    }

    fn look_for_begun(&mut self, on: &TrainOn) -> Result<(), CommandError> {
        let next = self.next_run_folder(on)?;
        let Some(runs) = next.parent().map(Path::to_owned) else {
            return Ok(());
        };
        debug_assert!(
            runs.ends_with(RUNS_FOLDER),
            "runs have a folder of their own"
        );
        self.start_quiet_job("Looking for searches", move |job| {
            let begun = QueuesReport::Begun(list_begun(&runs));
            job.tell(Report::Queues(begun))?;
            Ok(())
        });
        Ok(())
    }

    /// Trains once for each portion and seed.
    pub(super) fn cross_validate(&mut self, order: FoldsOrder) -> Result<(), CommandError> {
        let mut seeds = order.seeds.iter().enumerate();
        if let Some((_, seed)) = seeds.find(|(at, seed)| order.seeds[..*at].contains(seed)) {
            let why = format!("The seed {seed} is named twice; name each once");
            return Err(CommandError::Refused(why));
        }
        let KeptGround { data, label } = self.kept_ground(&order.on)?;
        let kind = if order.folds.is_some() {
            "folds-"
        } else {
            "seeds-"
        };
        let folder = match &order.folder {
            Some(folder) => absolute(folder),
            None => self.next_folder(&order.on, kind)?,
        };
        let size = label.as_ref().map(|(mask, _)| mask.size());
        let trials = trials_of(&order, &data, size);
        let cache_bytes = self.settings.budget().tile_cache_bytes;
        let plan = QueuePlan::new(folder.clone(), trials, cache_bytes).map_err(refused)?;
        let out = folder.clone();
        let id = self.start_job("Preparing the trainings", move |job| {
            // All learn from the label as it was when the first one began.
            let is_kept = data.is_kept_in(&out)? && label.is_some();
            if !is_kept {
                let label = label.as_ref();
                data.keep(&out, label.map(|(mask, classes)| (mask, classes)))?;
            }
            let ready = QueuesReport::QueueReady(Box::new(plan));
            job.tell(Report::Queues(ready))?;
            Ok(())
        });
        self.study.queue = QueueState {
            job: Some(id),
            folder: Some(folder),
            has_table: true,
            ..QueueState::default()
        };
        Ok(())
    }

    /// What many trainings read: the label is frozen, so that painting goes on meanwhile.
    fn kept_ground(&self, on: &TrainOn) -> Result<KeptGround, CommandError> {
        let of_folder = |folder: &PathBuf, corrections| {
            let folder = absolute(folder);
            if !folder.is_dir() {
                let why = format!("The data is not there: {}", folder.display());
                return Err(CommandError::Refused(why));
            }
            let data = TrainData::Folder {
                folder,
                corrections,
            };
            Ok(KeptGround { data, label: None })
        };
        match on {
            TrainOn::Folder(folder) => of_folder(folder, Default::default()),
            TrainOn::Corrected(folder, corrections) => of_folder(folder, corrections.clone()),
            TrainOn::Resume(_) => Err(CommandError::Refused(
                "A run that goes on has its own recipe; say what to learn from instead".to_owned(),
            )),
            TrainOn::OpenImage => {
                let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
                let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
                if label.is_loading {
                    return Err(CommandError::LabelLoading);
                }
                Ok(KeptGround {
                    data: TrainData::Image {
                        image: absolute(&image.path),
                    },
                    label: Some((label.mask.clone(), self.classes().clone())),
                })
            }
        }
    }

    pub(super) fn absorb_queues(&mut self, id: JobId, report: QueuesReport) {
        match report {
            QueuesReport::QueueReady(plan) => {
                if let Err(error) = self.start_queue(*plan, true) {
                    self.queue_failed(error.to_string());
                }
            }
            QueuesReport::SearchReady(plan) => self.search_ready(*plan),
            QueuesReport::SearchRead(read) => self.study.search.read = Some(read),
            QueuesReport::Begun(begun) => self.study.search.begun = begun,
            QueuesReport::Table(table, page) => {
                let where_to = page.display();
                self.notify(Notice::info(format!("The table was written to {where_to}")));
                self.study.queue.table = Some(table);
                self.study.queue.page = Some(page);
                self.set_progress(id, 1.0);
            }
        }
    }

    /// Whether a queue or a search was prepared and did not come so far as to start.
    pub(super) fn preparing_ended(&mut self, id: JobId, why: Option<&String>) -> bool {
        if self.study.search.job == Some(id) {
            self.study.search.job = None;
            self.study.search.failure = why.cloned();
            return true;
        }
        if self.study.queue.job == Some(id) {
            self.queue_failed(why.cloned().unwrap_or_default());
            return true;
        }
        false
    }

    fn queue_failed(&mut self, why: String) {
        self.study.queue.job = None;
        self.study.queue.failure = Some(why).filter(|why| !why.is_empty());
    }

    /// Writes what the trainings of the queue came to.
    pub(super) fn write_queue_table(&mut self) {
        let queue = &self.study.queue;
        let Some(folder) = queue.folder.clone().filter(|_| queue.has_table) else {
            return;
        };
        let names = queue.trials.iter().map(|trial| trial.name.clone());
        let names: Vec<String> = names.collect();
        self.start_quiet_job("Writing the table of the trainings", move |job| {
            if let Some(table) = QueueTable::read(&folder, &names) {
                let page = table.write(&folder)?;
                let table = QueuesReport::Table(Box::new(table), page);
                job.tell(Report::Queues(table))?;
            }
            Ok(())
        });
    }
}

/// The trainings for each portion and seed; `size` is that of the one image that is learned from.
fn trials_of(order: &FoldsOrder, data: &TrainData, size: Option<ImageSize>) -> Vec<Trial> {
    let mut whole = Trial {
        name: order.folds.map_or("run", |_| "fold").to_owned(),
        group: "mean".to_owned(),
        recipe: order.recipe.clone(),
        data: data.source().to_owned(),
        judge: None,
        until: None,
    };
    let mut rule = whole.recipe.parts();
    let is_of_blocks = matches!(
        rule.split,
        PartWay::Blocks { .. }
            | PartWay::KFold {
                unit: FoldUnit::Block { .. },
                ..
            }
    );
    if let (Some(size), Some(folds), false) = (size, order.folds, is_of_blocks) {
        // One image has no files to be parted, so its ground is.
        rule.split = PartWay::Blocks {
            side: block_side(size, folds),
            shares: Shares::default(),
        };
        whole.recipe.parts = Some(rule);
    }
    let folds = order
        .folds
        .map_or_else(|| vec![whole.clone()], |folds| whole.folded(folds));
    if order.seeds.is_empty() {
        return folds;
    }
    let repeated = folds.iter().flat_map(|fold| fold.repeated(&order.seeds));
    repeated.collect()
}

/// A side of blocks of which each portion gets some.
fn block_side(size: ImageSize, folds: u32) -> u32 {
    const BLOCKS_A_FOLD: f64 = 4.0;
    let pixels = f64::from(size.width) * f64::from(size.height);
    let side = (pixels / (f64::from(folds.max(1)) * BLOCKS_A_FOLD)).sqrt();
    (side as u32).clamp(64, 512)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(folds: Option<u32>, seeds: &[u64]) -> FoldsOrder {
        FoldsOrder {
            recipe: Recipe::default(),
            on: TrainOn::OpenImage,
            folds,
            seeds: seeds.to_vec(),
            folder: None,
        }
    }

    #[test]
    fn an_image_is_parted_by_ground_and_a_data_set_by_files() {
        let image = TrainData::Image {
            image: "/a.tif".into(),
        };
        let size = Some(ImageSize::new(1_000, 800));
        let unit = |trial: &Trial| match trial.recipe.parts().split {
            PartWay::KFold { unit, .. } => unit,
            other => panic!("{other:?}"),
        };
        let trials = trials_of(&order(Some(5), &[]), &image, size);
        assert_eq!(
            (trials.len(), unit(&trials[4])),
            (5, FoldUnit::Block { side: 200 })
        );
        assert_eq!(trials[0].data, PathBuf::from("/a.tif"));
        let folder = TrainData::folder("/d".into());
        let trials = trials_of(&order(Some(2), &[7, 8]), &folder, None);
        let names: Vec<&str> = trials.iter().map(|trial| trial.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "fold-0-seed-7",
                "fold-0-seed-8",
                "fold-1-seed-7",
                "fold-1-seed-8"
            ]
        );
        assert_eq!(unit(&trials[0]), FoldUnit::File);
        let trials = trials_of(&order(None, &[3]), &image, size);
        assert_eq!((trials.len(), trials[0].name.as_str()), (1, "run-seed-3"));
        assert_eq!(trials[0].recipe.parts(), Recipe::default().parts());
    }
}
