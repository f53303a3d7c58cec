//! The window: drains events, lays out panes, applies what the person asked for.

mod bench_view;
mod screenshot;
mod stage;

pub use bench_view::{PartReport, ViewBench, ViewReport};
pub use screenshot::Screenshot;
pub use stage::Stage;

use std::path::PathBuf;

use crate::cli::{BenchViewArgs, ScreenshotArgs, check_png, say_view, write_png};
use crate::job::Waker;
use crate::raster::OverviewStore;
use crate::render::Gpu;
use crate::session::{
    Command, CommandError, ProjectPlace, Session, SessionConfig, Settings, companion_label,
    images_in,
};
use crate::train::FeatureStore;
use crate::ui::{PaneLayout, View, ViewConfig, install_theme, window_ui};

/// Events taken in during one frame; the rest waits for the next.
const EVENTS_PER_FRAME: usize = 64;

/// Bytes for what whole images look like: 14 of 9,000 × 9,000 pixels.
const FEATURE_BYTES: u64 = 1 << 30;

/// The window's size at first, in points: with its frame it fits on a screen of 1280 × 800.
const FIRST_SIZE: [f32; 2] = [1200.0, 720.0];

/// The program as eframe runs it.
pub struct App {
    session: Session,
    view: View,
}

/// What the window starts with.
#[derive(Clone, Debug, Default)]
pub struct AppConfig {
    /// An image or folder to open, given on the command line.
    pub open: Option<PathBuf>,
    /// A data set to look at, given on the command line.
    pub data: Option<PathBuf>,
    /// Where settings are kept; `None` keeps them nowhere.
    pub settings_path: Option<PathBuf>,
    /// Where the sample project goes.
    pub sample_folder: PathBuf,
    /// Where finished strokes are kept.
    pub projects: ProjectPlace,
    /// Whether overviews of images that have none are made, and kept with what images look like in
    /// this user's folder for caches.
    pub keeps_overviews: bool,
}

impl AppConfig {
    /// Settings and sample in this user's own folders.
    pub fn of_user(open: Option<PathBuf>) -> Self {
        let folders = directories::ProjectDirs::from("", "", "orthobrush");
        let data = folders.map_or_else(std::env::temp_dir, |dirs| dirs.data_dir().to_owned());
        Self {
            open,
            data: None,
            settings_path: Settings::default_path(),
            sample_folder: data.join("sample"),
            projects: ProjectPlace::Beside {
                fallback: Some(data.join("projects")),
            },
            keeps_overviews: true,
        }
    }
}

impl App {
    /// A window that wakes by `ctx` and draws with `gpu`.
    pub fn new(ctx: &egui::Context, gpu: Option<Gpu>, config: AppConfig) -> Self {
        install_theme(ctx);
        let waker = {
            let ctx = ctx.clone();
            Waker::new(move || ctx.request_repaint())
        };
        let session = SessionConfig {
            waker: waker.clone(),
            settings_path: config.settings_path,
            projects: config.projects,
        };
        let mut session = Session::new(session);
        let bytes = session.settings().overview_bytes();
        if let Some(store) = OverviewStore::usual(bytes).filter(|_| config.keeps_overviews) {
            session.keep_overviews(store);
        }
        let bytes = bytes.min(FEATURE_BYTES);
        if let Some(store) = FeatureStore::usual(bytes).filter(|_| config.keeps_overviews) {
            session.keep_features(store);
        }
        session.watch();
        let gpu_tile_bytes = session.settings().budget().gpu_tile_bytes;
        let sample_folder = config.sample_folder;
        let view = View::new(ViewConfig {
            gpu,
            gpu_tile_bytes,
            waker,
            sample_folder,
        });
        let mut app = Self { session, view };
        if let Some(path) = config.open {
            app.perform(vec![Command::Open { path }]);
        }
        if let Some(folder) = config.data {
            let look = app.view.open_dataset(&folder);
            app.perform(vec![look]);
        }
        app
    }

    /// What is open.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// How it is shown.
    pub const fn view_mut(&mut self) -> &mut View {
        &mut self.view
    }

    /// What failed since the last call, for those who draw without a person watching.
    pub fn take_failure(&mut self) -> Option<String> {
        self.view.take_failure()
    }

