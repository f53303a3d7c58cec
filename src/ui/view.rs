use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::canvas::{Gesture, PaneContents, PaneLayout, RememberedPanes};
use super::cleanup::CleanupForm;
use super::dialogs::{Dialogs, FileWish};
use super::dock::Dock;
use super::export::ExportSheet;
use super::feed::Feed;
use super::import::ImportForm;
use super::keys::{KeySheet, Keymap, Palette};
use super::messages::Messages;
use super::pace::Pace;
use super::panels::area::AreaForm;
use super::panels::images::ImagesView;
use super::panels::recipe::TrainForm;
use super::panels::scores::ScoresView;
use super::places::PlaceForm;
use super::training::{Page, TrainingArea, look_at};
use crate::geom::{Camera, ImagePoint, PixelRect, ScreenSize, TileKey};
use crate::job::Waker;
use crate::label::{MaskLevels, MaskTile};
use crate::render::{FrameStats, Gpu, Looked, Renderer, SourceId};
use crate::session::{Change, Command, Layer, LayerId, Notice, Review, Session, Severity, Tool};

/// Ground around a point that is checked, in pixels to each side.
const SEEN_AROUND: u32 = 96;

/// Commands of one frame, in order.
pub type CommandQueue = Vec<Command>;

/// What a view is given from outside.
pub struct ViewConfig {
    /// The device to draw with; `None` draws no pictures.
    pub gpu: Option<Gpu>,
    /// Bytes of tiles on the graphics card.
    pub gpu_tile_bytes: usize,
    /// Wakes the window when a tile is decoded.
    pub waker: Waker,
    /// Where the welcome screen puts the sample project.
    pub sample_folder: PathBuf,
}

/// What only the window knows: camera, layout, gestures, open dialogs. Derived from nothing, lost
/// without harm.
pub struct View {
    pub(super) config: ViewConfig,
    pub(super) renderer: Option<Renderer>,
    pub(super) feed: Option<Feed>,
    pub(super) levels: LevelCache,
    /// `None` until an image was laid out; then what all panes show.
    pub camera: Option<Camera>,
    /// How many panes there are.
    pub layout: PaneLayout,
    /// What they show.
    pub contents: PaneContents,
    /// Where the curtain of each pane is, as a share of its width; `None`: there is none.
    pub(super) curtain: Option<f32>,
    /// Which errors are shown.
    pub(super) looked: Looked,
    pub(super) gesture: Gesture,
    pub(super) gesture_pane: Option<egui::Id>,
    /// Whether a menu or another popup was open when the frame began: a press elsewhere only closes
    /// it.
    pub(super) has_popup: bool,
    pub(super) last_dab: Option<ImagePoint>,
    pub(super) pointer_at: Option<ImagePoint>,
    pub(super) shows_held_out: bool,
    /// Whether a click lets the encoder learn as well.
    pub(super) improves_thoroughly: bool,
    pub(super) shows_panels: bool,
    pub(super) shows_coverage: bool,
    pub(super) keymap: Keymap,
    pub(super) sheet: KeySheet,
    pub(super) pace: Pace,
    pub(super) palette: Palette,
    pub(super) places: PlaceForm,
    pub(super) import: ImportForm,
    pub(super) export: ExportSheet,
    /// What becomes of drawn shapes.
    pub(super) shape_use: ShapeUse,
    pub(super) outlines: bool,
    pub(super) shows_navigator: bool,
    pub(super) shows_look: bool,
    /// What was drawn over the canvases last; tools leave it alone.
    pub(super) covered: Vec<egui::Rect>,
    /// The difference that was brought into view last.
    pub(super) reviewed: Option<PixelRect>,
    /// The one that the list of differences was scrolled to.
    pub(super) listed: Option<PixelRect>,
    pub(super) followed: Followed,
    /// The last tool in hand that corrects.
    pub(super) correcting: Tool,
    pub(super) dialogs: Dialogs,
    pub(super) dock: Dock,
    pub(super) form: TrainForm,
    pub(super) cleanup: CleanupForm,
    /// Runs, and what only their area knows.
    pub training: TrainingArea,
    /// What the first canvas shows, in level-0 pixels.
    pub(super) visible: PixelRect,
    /// The first canvas in physical pixels.
    pub(super) canvas: ScreenSize,
    pub(super) edited_class: Option<(u8, String)>,
    /// Only classes whose names have this are listed.
    pub(super) class_search: String,
    /// The class that is to go, and the one that gets its pixels.
    pub(super) removed_class: Option<(u8, u8)>,
    pub(super) messages: Messages,
    pub(super) images: ImagesView,
    pub(super) scores: ScoresView,
    pub(super) area: AreaForm,
    pub(super) thumbnails: HashMap<PathBuf, egui::TextureHandle>,
    pub(super) stats: FrameStats,
    pub(super) frame_began: Option<Instant>,
    open_asked: Option<Instant>,
    /// The label that was saved last, and when.
    pub(super) saved: Option<(LayerId, Instant)>,
    pub(super) waiting: Waiting,
    failure: Option<String>,
}

