//! Small generated files and sessions that tests share.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use orthobrush::geom::{ImagePoint, ImageSize, PixelRect};
use orthobrush::job::Waker;
use orthobrush::render::Gpu;
use orthobrush::sample::{SampleConfig, SamplePaths, write_sample};
use orthobrush::session::{Command, ProjectPlace, Session, SessionConfig, Severity};

/// Long enough for a slow machine under load, short enough for a hang to be noticed.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// A sample project of 1,024 × 1,024 pixels, made once for all tests.
pub fn sample() -> &'static SamplePaths {
    static SAMPLE: OnceLock<SamplePaths> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder").keep();
        let config = SampleConfig {
            size: ImageSize::new(1_024, 1_024),
            ..SampleConfig::default()
        };
        write_sample(&folder, &config, |_| std::ops::ControlFlow::Continue(())).expect("a sample")
    })
}

/// A copy of the sample in a folder of its own, for tests that write.
pub fn own_sample() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = sample();
    for file in [
        &paths.ortho,
        &paths.label,
        &paths.label_true,
        &paths.classes,
    ] {
        let name = file.file_name().expect("a name");
        std::fs::copy(file, folder.path().join(name)).expect("a copy");
    }
    let ortho = folder.path().join("ortho.tif");
    (folder, ortho)
}

/// A session with nothing open and no settings.
pub fn session() -> Session {
    Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: None,
        projects: ProjectPlace::Nowhere,
    })
}

/// Applies a command that must work, waits for its jobs and checks the session.
#[track_caller]
pub fn finish(session: &mut Session, command: Command) {
    session.apply(command).expect("the command is accepted");
    let errors = settle(session);
    assert!(errors.is_empty(), "{errors:?}");
}

/// The corners of a rectangle, clockwise from the upper left one.
pub fn rectangle(rect: PixelRect) -> Vec<ImagePoint> {
    let [left, top, right, bottom] = [rect.x, rect.y, rect.right(), rect.bottom()].map(f64::from);
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
    corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec()
}

/// Fills a rectangle with a class, as a polygon drawn by hand does.
pub fn fill(session: &mut Session, rect: PixelRect, class: u8) {
    let (corners, class) = (rectangle(rect), Some(class));
    finish(session, Command::FillPolygon { corners, class });
}

/// Waits until no job runs, checks the session and gives the errors that were reported.
#[track_caller]
pub fn settle(session: &mut Session) -> Vec<String> {
    let began = Instant::now();
    let mut errors = Vec::new();
    loop {
        let taken = session.pump(64);
        session.check_invariants();
        let notices = session.take_notices().into_iter();
        let failed = notices.filter(|notice| notice.severity == Severity::Error);
        errors.extend(failed.map(|notice| notice.text));
        if session.is_idle() && taken == 0 {
            return errors;
        }
        assert!(began.elapsed() < PATIENCE, "the session's jobs did not end");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A session with an image and its label open.
#[track_caller]
pub fn opened(image: &Path) -> Session {
    let mut session = session();
    finish(
        &mut session,
        Command::Open {
            path: image.to_owned(),
        },
    );
    assert!(session.image().is_some());
    session
}

/// The one graphics device of this process: some drivers crash when tests open devices side by
/// side. Without an adapter the test fails; install a software Vulkan driver.
fn render_state() -> &'static egui_wgpu::RenderState {
    static STATE: OnceLock<egui_wgpu::RenderState> = OnceLock::new();
    STATE.get_or_init(|| {
        let setup = egui_kittest::wgpu::default_wgpu_setup();
        egui_kittest::wgpu::create_render_state(setup, egui_wgpu::RendererOptions::PREDICTABLE)
    })
}

/// The device as the renderer takes it.
pub fn gpu() -> Gpu {
    Gpu::of_window(render_state())
}

/// The device as a window under test takes it.
pub fn window_setup() -> egui_wgpu::WgpuSetup {
    let state = render_state();
    egui_wgpu::WgpuSetup::Existing(egui_wgpu::WgpuSetupExisting {
        instance: state.instance.clone(),
        adapter: state.adapter.clone(),
        device: state.device.clone(),
        queue: state.queue.clone(),
    })
}

/// Held by tests that draw, so that they take turns on the one device.
pub fn turn() -> std::sync::MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
