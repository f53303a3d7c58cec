use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::doing::Doing;
use super::jobs::{Running, SharedSource};
use super::keeping::{Keeper, ProjectPlace};
use super::labels::Areas;
use super::objects::ObjectWork;
use super::palette::Palette;
use super::places::Places;
use super::prediction::PredictHow;
use super::scoring::LiveCounts;
use super::study::Study;
use super::{
    Change, Command, Examined, ImageList, InkChoice, JudgingState, LayerKind, Notice, Overlay,
    PredictionState, Preview, QueueState, RateSearch, Review, SearchState, Selected, Settings,
    Tool, TrainingState, Vectors, WandSettings,
};
use crate::exchange::MapPlace;
use crate::geom::{Georef, ImageSize};
use crate::job::Waker;
use crate::label::{
    BrushShape, ClassTable, History, Mask, MaskDecisions, StateMark, Superpixels, UNLABELED,
};
use crate::project::SourceFile;
use crate::raster::{Pyramid, RasterInfo, TileCache};
use crate::train::{Certainty, Engine};

/// Brushes outside of this range are of no use; in level-0 pixels.
pub const BRUSH_DIAMETERS: std::ops::RangeInclusive<f64> = 1.0..=4096.0;

/// What a session is given from outside.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Wakes whoever shows the session when a job has news.
    pub waker: Waker,
    /// Where settings are kept; `None` keeps them nowhere (tests, one-shot commands).
    pub settings_path: Option<PathBuf>,
    /// Where finished strokes are kept.
    pub projects: ProjectPlace,
}

/// One open image; never the same number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImageId(pub u64);

/// One mask layer; never the same number twice, nor one of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerId(pub u64);

/// The open image: its file, header and tiles on demand.
#[derive(Clone)]
pub struct OpenImage {
    /// Its number.
    pub id: ImageId,
    /// Its file.
    pub path: PathBuf,
    /// Reads pixels from any thread.
    pub source: SharedSource,
    /// Makes tiles of any level.
    pub pyramid: Arc<Pyramid>,
    /// Width and height of the middle pixel on the ground, in meters; `None` when the image lies on
    /// no map.
    pub pixel_meters: Option<[f64; 2]>,
    /// Tells coordinates of pixels; `None` when the image lies on no map.
    pub map: Option<Arc<MapPlace>>,
}

impl OpenImage {
    /// What the file's header says.
    pub fn info(&self) -> &RasterInfo {
        self.source.info()
    }

    /// Extent at level 0.
    pub fn size(&self) -> ImageSize {
        self.info().size
    }

    /// Where it lies on the map.
    pub fn georef(&self) -> Option<&Georef> {
        self.info().georef.as_ref()
    }

    /// The file's name without its folder.
    pub fn name(&self) -> String {
        self.path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }
}

/// A mask over the open image.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Its number.
    pub id: LayerId,
    /// Its pixels.
    pub mask: Mask,
    /// Its file, once it has one.
    pub path: Option<PathBuf>,
    /// Whether it is drawn.
    pub is_visible: bool,
    /// How much it covers the image, 0 to 1.
    pub opacity: f32,
    /// Whether its file is being read.
    pub is_loading: bool,
    /// Why its file could not be read whole, if so; saving over it is then refused.
    pub broken: Option<String>,
    /// Its file as it was when it was read or saved last.
    pub source: Option<SourceFile>,
}

/// Everything that is open. Changed only by commands and by its own jobs' events.
pub struct Session {
    pub(super) config: SessionConfig,
    pub(super) settings: Settings,
    pub(super) cache: Arc<TileCache>,
    pub(super) engine: Option<Engine>,
    pub(super) image: Option<OpenImage>,
    pub(super) list: Option<ImageList>,
    pub(super) label: Option<Layer>,
    pub(super) areas: Areas,
    pub(super) live: LiveCounts,
    pub(super) origin_areas: Areas,
    /// Who made the label; there is one whenever there is a label.
    pub(super) origins: Option<Layer>,
    /// The models whose predictions were accepted, by their numbers as origins.
    pub(super) models: Vec<String>,
    pub(super) prediction: Option<Layer>,
    /// How sure the prediction is, when it was made here: the measures that are wanted.
    pub(super) certainty: [Option<Layer>; Certainty::ALL.len()],
    pub(super) places: Places,
    pub(super) palette: Palette,
    pub(super) tool: Tool,
    pub(super) brush_diameter: f64,
    pub(super) brush_shape: BrushShape,
    pub(super) only_unlabeled: bool,
    pub(super) ink: InkChoice,
    pub(super) review: Option<Review>,
    pub(super) examined: Option<Examined>,
    pub(super) vectors: Option<Vectors>,
    pub(super) decisions: Option<MaskDecisions>,
    pub(super) preview: Option<Preview>,
    pub(super) preview_layer: Option<Layer>,
    pub(super) stroke: Option<super::strokes::OpenStroke>,
    pub(super) superpixels: Option<Arc<Superpixels>>,
    pub(super) superpixel_side: u32,
    pub(super) wand: WandSettings,
    pub(super) selected: Option<Selected>,
    pub(super) object: ObjectWork,
    pub(super) doing: Doing,
    pub(super) history: History,
    /// The history's state when the label was last saved or loaded.
    pub(super) saved: StateMark,
    /// The state before the oldest step that is kept.
    pub(super) oldest: StateMark,
    pub(super) training: TrainingState,
    pub(super) prediction_state: PredictionState,
    pub(super) study: Study,
    /// Writes finished strokes to the project.
    pub(super) keeper: Option<Keeper>,
    /// Polygons and lines shown over the image.
    pub(super) overlays: Vec<Overlay>,
    /// Projects that were left and still write their last strokes and copies.
    pub(super) closing: Vec<Keeper>,
    /// What is saved as soon as the label's file is not needed any more as it is.
    pub(super) save_later: Option<Command>,
    /// What waits for a save to succeed.
    pub(super) after_saving: Option<Command>,
    pub(super) predicting: PredictHow,
    pub(super) jobs: Vec<Running>,
    pub(super) changes: Vec<Change>,
    pub(super) notices: Vec<Notice>,
    pub(super) next_number: u64,
}

