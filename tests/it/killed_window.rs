//! The real window, painted in with the mouse and killed: needs `Xvfb`, `openbox` and `xdotool`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use orthobrush::job::Waker;
use orthobrush::project::Project;
use orthobrush::session::{LayerKind, ProjectPlace, Session, SessionConfig};

use crate::fixture::{finish, own_sample, turn};
use crate::program::orthobrush;

const KILLS: u32 = 5;
const PATIENCE: Duration = Duration::from_mins(1);

/// A display of its own; gone with everything on it when this is dropped.
struct Display {
    name: String,
    processes: Vec<Child>,
}

impl Display {
    /// `None` on a machine that lacks the programs.
    fn open() -> Option<Self> {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1280x800x24",
                "-nolisten",
                "tcp",
                // Else it starts anew, and may fail at that, when a client leaves before the next
                // one has come.
                "-noreset",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut number = String::new();
        BufReader::new(server.stdout.take()?)
            .read_line(&mut number)
            .ok()?;
        let mut display = Self {
            name: format!(":{}", number.trim()),
            processes: vec![server],
        };
        let manager = display.start("openbox", &[])?;
        display.processes.push(manager);
        display.run(&["version"])?;
        Some(display)
    }

    fn start(&self, program: &str, arguments: &[&str]) -> Option<Child> {
        Command::new(program)
            .args(arguments)
            .env("DISPLAY", &self.name)
            .env_remove("WAYLAND_DISPLAY")
            .env("WINIT_X11_SCALE_FACTOR", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()
    }

    /// What `xdotool` says; `None` when it fails.
    fn run(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("xdotool")
            .args(arguments)
            .env("DISPLAY", &self.name)
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }

    /// Draws with the left button from one place of the screen to another.
    fn stroke(&self, from: (u32, u32), to: (u32, u32)) {
        let place = |(x, y): (u32, u32)| [x.to_string(), y.to_string()];
        let [from, to] = [place(from), place(to)];
        let move_to = |at: &[String; 2]| self.run(&["mousemove", &at[0], &at[1]]);
        move_to(&from).expect("it moves");
        thread::sleep(Duration::from_millis(60));
        self.run(&["mousedown", "1"]).expect("it presses");
        thread::sleep(Duration::from_millis(60));
        move_to(&to).expect("it moves");
        thread::sleep(Duration::from_millis(60));
        self.run(&["mouseup", "1"]).expect("it lets go");
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

/// The label's undo steps as the project has them, and the sum of its class indices.
fn kept(ortho: &Path) -> ((usize, usize), u64) {
    let mut session = Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: None,
        projects: ProjectPlace::Beside { fallback: None },
    });
    let path = ortho.to_owned();
    finish(&mut session, orthobrush::session::Command::Open { path });
    let label = session.layer(LayerKind::Label).expect("a label");
    let sum = (0_u64..)
        .zip(label.mask.histogram())
        .map(|(class, n)| class * n)
        .sum();
    (session.num_steps(), sum)
}

/// The undo steps in the project while the window works on it.
fn num_steps(ortho: &Path) -> usize {
    let project = Project::open_read_only(&ortho.with_extension("orthobrush"));
    let layer = project.and_then(|project| project.layer(ortho, usize::MAX));
    layer
        .ok()
        .flatten()
        .map_or(0, |layer| layer.history.steps.len())
}

#[test]
fn strokes_of_a_killed_window_are_there_when_it_opens_again() {
    let Some(display) = Display::open() else {
        assert!(
            std::env::var_os("ORTHOBRUSH_REQUIRE_GPU").is_none(),
            "install Xvfb, openbox and xdotool"
        );
        println!("Not run: Xvfb, openbox or xdotool is missing");
        return;
    };
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let home = tempfile::tempdir().expect("a folder");
    let (mut steps, mut sum) = (0, kept(&ortho).1);
    for round in 0..KILLS {
        let mut window = orthobrush(&[&ortho])
            .env("DISPLAY", &display.name)
            .env_remove("WAYLAND_DISPLAY")
            .env("WINIT_X11_SCALE_FACTOR", "1")
            .env("HOME", home.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let began = Instant::now();
        while display
            .run(&["search", "--onlyvisible", "--name", "^Orthobrush$"])
            .is_none()
        {
            let ended = window.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "the window ended by itself: {ended:?}");
            assert!(began.elapsed() < PATIENCE, "no window came up");
            thread::sleep(Duration::from_millis(50));
        }
        display.run(&["key", "2"]).expect("it types");
        // Until the label is read, strokes are refused.
        while num_steps(&ortho) == steps {
            assert!(began.elapsed() < PATIENCE, "no stroke was taken");
            thread::sleep(Duration::from_millis(500));
            display.stroke((300, 150 + round * 90), (600, 170 + round * 90));
        }
        let before = num_steps(&ortho);
        display.run(&["key", "4"]).expect("it types");
        display.stroke((350, 180 + round * 90), (650, 200 + round * 90));
        // For a slow machine to hear of it; the stroke itself takes milliseconds.
        thread::sleep(Duration::from_millis(1_500));
        window.kill().expect("it can be killed");
        window.wait().expect("it ends");
        let ((done, all), new_sum) = kept(&ortho);
        assert!(
            done > before && done == all,
            "round {round}: {done} of {all} after {before}"
        );
        assert_ne!(new_sum, sum, "round {round}: they changed the label");
        (steps, sum) = (all, new_sum);
    }
}
