use std::path::PathBuf;

use rayon::prelude::*;

use super::checkpoint::ModelCard;
use super::finetune::{Replay, ReplaySources, kept_replay};
use super::leak_check::{kept_leaks, leak_notes, leaks_of};
use super::resume::{GroundPrint, Progress, RunState};
use super::run::{Spent, WallClock};
use super::run_folder::RunFolder;
use super::self_test::Workload;
use super::{
    ClassWeighting, EarlyStop, KeepBest, PlateauDecay, Recipe, SavedModel, TrainData, TrainError,
};
use crate::dataset::leaks::LeakReport;
use crate::dataset::{
    BandReading, Batch, ClassBalance, DatasetError, Ground, Normalization, PatchSource, Split,
    SplitReport, Watch, class_weights, scale_for_model,
};
use crate::label::ClassTable;
use crate::nn::{EncoderKind, Lite0};

/// A training that can start: everything was looked at before.
#[derive(Debug)]
pub struct TrainPlan {
    pub(super) recipe: Recipe,
    pub(super) classes: ClassTable,
    pub(super) folder: RunFolder,
    pub(super) patches: PatchSource,
    pub(super) start_from: Option<SavedModel>,
    /// Where the ground is, so that the run can go on in another process.
    pub(super) data: Option<TrainData>,
    /// Where the run was, when it goes on.
    pub(super) resumed: Option<Progress>,
    /// The epoch after which it rests, so that it can go on later.
    pub(super) until: Option<u32>,
    /// Tells when the run begins.
    pub(super) clock: Option<WallClock>,
    /// What earlier trainings learned from, mixed in.
    pub(super) replay: Option<Replay>,
    /// Called before each step with its number, from 0, and the patches computed at once.
    #[cfg(test)]
    pub(super) fault: Option<fn(u64, usize)>,
    /// What the parts share and should not; `None` where nobody looked.
    pub(super) leaks: Option<LeakReport>,
    notes: Vec<String>,
}

impl TrainPlan {
    /// Checks the recipe, the folder, every mask and the amount of labels, and holds ground out.
    /// `folder` is where the run goes; it must not hold one already. Masks in `ground` are frozen:
    /// painting may go on. Reads all masks of a folder once, so it may take a while.
    ///
    /// # Errors
    /// The first thing that does not work, in a sentence for the user.
    pub fn new(
        recipe: Recipe,
        ground: Ground,
        classes: ClassTable,
        folder: PathBuf,
    ) -> Result<Self, TrainError> {
        Self::watched(recipe, ground, classes, folder, &Watch::NOBODY)
    }

    /// As [`Self::new`], watched while it reads masks and looks for leaks between the parts.
    ///
    /// # Errors
    /// As for [`Self::new`], and [`DatasetError::Stopped`](crate::dataset::DatasetError::Stopped).
    pub fn watched(
        recipe: Recipe,
        ground: Ground,
        classes: ClassTable,
        folder: PathBuf,
        watch: &Watch<'_>,
    ) -> Result<Self, TrainError> {
        let folder = RunFolder::unused(folder)?;
        let plan = watch.during((0.0, 0.6), |watch| {
            Self::in_folder(recipe, ground, classes, (folder, None), watch)
        })?;
        plan.check_labels()?;
        let leaks = watch.during((0.6, 1.0), |watch| leaks_of(&plan.patches, watch))?;
        Ok(plan.knowing(leaks))
    }

    /// Goes on with a run that was stopped or killed: the recipe and the classes are those in its
    /// folder, and on the CPU the finished run will be what it would have been, to the last bit.
    ///
    /// # Errors
    /// When the folder holds no run that can go on, or the ground is another.
    pub fn resume(ground: Ground, folder: PathBuf) -> Result<Self, TrainError> {
        Self::resume_watched(ground, folder, &Watch::NOBODY)
    }