impl Session {
    /// A session with nothing open.
    pub fn new(config: SessionConfig) -> Self {
        let (settings, complaint) = config
            .settings_path
            .as_deref()
            .map_or_else(Default::default, Settings::load);
        let budget = settings.budget();
        let history = History::new(budget.history_bytes);
        Self {
            cache: Arc::new(TileCache::new(budget.tile_cache_bytes)),
            saved: history.mark(),
            oldest: history.mark(),
            history,
            config,
            settings,
            engine: None,
            image: None,
            list: None,
            label: None,
            areas: Areas::unlabeled(ImageSize::default()),
            live: LiveCounts::default(),
            origin_areas: Areas::unlabeled(ImageSize::default()),
            origins: None,
            models: Vec::new(),
            prediction: None,
            certainty: Default::default(),
            places: Places::default(),
            palette: Palette::new(ClassTable::landcover_ai()),
            tool: Tool::default(),
            brush_diameter: 48.0,
            brush_shape: BrushShape::Round,
            only_unlabeled: false,
            ink: InkChoice::default(),
            review: None,
            examined: None,
            vectors: None,
            decisions: None,
            preview: None,
            preview_layer: None,
            stroke: None,
            superpixels: None,
            superpixel_side: 20,
            wand: WandSettings::default(),
            selected: None,
            object: ObjectWork::default(),
            doing: Doing::default(),
            training: TrainingState::default(),
            prediction_state: PredictionState::default(),
            study: Study::default(),
            keeper: None,
            closing: Vec::new(),
            overlays: Vec::new(),
            save_later: None,
            after_saving: None,
            predicting: PredictHow::default(),
            jobs: Vec::new(),
            changes: Vec::new(),
            notices: complaint.map(Notice::warning).into_iter().collect(),
            next_number: 0,
        }
    }

    /// The open image.
    pub const fn image(&self) -> Option<&OpenImage> {
        self.image.as_ref()
    }

    /// The opened folder's images.
    pub const fn list(&self) -> Option<&ImageList> {
        self.list.as_ref()
    }

    /// A mask layer of the open image.
    pub const fn layer(&self, kind: LayerKind) -> Option<&Layer> {
        match kind {
            LayerKind::Label => self.label.as_ref(),
            LayerKind::Prediction => self.prediction.as_ref(),
            LayerKind::Origins => self.origins.as_ref(),
            LayerKind::Certainty(measure) => self.certainty[measure as usize].as_ref(),
            LayerKind::Preview => self.preview_layer.as_ref(),
            LayerKind::Kept(place) => self.predicting.kept.layer(place),
            LayerKind::Replaced => self.predicting.makers.replaced.as_ref(),
        }
    }

    /// Names and colors of the classes.
    pub const fn classes(&self) -> &ClassTable {
        &self.palette.table
    }

    /// The class that tools paint; 255 erases.
    pub const fn active_class(&self) -> u8 {
        self.palette.active
    }

    /// Whether a class is drawn.
    pub fn is_class_visible(&self, class: u8) -> bool {
        !self.palette.hidden.contains(&class)
    }

    /// Whether no tool paints over a class.
    pub fn is_class_locked(&self, class: u8) -> bool {
        self.palette.locked.contains(&class)
    }

    /// Round or square.
    pub const fn brush_shape(&self) -> BrushShape {
        self.brush_shape
    }

    /// The tool in hand.
    pub const fn tool(&self) -> Tool {
        self.tool
    }

    /// The brush's diameter in level-0 pixels.
    pub const fn brush_diameter(&self) -> f64 {
        self.brush_diameter
    }

    /// Whether tools leave labeled pixels alone.
    pub const fn only_unlabeled(&self) -> bool {
        self.only_unlabeled
    }

    /// Whether a stroke is open.
    pub const fn is_stroke_open(&self) -> bool {
        self.stroke.is_some()
    }