/// What of the session the view followed last.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// The cell of the confusion matrix whose differences are walked through.
    cell: Option<[u8; 2]>,
    /// The point that is checked.
    point: Option<usize>,
    pub(super) panes: RememberedPanes,
    /// When the panel showed first that an improvement had ended, in seconds of the window's clock;
    /// in all time to come while one runs.
    pub(super) improvement_ended: Option<f64>,
}

/// What becomes of a polygon, a lasso or a rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShapeUse {
    /// It is filled.
    #[default]
    Fill,
    /// It is selected.
    Select,
}

/// What waits for the person's word about unsaved strokes.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Waiting {
    /// Nothing.
    #[default]
    Nothing,
    /// A command that would lose them.
    Command(Box<Command>),
    /// The window is to close.
    Close,
    /// The window closes as soon as the label is saved.
    CloseAfterSaving,
    /// The window may close now.
    CloseNow,
}

/// Coarse levels of each mask layer, derived when they are drawn.
#[derive(Debug, Default)]
pub struct LevelCache(RefCell<HashMap<u64, MaskLevels>>);

impl LevelCache {
    /// The tile of a layer at any level.
    pub fn tile(&self, layer: &Layer, key: TileKey) -> MaskTile {
        let mut all = self.0.borrow_mut();
        let levels = all
            .entry(layer.id.0)
            .or_insert_with(|| MaskLevels::new(layer.mask.size()));
        levels.tile(&layer.mask, key)
    }
}

fn renderer_of(config: &ViewConfig) -> Option<Renderer> {
    let gpu = config.gpu.clone()?;
    Some(Renderer::new(gpu, config.gpu_tile_bytes))
}

impl View {
    /// A view on nothing.
    pub fn new(config: ViewConfig) -> Self {
        Self {
            renderer: renderer_of(&config),
            config,
            feed: None,
            levels: LevelCache::default(),
            camera: None,
            layout: PaneLayout::One,
            contents: PaneContents::default(),
            curtain: None,
            looked: Looked::default(),
            gesture: Gesture::Idle,
            gesture_pane: None,
            has_popup: false,
            last_dab: None,
            pointer_at: None,
            improves_thoroughly: false,
            shows_held_out: true,
            shows_panels: true,
            shows_coverage: false,
            keymap: Keymap::default(),
            sheet: KeySheet::default(),
            pace: Pace::default(),
            palette: Palette::default(),
            places: PlaceForm::default(),
            import: ImportForm::default(),
            export: ExportSheet::default(),
            shape_use: ShapeUse::default(),
            outlines: false,
            shows_navigator: false,
            shows_look: false,
            covered: Vec::new(),
            reviewed: None,
            listed: None,
            followed: Followed::default(),
            correcting: Tool::default(),
            dialogs: Dialogs::default(),
            dock: Dock::default(),
            form: TrainForm::default(),
            cleanup: CleanupForm::default(),
            training: TrainingArea::default(),
            visible: PixelRect::default(),
            canvas: ScreenSize::default(),
            edited_class: None,
            class_search: String::new(),
            removed_class: None,
            messages: Messages::default(),
            images: ImagesView::default(),
            scores: ScoresView::default(),
            area: AreaForm::default(),
            thumbnails: HashMap::new(),
            stats: FrameStats::default(),
            frame_began: None,
            open_asked: None,
            saved: None,
            waiting: Waiting::Nothing,
            failure: None,
        }
    }