    /// As [`Self::resume`], watched while it reads masks.
    ///
    /// # Errors
    /// As for [`Self::resume`], and [`DatasetError::Stopped`](crate::dataset::DatasetError::Stopped).
    pub fn resume_watched(
        ground: Ground,
        folder: PathBuf,
        watch: &Watch<'_>,
    ) -> Result<Self, TrainError> {
        let folder = RunFolder::begun(folder)?;
        let path = folder.path().to_owned();
        let mut progress = RunState::load(&path)?.progress;
        // Their words are other ones in other versions.
        progress.ground.split.notes.clear();
        let held_out = progress.ground.split.validation_files.clone();
        let recipe = Recipe::load(&path.join("recipe.toml"))?;
        let classes = ClassTable::load(&path.join("classes.toml"))?;
        let plan = Self::in_folder(recipe, ground, classes, (folder, Some(held_out)), watch)?;
        let plan = plan.knowing(kept_leaks(&path)).repeating_as_before(watch)?;
        let plan = plan.read_as(&progress.ground.bands, &progress.ground.normalization)?;
        let mut plan = plan.reviewed(progress.ground.split.unreviewed);
        let (before, now) = (&progress.ground, plan.ground_print());
        let changed = [
            (
                "other ground is labelled or held out",
                before.split != now.split,
            ),
            ("the labels differ", before.class_pixels != now.class_pixels),
        ];
        if let Some((what, _)) = changed.into_iter().find(|(_, is_changed)| *is_changed) {
            return Err(TrainError::GroundChanged { what, path });
        }
        plan.resumed = Some(progress);
        Ok(plan)
    }

    /// `held_out` are the files that the run in `folder` holds out when it goes on.
    fn in_folder(
        mut recipe: Recipe,
        ground: Ground,
        classes: ClassTable,
        (folder, held_out): (RunFolder, Option<Vec<String>>),
        watch: &Watch<'_>,
    ) -> Result<Self, TrainError> {
        recipe.check()?;
        if classes.num_classes() < 2 {
            return Err(TrainError::Recipe(
                "there must be at least two classes to tell apart; add one to the class table"
                    .to_owned(),
            ));
        }
        recipe.best_by.check(&classes)?;
        recipe.loss.check(classes.num_classes())?;
        recipe.class_weighting.check(classes.num_classes())?;
        let mut config = recipe.patch_config(&classes)?;
        config.parts.held_out = held_out;
        let mut patches = PatchSource::watched(ground, config, watch)?;
        if recipe.model.encoder == EncoderKind::Lite0 {
            // It knows images as they were when it learned.
            let channels = patches.reading().num_channels();
            let [mean, std] =
                [Lite0::CENTER, Lite0::SPREAD].map(|level| vec![level / 255.0; channels]);
            patches = patches.with_normalization(Normalization { mean, std });
        }
        recipe.model.in_channels = patches.reading().num_channels();
        Ok(Self {
            notes: patches.notes().to_vec(),
            recipe,
            classes,
            folder,
            patches,
            start_from: None,
            data: None,
            resumed: None,
            until: None,
            clock: None,
            #[cfg(test)]
            fault: None,
            leaks: None,
            replay: None,
        })
    }

    /// Reads images as a model reads them.
    fn read_as(mut self, bands: &BandReading, like: &Normalization) -> Result<Self, TrainError> {
        let apply = |patches: PatchSource| -> Result<PatchSource, DatasetError> {
            Ok(patches.reading_as(bands)?.with_normalization(like.clone()))
        };
        self.patches = apply(self.patches)?;
        self.replay = (self.replay)
            .map(|replay| replay.read_as(apply))
            .transpose()?;
        Ok(self)
    }

    /// What is mixed into this training, as its run folder says.
    fn repeating_as_before(self, watch: &Watch<'_>) -> Result<Self, TrainError> {
        let Ok(data) = TrainData::of_run(self.folder.path()) else {
            return Ok(self);
        };
        let plan = match &data {
            TrainData::Finetune { image, replay, .. } => {
                let label = kept_replay(image, self.folder.path(), replay)?;
                self.repeating(replay, label, watch)?
            }
            _ => self,
        };
        Ok(plan.reading(data))
    }

    /// Mixes in what earlier trainings learned from: `label` of the same image, and other runs.
    ///
    /// # Errors
    /// When `watch` says stop, or with it there are still too few classes.
    pub(super) fn repeating(
        mut self,
        sources: &ReplaySources,
        label: Option<Ground>,
        watch: &Watch<'_>,
    ) -> Result<Self, TrainError> {
        let (replay, notes) = Replay::read(sources, label, (&self.recipe, &self.classes), watch)?;
        self.replay = replay;
        self.notes.extend(notes);
        self.check_labels()?;
        Ok(self)
    }

