//! How long until a finished stroke is on the disk, and what it costs the thread that paints.
//!
//! Strokes of up to 64 mask tiles on a 9,500 × 9,000 label, in a project in the system's folder for
//! temporary files.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use orthobrush::geom::{ImagePoint, ImageSize};
use orthobrush::job::Waker;
use orthobrush::sample::{SampleConfig, write_sample};
use orthobrush::session::{Command, ProjectPlace, Safety, Session, SessionConfig};

const STROKES: u32 = 400;

fn main() {
    let strokes = if std::env::args().any(|arg| arg == "--bench") {
        STROKES
    } else {
        2
    };
    let folder = tempfile::tempdir().expect("a folder");
    let config = SampleConfig {
        size: ImageSize::new(9_500, 9_000),
        ..SampleConfig::default()
    };
    write_sample(folder.path(), &config, |_| ControlFlow::Continue(())).expect("a sample");
    let mut session = Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: None,
        projects: ProjectPlace::Beside { fallback: None },
    });
    let path = folder.path().join("ortho.tif");
    session.apply(Command::Open { path }).expect("accepted");
    wait(&mut session);
    session
        .apply(Command::SetBrushDiameter(256.0))
        .expect("accepted");
    let (mut lifting, mut durable) = (Vec::new(), Vec::new());
    for number in 0..strokes {
        let (lifted, kept) = stroke(&mut session, number);
        lifting.push(lifted);
        durable.push(kept);
    }
    tell("lifting the brush, on the painting thread", &mut lifting);
    tell("until the stroke is on the disk", &mut durable[1..]);
    println!(
        "the first stroke, which makes the project: {:.1} ms",
        millis(durable[0])
    );
}

/// A stroke across some 20 to 60 tiles: the time of its end alone, and until it is kept.
fn stroke(session: &mut Session, number: u32) -> (Duration, Duration) {
    let (x, y) = (
        f64::from(number * 613 % 7_000),
        f64::from(number * 397 % 8_000),
    );
    let at = ImagePoint::new(x + 200.0, y + 200.0);
    let class = (number % 5) as u8;
    session
        .apply(Command::BeginStroke { at, class })
        .expect("accepted");
    for step in 1..=20 {
        let to = ImagePoint::new(
            at.x + f64::from(step) * 100.0,
            at.y + f64::from(step) * 20.0,
        );
        session
            .apply(Command::ExtendStroke { to })
            .expect("accepted");
    }
    let began = Instant::now();
    session.apply(Command::EndStroke).expect("accepted");
    let lifted = began.elapsed();
    wait(session);
    assert!(matches!(session.safety(), Safety::Kept(_)));
    (lifted, began.elapsed())
}

fn wait(session: &mut Session) {
    while !session.is_idle() {
        if session.pump(64) == 0 {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

fn tell(what: &str, times: &mut [Duration]) {
    if times.is_empty() {
        return;
    }
    times.sort_unstable();
    let at = |share: usize| millis(times[(times.len() - 1) * share / 100]);
    println!(
        "{what}: median {:.1} ms, 99 % {:.1} ms, most {:.1} ms",
        at(50),
        at(99),
        at(100)
    );
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
