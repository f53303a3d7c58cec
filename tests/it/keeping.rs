//! Finished strokes outlive the program: restarts, kills, two windows, disks that refuse.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use orthobrush::disk::replace_file;
use orthobrush::geom::ImagePoint;
use orthobrush::job::Waker;
use orthobrush::label::Mask;
use orthobrush::session::{
    Command, CommandError, LayerKind, ProjectPlace, Safety, Session, SessionConfig,
};

use crate::fixture::{finish, own_sample, settle};

/// Tells the child which image to work on, from which step on.
const CHILD: &str = "ORTHOBRUSH_PAINTER";

fn keeping() -> Session {
    Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: None,
        projects: ProjectPlace::Beside { fallback: None },
    })
}

#[track_caller]
pub fn opened(image: &Path) -> Session {
    let mut session = keeping();
    let path = image.to_owned();
    finish(&mut session, Command::Open { path });
    session
}

fn label(session: &Session) -> &Mask {
    &session.layer(LayerKind::Label).expect("a label").mask
}

pub fn stroke(session: &mut Session, from: (f64, f64), to: (f64, f64), class: u8) {
    let at = ImagePoint::new(from.0, from.1);
    let to = ImagePoint::new(to.0, to.1);
    for command in [
        Command::BeginStroke { at, class },
        Command::ExtendStroke { to },
        Command::EndStroke,
    ] {
        session.apply(command).expect("accepted");
    }
}

#[test]
fn strokes_and_undo_steps_are_there_after_a_restart() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    assert!(
        !ortho.with_extension("orthobrush").exists(),
        "looking writes nothing"
    );
    let before = label(&session).clone();
    stroke(&mut session, (100.0, 100.0), (300.0, 120.0), 3);
    stroke(&mut session, (500.0, 100.0), (500.0, 600.0), 4);
    let painted = label(&session).clone();
    session.apply(Command::Undo).expect("accepted");
    assert!(settle(&mut session).is_empty());
    assert!(matches!(session.safety(), Safety::Kept(_)));
    assert!(session.has_unsaved_work() && !session.would_lose_work());
    drop(session);
    assert!(!ortho.with_file_name(".ortho.orthobrush.lock").exists());

    let mut session = opened(&ortho);
    assert!(session.has_unsaved_work(), "the mask file was not touched");
    session.apply(Command::Redo).expect("accepted");
    assert_eq!(label(&session), &painted);
    session.apply(Command::Undo).expect("accepted");
    session.apply(Command::Undo).expect("accepted");
    assert_eq!(label(&session), &before);
    assert!(!session.can_undo());
    settle(&mut session);
    drop(session);

    // A project file opens what it was made for.
    let mut session = opened(&ortho.with_extension("orthobrush"));
    assert_eq!(session.image().expect("an image").path, ortho);
    session.apply(Command::Redo).expect("accepted");
    finish(&mut session, Command::SaveLabel);
    assert!(!session.has_unsaved_work());
    drop(session);
    let session = opened(&ortho);
    assert!(!session.has_unsaved_work() && session.can_undo() && session.can_redo());
}

#[test]
fn a_second_window_may_look_but_not_touch() {
    let (_folder, ortho) = own_sample();
    let mut first = opened(&ortho);
    stroke(&mut first, (100.0, 100.0), (300.0, 120.0), 3);
    settle(&mut first);
    let mut second = opened(&ortho);
    assert_eq!(second.safety(), Safety::ReadOnly);
    assert_eq!(label(&second), label(&first));
    let at = ImagePoint::new(9.0, 9.0);
    let refused = second.apply(Command::BeginStroke { at, class: 1 });
    assert!(matches!(refused, Err(CommandError::ReadOnly)));
    drop(first);
    drop(second);
    let mut third = opened(&ortho);
    stroke(&mut third, (100.0, 100.0), (300.0, 120.0), 1);
    assert!(settle(&mut third).is_empty());
}

#[test]
fn a_mask_file_that_another_program_wrote_is_not_overwritten_unseen() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    stroke(&mut session, (100.0, 100.0), (300.0, 120.0), 3);
    settle(&mut session);
    let painted = label(&session).clone();
    drop(session);
    let file = ortho.with_file_name("label.tif");
    std::fs::copy(ortho.with_file_name("label_true.tif"), &file).expect("copied");
    let mut session = keeping();
    let path = ortho.clone();
    session.apply(Command::Open { path }).expect("accepted");
    let mut notices = Vec::new();
    while !session.is_idle() {
        session.pump(8);
        notices.extend(session.take_notices());
        std::thread::sleep(Duration::from_millis(1));
    }
    let told = notices
        .iter()
        .any(|notice| notice.text.contains("Another program changed"));
    assert!(told, "{notices:?}");
    assert_eq!(label(&session), &painted);
    // Opening the file takes its place, and that is kept as well.
    session.apply(Command::DiscardStrokes).expect("accepted");
    let open = Command::OpenMask {
        layer: LayerKind::Label,
        path: file,
    };
    finish(&mut session, open);
    let taken = label(&session).clone();
    assert_ne!(taken, painted);
    drop(session);
    assert_eq!(label(&opened(&ortho)), &taken);
}