    /// As [`Self::new`] in a folder that may be in use, for classes that need not all be there yet.
    pub(super) fn unchecked(
        recipe: Recipe,
        ground: Ground,
        classes: ClassTable,
        folder: PathBuf,
        watch: &Watch<'_>,
    ) -> Result<Self, TrainError> {
        let folder = RunFolder::unused(folder)?;
        Self::in_folder(recipe, ground, classes, (folder, None), watch)
    }

    /// Warns of `leaks`, before all else that is noted.
    fn knowing(mut self, leaks: Option<LeakReport>) -> Self {
        let warnings = leaks.as_ref().map(leak_notes).unwrap_or_default();
        self.notes.splice(0..0, warnings);
        self.leaks = leaks;
        self
    }

    /// Notes more that the user should know.
    pub(super) fn noting(mut self, notes: Vec<String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// Says how many of the blocks that choose the best epoch have a label that nobody vouched for;
    /// `None` where that is not known.
    #[must_use]
    pub fn reviewed(mut self, unreviewed: Option<usize>) -> Self {
        self.patches = self.patches.with_unreviewed(unreviewed);
        self
    }

    /// Says where the ground is, so that the run can go on in another process.
    #[must_use]
    pub fn reading(mut self, data: TrainData) -> Self {
        self.data = Some(data);
        self
    }

    /// Rests after `epoch` and leaves the run so that it can go on; `None`: goes to its end. The
    /// recipe, and so the schedule of the rate, stays that of the whole training.
    #[must_use]
    pub fn until(mut self, epoch: Option<u32>) -> Self {
        self.until = epoch;
        self
    }

    /// Starts from the weights of `model` instead of fresh ones; its network, bands and
    /// normalisation replace the recipe's, but for the stages and statistics that hold still.
    ///
    /// # Errors
    /// When the model's classes are not those of the plan, its network does not fit the patch, or
    /// an image lacks its bands.
    pub fn starting_from(mut self, model: SavedModel) -> Result<Self, TrainError> {
        let (frozen_stages, norm) = (self.recipe.model.frozen_stages, self.recipe.model.norm);
        let differences = model.card().class_differences(&self.classes);
        if !differences.is_empty() {
            return Err(TrainError::Model {
                reason: format!("its classes are others: {}", differences.join("; ")),
                path: model.folder().to_owned(),
            });
        }
        let (run, before) = (self.patches.pixel_meters(), model.card().pixel_size);
        if let (_, Some(note)) = scale_for_model(before, run)? {
            self.notes.push(note);
        }
        self.recipe.model = model.card().model.clone();
        if self.recipe.model.encoder == EncoderKind::Lite0 {
            // What holds still is a choice of each training, so that one can follow another.
            self.recipe.model.frozen_stages = frozen_stages;
        }
        if norm.has_statistics() && self.recipe.model.norm.has_statistics() {
            self.recipe.model.norm = norm;
        }
        self.recipe.check()?;
        let card = model.card();
        if card.bands != *self.patches.reading() {
            self.recipe.bands = card.bands.choice();
        }
        let mut plan = self.read_as(&card.bands, &card.normalization)?;
        plan.start_from = Some(model);
        Ok(plan)
    }

    /// What the training reads, to be recognized when it goes on, in whatever words it is told.
    fn ground_print(&self) -> GroundPrint {
        GroundPrint {
            split: SplitReport {
                notes: Vec::new(),
                ..self.split().report.clone()
            },
            class_pixels: self.class_pixels(),
            bands: self.patches.reading().clone(),
            normalization: self.patches.normalization().clone(),
        }
    }

    /// A number of what the training reads: another for other labels or another split.
    pub(super) fn data_fingerprint(&self) -> String {
        let mut print = Vec::new();
        ciborium::into_writer(&self.ground_print(), &mut print).expect("plain numbers become CBOR");
        format!("{:08x}", crc32c::crc32c(&print))
    }

    /// The batch of `step`, from 0, of `epoch`, from 1.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub(super) fn step_batch(&self, epoch: u32, step: u32) -> Result<Batch, DatasetError> {
        let batch = self.recipe.batch as u64;
        let first = u64::from(step) * batch;
        let mut patches: Vec<Batch> = (first..first + batch)
            .into_par_iter()
            .map(|index| self.patch(epoch.into(), index))
            .collect::<Result<_, _>>()?;
        // Those without labels come last.
        let count = self.recipe.unlabeled.patches(self.recipe.batch) as u64;
        let first = u64::from(step) * count;
        let others: Vec<Batch> = (first..first + count)
            .into_par_iter()
            .map(|index| (self.patches).unlabeled_patch(self.recipe.seed, epoch.into(), index))
            .collect::<Result<_, _>>()?;
        patches.extend(others);
        Ok(Batch::joined(&patches))
    }