    /// Whether there is a step to take back.
    pub fn can_undo(&self) -> bool {
        self.history.can_undo() || self.has_older_steps()
    }

    /// Whether there is an undone step.
    pub fn can_redo(&self) -> bool {
        self.history.can_redo()
    }

    /// How many steps are in the label, and how many there are with the undone ones.
    pub fn num_steps(&self) -> (usize, usize) {
        let (all, done) = self.history.steps();
        (done, all.len())
    }

    /// Whether the label has strokes that its file lacks.
    pub fn has_unsaved_work(&self) -> bool {
        self.label.is_some() && (self.stroke.is_some() || self.history.mark() != self.saved)
    }

    /// The training that runs or ran last.
    pub const fn training(&self) -> &TrainingState {
        &self.training
    }

    /// The search for a learning rate that runs or ran last.
    pub const fn rate_search(&self) -> &RateSearch {
        &self.study.rates
    }

    /// The queue of trainings that runs or ran last.
    pub const fn queue(&self) -> &QueueState {
        &self.study.queue
    }

    /// The search of the choices of a recipe that runs or ran last.
    pub const fn search(&self) -> &SearchState {
        &self.study.search
    }

    /// The judging of a run that runs or ran last.
    pub const fn judging(&self) -> &JudgingState {
        &self.study.queue.judging
    }

    /// The prediction that runs or ran last.
    pub const fn prediction_state(&self) -> &PredictionState {
        &self.prediction_state
    }

    /// What is remembered between starts.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Decoded tiles of all images.
    pub const fn tile_cache(&self) -> &Arc<TileCache> {
        &self.cache
    }

    /// Bytes of pixels held: decoded tiles, masks, undo steps, and what was seen
    /// for instant answers and similar places.
    pub fn bytes_used(&self) -> usize {
        let refused = self.predicting.refused.iter();
        let refused = refused.flat_map(|(_, masks)| masks);
        let masks = self.large_layers().map(|layer| &layer.mask);
        let kept = self.predicting.kept.masks();
        let masks: usize = masks.chain(refused).chain(kept).map(Mask::bytes_used).sum();
        self.cache.bytes_used()
            + masks
            + self.history.bytes()
            + self.predicting.makers.bytes_used()
            + self.study.instant.bytes_used()
            + self.study.similar.bytes_used()
    }

    /// The layers of the open image that take memory, but for those that are kept.
    fn large_layers(&self) -> impl Iterator<Item = &Layer> {
        let replaced = &self.predicting.makers.replaced;
        let layers = [&self.label, &self.origins, &self.prediction, replaced];
        layers.into_iter().chain(&self.certainty).flatten()
    }

    /// What looks different since the last call.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// What there is to say since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Panics when the parts of the session contradict each other; called by tests after commands.
    pub fn check_invariants(&self) {
        let size = self.image.as_ref().map(OpenImage::size);
        for layer in self.large_layers() {
            assert_eq!(
                Some(layer.mask.size()),
                size,
                "a mask has the size of its image"
            );
        }
        assert!(
            self.stroke.is_none() || self.label.is_some(),
            "a stroke is on a label"
        );
        assert_eq!(
            self.label.is_some(),
            self.origins.is_some(),
            "a label has origins"
        );
        if let (Some(label), Some(origins), None) = (&self.label, &self.origins, &self.stroke) {
            let counts = label.mask.histogram();
            assert_eq!(self.areas.0, counts, "areas follow the edits");
            let by_origin = origins.mask.histogram();
            assert_eq!(self.origin_areas.0, by_origin, "origins follow the edits");
            let nobodys = usize::from(UNLABELED);
            assert_eq!(
                by_origin[nobodys], counts[nobodys],
                "every labeled pixel has an origin"
            );
        }
        assert!(
            self.predicting.makers.replaced.is_none() || self.prediction_state.job.is_some(),
            "what is replaced is seen while something comes in its place"
        );
        self.check_scores();
        self.check_contest();
        assert!(BRUSH_DIAMETERS.contains(&self.brush_diameter));
    }

    pub(super) fn notify(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    pub(super) const fn next_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    pub(super) fn remember(&mut self, path: &Path) {
        self.settings.remember(path);
        self.save_settings();
    }

    pub(super) fn set_keys(
        &mut self,
        keys: std::collections::BTreeMap<String, Vec<String>>,
    ) -> Result<(), super::CommandError> {
        self.settings.keys = keys;
        self.save_settings();
        Ok(())
    }

    pub(super) fn set_coordinates(
        &mut self,
        shown: super::Coordinates,
    ) -> Result<(), super::CommandError> {
        self.settings.coordinates = shown;
        self.save_settings();
        Ok(())
    }

    pub(super) fn save_settings(&mut self) {
        let Some(file) = &self.config.settings_path else {
            return;
        };
        if let Err(error) = self.settings.save(file) {
            self.notices.push(Notice::warning(format!(
                "Settings and recent files are not remembered. {error}"
            )));
        }
    }
}