/// What the scripted painter does as step `number`, one step of the history or back or forth in it;
/// it depends on nothing else.
fn act(session: &mut Session, number: u64) {
    let mut random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut place = || (next(1_024) as f64 + 0.5, next(1_024) as f64 + 0.5);
    let (from, to, third) = (place(), place(), place());
    let class = next(5) as u8;
    let point = |(x, y)| ImagePoint::new(x, y);
    // Runs of steps back and forth among the strokes.
    let kind = match number % 40 {
        20..26 => 7,
        26..29 => 9,
        _ => next(10),
    };
    let commands = match kind {
        0..5 => {
            let diameter = 4.0 + next(200) as f64;
            session
                .apply(Command::SetBrushDiameter(diameter))
                .expect("accepted");
            return stroke(session, from, to, class);
        }
        5 => vec![
            Command::SelectClass(class),
            Command::FillPolygon {
                class: None,
                corners: [from, to, third].map(point).to_vec(),
            },
        ],
        6 => vec![
            Command::SelectClass(class),
            Command::FloodFill { at: point(from) },
        ],
        7 | 8 => vec![Command::Undo],
        _ => vec![Command::Redo],
    };
    for command in commands {
        session.apply(command).expect("accepted");
    }
}

/// Paints without end; says which step it begins and up to which all are on the disk. The test
/// below starts it as a process of its own and kills it.
#[test]
#[ignore = "the child of the next test"]
fn scripted_painter() {
    let Ok(task) = std::env::var(CHILD) else {
        return;
    };
    let (first, image) = task.split_once(' ').expect("a step and an image");
    let mut session = opened(Path::new(image));
    for number in first.parse::<u64>().expect("a number").. {
        println!("begin {number}");
        act(&mut session, number);
        session.pump(64);
        if number % 3 == 0 {
            assert!(settle(&mut session).is_empty());
            println!("kept {number}");
        }
    }
}