    /// Training patch `index` of `epoch`.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub(super) fn patch(&self, epoch: u64, index: u64) -> Result<Batch, DatasetError> {
        let seed = self.recipe.seed;
        let replay = self.replay.as_ref();
        let repeated = replay.and_then(|replay| replay.source(seed, epoch, index));
        repeated.unwrap_or(&self.patches).patch(seed, epoch, index)
    }

    /// Labeled training pixels of each class, what is mixed in counted as often as it is drawn.
    pub(super) fn class_pixels(&self) -> Vec<u64> {
        let own = self.patches.class_pixels();
        let replay = self.replay.as_ref();
        replay.map_or_else(|| own.to_vec(), |replay| replay.mixed(own))
    }

    fn check_labels(&self) -> Result<(), TrainError> {
        let pixels = self.class_pixels();
        let seen = pixels.iter().filter(|&&pixels| pixels > 0).count();
        if seen >= 2 {
            return Ok(());
        }
        Err(TrainError::Recipe(format!(
            "the training ground shows {seen} of {} classes, two are needed; label ground of \
             another class",
            pixels.len()
        )))
    }

    /// Before the first step.
    pub(super) fn fresh_progress(&self, kept_stages: usize) -> Progress {
        let recipe = &self.recipe;
        Progress {
            ground: self.ground_print(),
            kept_stages,
            epoch: 1,
            step_in_epoch: 0,
            loss_sum: 0.0,
            step: 0,
            share: 1.0,
            plateau: PlateauDecay::new(recipe.plateau, recipe.learning_rate),
            stop: EarlyStop::new(recipe.stop_patience),
            keep: KeepBest::default(),
            rows: Vec::new(),
            best: None,
            seconds: 0.0,
            spent: Spent::default(),
            piece: 0,
        }
    }

    /// All choices, as they will be stored.
    pub const fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// What is held out.
    pub const fn split(&self) -> &Split {
        self.patches.split()
    }

    /// What the user should know about the data before starting.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The weight of each class in the loss.
    pub(super) fn class_weights(&self) -> Vec<f32> {
        let pixels = &self.class_pixels();
        match &self.recipe.class_weighting {
            // Nothing to take out of the odds again where no term heeds the weights.
            _ if !self.recipe.loss.heeds_class_weights() => vec![1.0; pixels.len()],
            ClassWeighting::None => vec![1.0; pixels.len()],
            ClassWeighting::SqrtInverse => class_weights(pixels, ClassBalance::SqrtInverse),
            ClassWeighting::Inverse => class_weights(pixels, ClassBalance::Inverse),
            ClassWeighting::MedianFrequency => class_weights(pixels, ClassBalance::MedianFrequency),
            ClassWeighting::ByHand(weights) => weights.clone(),
        }
    }

    /// The description of the models that this training saves.
    pub(super) fn card(&self) -> ModelCard {
        let recipe = &self.recipe;
        let normalization = self.patches.normalization().clone();
        let card = ModelCard::new(
            recipe.model.clone(),
            &self.classes,
            normalization,
            recipe.patch,
            recipe.seed,
        );
        ModelCard {
            pixel_size: self.patches.pixel_meters(),
            bands: self.patches.reading().clone(),
            lineage: self.data.as_ref().and_then(TrainData::lineage).cloned(),
            recipe: Some(recipe.to_toml()),
            data_fingerprint: Some(self.data_fingerprint()),
            ..card
        }
    }

    pub(super) fn workload(&self) -> Workload {
        let shape = [self.recipe.batch, self.recipe.patch as usize];
        Workload::new(shape, &self.recipe.model, &self.recipe.loss)
    }
}