    /// Starts a frame: takes in what changed in the session, and decoded tiles. `true` when more
    /// tiles wait for the next frame.
    pub fn begin_frame(&mut self, changes: Vec<Change>, session: &Session) -> bool {
        self.frame_began = Some(Instant::now());
        if let Some(renderer) = &mut self.renderer {
            renderer.begin_frame();
        }
        for change in changes {
            self.absorb(change, session);
        }
        let (Some(feed), Some(renderer)) = (&mut self.feed, &mut self.renderer) else {
            return false;
        };
        let picks = session.shading().map(|shading| shading.picks);
        let more = feed.upload(renderer, picks);
        for why in feed.take_failures() {
            self.messages.add(Notice::error(why));
        }
        more
    }

    fn absorb(&mut self, change: Change, session: &Session) {
        match change {
            Change::ImageOpened(_) => {
                self.camera = None;
                self.gesture = Gesture::Idle;
                self.last_dab = None;
                self.feed = Feed::of(session, &self.config.waker);
            }
            // What is on the card stays.
            Change::PyramidReady(_) => self.feed = Feed::of(session, &self.config.waker),
            Change::OtherBands(id) => {
                self.feed = Feed::of(session, &self.config.waker);
                if let Some(renderer) = &mut self.renderer {
                    renderer.outdate(SourceId(id.0));
                }
            }
            Change::SourceGone(number) => {
                self.levels.0.borrow_mut().remove(&number);
                if let Some(renderer) = &mut self.renderer {
                    renderer.forget(SourceId(number));
                }
            }
            Change::MaskLoaded { layer, levels } => {
                self.levels.0.borrow_mut().insert(layer.0, *levels);
                if let Some(renderer) = &mut self.renderer {
                    renderer.forget(SourceId(layer.0));
                }
            }
            Change::LabelSaved(label) => self.saved = Some((label, Instant::now())),
            Change::MaskPixels { layer, size, rect } => {
                if let Some(levels) = self.levels.0.borrow_mut().get_mut(&layer.0) {
                    levels.invalidate(&[rect]);
                }
                if let Some(renderer) = &mut self.renderer {
                    renderer.mask_changed(SourceId(layer.0), size, rect);
                }
            }
        }
    }

    /// Shows what the session had to say.
    pub fn tell(&mut self, notices: Vec<Notice>) {
        for notice in notices {
            if notice.severity == Severity::Error {
                self.failure = Some(notice.text.clone());
            }
            self.messages.add(notice);
        }
    }

    /// What failed since the last call.
    pub fn take_failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    /// Notes that an image was asked for, to measure how long it takes to be seen.
    pub fn open_was_asked(&mut self) {
        self.open_asked = Some(Instant::now());
    }

    /// Shows why a command was refused.
    pub fn refuse(&mut self, why: &str) {
        self.failure = Some(why.to_owned());
        self.messages.add(Notice::warning(why));
    }

    /// Asks for a file or folder, as menus and buttons do.
    pub fn wish(&mut self, wish: FileWish) {
        self.dialogs.ask(wish);
    }

    /// Closes one of the windows that lie over the others; whether one was open.
    pub(super) fn close_window(&mut self) -> bool {
        self.training.sheet.close()
            || std::mem::replace(&mut self.export.is_open, false)
            || self.cleanup.close()
            || std::mem::replace(&mut self.shows_look, false)
    }