/// Lets the painter work from step `first` on, kills it after `patience`, and gives the last step
/// that was surely kept and the last that was begun.
fn paint_and_kill(image: &Path, first: u64, patience: Duration) -> (Option<u64>, Option<u64>) {
    let mut child = Process::new(std::env::current_exe().expect("this program"))
        .args([
            "keeping::scripted_painter",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(CHILD, format!("{first} {}", image.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (mut kept, mut begun) = (None, None);
    let mut hear = |line: &str| {
        let number = |word: &str| line.split_once(word)?.1.trim().parse::<u64>().ok();
        kept = number("kept ").or(kept);
        begun = number("begin ").or(begun);
    };
    // Its start takes a different time each time; what counts is when it paints.
    for line in lines.by_ref().map_while(Result::ok) {
        hear(&line);
        if line.contains("begin ") {
            break;
        }
    }
    std::thread::sleep(patience);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    lines.map_while(Result::ok).for_each(|line| hear(&line));
    (kept, begun)
}

#[test]
fn no_finished_step_is_lost_when_the_program_is_killed() {
    const KILLS_OF_A_PROJECT: u64 = 40;
    let kills = std::env::var("ORTHOBRUSH_KILLS").map_or(Ok(200), |text| text.parse::<u64>());
    let kills = kills.expect("a number of kills");
    let projects = kills.div_ceil(KILLS_OF_A_PROJECT);
    let while_painting: u64 = (0..projects)
        .map(|_| kill_again_and_again(KILLS_OF_A_PROJECT))
        .sum();
    assert!(while_painting > kills / 20, "kills came between steps only");
}

/// Kills the painter of one project again and again; each time the label and its history must be
/// those of one of the steps that may have survived. Gives the kills that came in the middle of work.
fn kill_again_and_again(kills: u64) -> u64 {
    let (_folder, ortho) = own_sample();
    let mut model = crate::fixture::opened(&ortho);
    let state = |session: &Session| (label(session).clone(), session.num_steps());
    let mut states = vec![state(&model)];
    let (mut done, mut while_painting) = (0, 0);
    for round in 0..kills {
        let patience = Duration::from_millis(round * 13 % 61);
        let (kept, begun) = paint_and_kill(&ortho, done as u64 + 1, patience);
        let begun = begun.map_or(done, |begun| begun as usize);
        while states.len() <= begun {
            act(&mut model, states.len() as u64);
            model.pump(64);
            states.push(state(&model));
        }
        let least = kept.map_or(done, |kept| kept as usize);
        let session = opened(&ortho);
        let found = state(&session);
        drop(session);
        // Steps that change nothing make equal states: the latest is as good as the first.
        let survived = (least..=begun).rev().find(|&step| states[step] == found);
        done = survived.unwrap_or_else(|| {
            panic!("round {round}: one of the steps {least} to {begun} was to survive")
        });
        while_painting += u64::from(begun > least);
        if done < begun {
            states.truncate(done + 1);
            model = restarted_model(&ortho, done);
        }
    }
    assert!(done > 20, "only {done} steps were painted");
    while_painting
}

/// A session that did the first `steps` steps without ever being killed.
fn restarted_model(ortho: &Path, steps: usize) -> Session {
    let mut model = crate::fixture::opened(ortho);
    for number in 1..=steps as u64 {
        act(&mut model, number);
        model.pump(64);
    }
    model
}

#[cfg(unix)]
#[test]
fn a_damaged_project_is_set_aside_and_the_last_copy_opened() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    stroke(&mut session, (100.0, 100.0), (300.0, 120.0), 3);
    settle(&mut session);
    let painted = label(&session).clone();
    drop(session);
    let project: PathBuf = ortho.with_extension("orthobrush");
    assert!(
        project.with_extension("orthobrush.bak").exists(),
        "closing makes a copy"
    );
    let whole = std::fs::read(&project).expect("a project");
    for round in 0..24_usize {
        let mut bytes = whole.clone();
        let at = bytes.len() * (round * 37 % 100) / 100;
        match round % 3 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << (round % 8),
            _ => {
                let end = bytes.len().min(at + 3_000);
                bytes[at..end].fill(0xa5);
            }
        }
        replace_file(&project, &bytes).expect("written");
        let mut session = keeping();
        let path = ortho.clone();
        session.apply(Command::Open { path }).expect("accepted");
        let errors = settle(&mut session);
        let found = label(&session);
        let is_told = errors.iter().any(|error| error.contains("set aside"));
        let is_plain = found == label(&crate::fixture::opened(&ortho));
        assert!(
            found == &painted || (is_told && is_plain),
            "round {round}: silently wrong ({errors:?})"
        );
        drop(session);
    }
}

/// Paints until the disk refuses, and waits until it works again. A child like the one above.
#[test]
#[ignore = "the child of the next test"]
fn painter_on_a_small_disk() {
    let Ok(image) = std::env::var(CHILD) else {
        return;
    };
    let mut session = opened(Path::new(&image));
    let mut number = 0;
    while !matches!(session.safety(), Safety::Failing(_)) {
        let x = f64::from(number) * 37.0 % 900.0;
        stroke(
            &mut session,
            (x, 10.0),
            (1_000.0 - x, 1_000.0),
            (number % 5) as u8,
        );
        number += 1;
        settle(&mut session);
    }
    stroke(&mut session, (1.0, 1.0), (900.0, 900.0), 4);
    assert!(
        session.would_lose_work(),
        "closing asks while the disk refuses"
    );
    println!("failing");
    while !matches!(session.safety(), Safety::Kept(_)) {
        session.pump(8);
        std::thread::sleep(Duration::from_millis(5));
    }
    let sum: u64 = (0_u64..)
        .zip(label(&session).histogram())
        .map(|(class, n)| class * n)
        .sum();
    println!("kept {sum}");
}

#[cfg(target_os = "linux")]
#[test]
fn strokes_wait_in_memory_while_the_disk_refuses() {
    let (_folder, ortho) = own_sample();
    let program = std::env::current_exe().expect("this program");
    // No file may grow beyond 400 KiB, as on a full disk, until the limit is lifted.
    let script = "trap '' XFSZ; ulimit -S -f 400; exec \"$0\" keeping::painter_on_a_small_disk \
                  --exact --ignored --nocapture";
    let mut child = Process::new("bash")
        .args(["-c", script])
        .arg(program)
        .env(CHILD, &ortho)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = |word: &str| {
        lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.split_once(word)
                .map(|(_, behind)| behind.trim().to_owned())
        })
    };
    next("failing").expect("the disk refuses");
    let lifted = Process::new("prlimit")
        .args([&format!("--pid={}", child.id()), "--fsize=unlimited"])
        .status()
        .expect("prlimit");
    assert!(lifted.success());
    let sum = next("kept ").expect("the disk works again");
    assert!(child.wait().expect("it ends").success());
    let session = opened(&ortho);
    let kept = label(&session).histogram();
    let found: u64 = (0_u64..).zip(kept).map(|(class, n)| class * n).sum();
    assert_eq!(sum, found.to_string());
}