    /// Whether nothing runs and every visible tile is shown.
    pub fn is_settled(&self) -> bool {
        self.session.is_idle() && self.view.is_settled()
    }

    /// Applies commands; what is refused is said in the window.
    pub fn perform(&mut self, commands: Vec<Command>) {
        for command in commands {
            if matches!(command, Command::Open { .. }) {
                self.view.open_was_asked();
            }
            match self.session.apply(command.clone()) {
                Ok(()) => {}
                Err(CommandError::UnsavedWork) => self.view.ask_before(command),
                Err(error) => self.view.refuse(&error.to_string()),
            }
        }
    }

    /// Takes in what jobs and decoders have to say.
    pub fn update(&mut self, ctx: &egui::Context) {
        let taken = self.session.pump(EVENTS_PER_FRAME);
        let notices = self.session.take_notices();
        self.view.tell(notices);
        let changes = self.session.take_changes();
        let more_tiles = self.view.begin_frame(changes, &self.session);
        if more_tiles || taken == EVENTS_PER_FRAME {
            ctx.request_repaint();
        }
    }

    /// Lays out the window and applies what the person asked for in this frame.
    pub fn layout(&mut self, ui: &mut egui::Ui) {
        let mut commands = Vec::new();
        window_ui(ui, &self.session, &mut self.view, &mut commands);
        if !commands.is_empty() {
            self.perform(commands);
            ui.ctx().request_repaint();
        }
    }

    fn hold_back_closing(&mut self, ctx: &egui::Context) {
        let wants_close = ctx.input(|input| input.viewport().close_requested());
        if wants_close && self.session.would_lose_work() && !self.view.may_close() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.view.ask_before_closing();
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.hold_back_closing(ctx);
        self.update(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.layout(ui);
    }
}

/// Opens the window and returns when it is closed.
///
/// # Errors
/// When there is no display or no graphics device.
pub fn run_window(config: AppConfig) -> anyhow::Result<()> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Orthobrush")
        .with_app_id("orthobrush")
        .with_inner_size(FIRST_SIZE)
        .with_min_inner_size([640.0, 400.0]);
    let options = eframe::NativeOptions {
        viewport,
        ..Default::default()
    };
    let create: eframe::AppCreator<'_> = Box::new(move |creation| {
        let gpu = creation.wgpu_render_state.as_ref().map(Gpu::of_window);
        Ok(Box::new(App::new(&creation.egui_ctx, gpu, config)))
    });
    eframe::run_native("Orthobrush", options, create).map_err(|error| {
        anyhow::anyhow!(
            "The window could not open ({error}). Check that a display is there (DISPLAY or \
             WAYLAND_DISPLAY) and a Vulkan driver is installed; everything but the window works \
             without: orthobrush --help"
        )
    })
}

/// Draws the whole window without a display into a PNG.
///
/// # Errors
/// When a file cannot be opened or would be replaced by the picture, there is no graphics device, or
/// the disk refuses.
pub fn take_screenshot(args: &ScreenshotArgs) -> anyhow::Result<()> {
    let opened = args.path.iter().chain(&args.label).chain(&args.prediction);
    let beside = args.path.as_deref().and_then(companion_label);
    let listed = args.path.as_deref().map(images_in);
    let listed = listed.and_then(Result::ok).unwrap_or_default();
    let inputs = opened.chain(&beside).chain(&listed);
    check_png(&args.out, inputs.map(AsRef::as_ref))?;
    let screenshot = Screenshot {
        open: args.path.clone(),
        label: args.label.clone(),
        prediction: args.prediction.clone(),
        layout: PaneLayout::ALL[usize::from(args.panes.clamp(1, 4)) - 1],
        size: args.size,
    };
    let pixels = screenshot.take()?;
    write_png(&args.out, args.size, &pixels)
}

/// Looks at an image along a path and says what that costs.
///
/// # Errors
/// When the image cannot be opened or there is no graphics device.
pub fn bench_view(args: &BenchViewArgs) -> anyhow::Result<()> {
    let bench = ViewBench {
        path: args.path.clone(),
        seconds: args.seconds,
        draws: args.draw,
    };
    let report = bench.run()?;
    let json = serde_json::to_value(&report)?;
    say_view(&json, args.json);
    Ok(())
}