    /// Brings a place into the middle, at a scale when one is given.
    pub fn go_to(&mut self, at: ImagePoint, scale: Option<f64>) {
        if let Some(camera) = &mut self.camera {
            *camera = Camera {
                center: at,
                scale: scale.unwrap_or(camera.scale),
            };
        }
    }

    /// Shows all of `rect`, level-0 pixels.
    pub fn show_rect(&mut self, rect: PixelRect) {
        self.camera = Some(Camera::showing(rect, self.canvas));
    }

    /// Remembers the tool, to take it in hand again where there is something to correct.
    pub(super) fn follow_tool(&mut self, session: &Session) {
        if session.tool().corrects() {
            self.correcting = session.tool();
        }
    }

    /// Brings the difference that is looked at into view, once, and shows the errors of the cell
    /// that is walked through.
    pub(super) fn follow_review(&mut self, session: &Session) {
        let cell = session.review().and_then(Review::cell);
        if self.followed.cell != cell {
            self.followed.cell = cell;
            self.looked = match (cell, self.looked) {
                (Some([truth, predicted]), _) => Looked::Pair { truth, predicted },
                (None, Looked::Pair { .. }) => Looked::All,
                (None, looked) => looked,
            };
        }
        let current = session.review().and_then(|review| review.current());
        let current = current.map(|difference| difference.bounds);
        if let Some(bounds) = current
            && self.reviewed != current
        {
            // Some ground around it says what it is.
            self.show_rect(bounds.grown(bounds.width.max(bounds.height).max(64)));
        }
        self.reviewed = current;
    }

    /// Brings the point that is checked into view, once; the magnification stays from one to the
    /// next.
    pub(super) fn follow_check(&mut self, session: &Session) {
        let current = session.checked_point();
        let at = current.map(|(at, _)| at);
        if let Some((_, point)) = current
            && self.followed.point != at
        {
            let pixel = PixelRect::new(point.x, point.y, 1, 1);
            match &mut self.camera {
                Some(camera) if self.followed.point.is_some() => {
                    let middle = |at: u32| f64::from(at) + 0.5;
                    camera.center = ImagePoint::new(middle(point.x), middle(point.y));
                }
                _ => self.show_rect(pixel.grown(SEEN_AROUND)),
            }
        }
        self.followed.point = at;
    }

    /// Whether all tiles of the last frame are on the card.
    pub fn is_settled(&self) -> bool {
        self.feed.as_ref().is_none_or(Feed::is_idle)
    }

    /// Whether anything of the image is shown.
    pub fn has_picture(&self) -> bool {
        self.feed.as_ref().is_some_and(Feed::has_picture)
    }

    /// How long tiles were missed that came since the last call.
    pub fn take_waits(&mut self) -> Vec<Duration> {
        self.feed.as_mut().map_or_else(Vec::new, Feed::take_waits)
    }

    /// Shows a data set instead of the image, once it was looked at; the next training learns from
    /// it.
    pub fn open_dataset(&mut self, folder: &Path) -> Command {
        self.training.open(Page::Data);
        self.form.open_data(folder);
        look_at(folder, &self.form)
    }

    /// Whether the person decided that the window may go.
    pub fn may_close(&self) -> bool {
        self.waiting == Waiting::CloseNow
    }

    /// Asks what to do with unsaved work before the window closes.
    pub fn ask_before_closing(&mut self) {
        self.waiting = Waiting::Close;
    }

    /// Asks what to do with unsaved work before `command` is carried out.
    pub fn ask_before(&mut self, command: Command) {
        self.waiting = Waiting::Command(Box::new(command));
    }

    pub(super) fn end_frame(&mut self) {
        if let Some(feed) = &mut self.feed
            && feed.end_frame()
            && self.camera.is_some()
            && let Some(asked) = self.open_asked.take()
        {
            tracing::info!(
                "the picture is sharp {} ms after it was asked for",
                asked.elapsed().as_millis()
            );
        }
        if let Some(began) = self.frame_began.take() {
            self.stats.add(began.elapsed());
        }
    }
}
