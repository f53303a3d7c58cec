//! Finished strokes outlive the program: restarts, kills, two windows, disks that refuse.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use orthobrush::disk::replace_file;
use orthobrush::geom::{ImagePoint, PixelRect};
use orthobrush::job::Waker;
use orthobrush::label::Mask;
use orthobrush::session::{
    ClassCommand, Command, CommandError, LayerKind, ProjectPlace, Safety, Session, SessionConfig,
};

use crate::fixture::{fill, finish, own_sample, settle};

/// Tells the child which image to work on, from which step on.
pub const CHILD: &str = "ORTHOBRUSH_PAINTER";

pub fn keeping() -> Session {
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

pub fn label(session: &Session) -> &Mask {
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
fn locks_of_classes_are_there_after_a_restart() {
    let (folder, ortho) = own_sample();
    let lock = |session: &mut Session, class, is_locked| {
        let command = ClassCommand::Lock { class, is_locked };
        finish(session, Command::Class(command));
    };
    let mut session = opened(&ortho);
    lock(&mut session, 3, true);
    lock(&mut session, 1, true);
    lock(&mut session, 1, false);
    drop(session);
    let mut session = opened(&ortho);
    assert_eq!(
        [1, 3].map(|class| session.is_class_locked(class)),
        [false, true]
    );
    assert!(!session.has_unsaved_work(), "nothing was painted");
    let water = session.areas()[3];
    assert!(water > 0);
    let area = PixelRect::new(0, 0, 1_024, 1_024);
    fill(&mut session, area, 1);
    assert_eq!(session.areas()[3], water, "nothing paints over it");
    drop(session);
    let mut session = opened(&ortho);
    assert!(session.is_class_locked(3), "also where the label is kept");
    // What another project holds has locks of its own.
    let other = folder.path().join("other.tif");
    std::fs::copy(&ortho, &other).expect("copied");
    finish(&mut session, Command::Open { path: other });
    assert!(!session.is_class_locked(3));
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

/// Opens an image and waits only until it is there, whatever else goes on.
fn finish_opening(session: &mut Session, open: Command) {
    let before = session.image().map(|image| image.id);
    session.apply(open).expect("accepted");
    while session.image().map(|image| image.id) == before {
        session.pump(1);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_cannot_be_opened_leaves_image_and_project_as_they_were() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let bad = folder.path().join("bad.tif");
    replace_file(&bad, b"no image").expect("written");
    let path = bad.clone();
    session.apply(Command::Open { path }).expect("accepted");
    assert_eq!(settle(&mut session).len(), 1, "it is said");
    stroke(&mut session, (100.0, 100.0), (300.0, 120.0), 3);
    let painted = label(&session).clone();
    assert!(settle(&mut session).is_empty());
    drop(session);
    assert!(!bad.with_extension("orthobrush").exists());
    assert_eq!(label(&opened(&ortho)), &painted);
}

#[test]
fn what_is_left_and_opened_again_at_once_is_ours_to_write() {
    let (_folder, one) = own_sample();
    let (_other_folder, other) = own_sample();
    let mut session = opened(&one);
    for round in 0_u8..3 {
        let y = 100.0 + 200.0 * f64::from(round);
        stroke(&mut session, (100.0, y), (300.0, y), round + 1);
        let painted = label(&session).clone();
        let open = |path: &Path| Command::Open {
            path: path.to_owned(),
        };
        // The first project still makes its last good copy while the second opens.
        finish_opening(&mut session, open(&other));
        finish_opening(&mut session, open(&one));
        assert!(settle(&mut session).is_empty());
        assert_ne!(session.safety(), Safety::ReadOnly);
        assert_eq!(label(&session), &painted, "round {round}");
    }
    assert_eq!(session.num_steps().0, 3);
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

/// Starts the painter, lets `lift` give the disk room again once it refused, and checks that every
/// stroke is there in the end.
#[cfg(target_os = "linux")]
fn paint_until_refused(mut painter: Process, image: &Path, lift: impl FnOnce(u32)) {
    let painter = painter.env(CHILD, image).stdout(Stdio::piped());
    let mut child = painter.spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = |word: &str| {
        lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.split_once(word)
                .map(|(_, behind)| behind.trim().to_owned())
        })
    };
    next("failing").expect("the disk refuses");
    lift(child.id());
    let sum = next("kept ").expect("the disk works again");
    assert!(child.wait().expect("it ends").success());
    let session = opened(image);
    let kept = label(&session).histogram();
    let found: u64 = (0_u64..).zip(kept).map(|(class, n)| class * n).sum();
    assert_eq!(sum, found.to_string());
}

#[cfg(target_os = "linux")]
#[test]
fn strokes_wait_in_memory_while_the_disk_refuses() {
    let (_folder, ortho) = own_sample();
    // No file may grow beyond 400 KiB until the limit is lifted.
    let script = "trap '' XFSZ; ulimit -S -f 400; exec \"$0\" keeping::painter_on_a_small_disk \
                  --exact --ignored --nocapture";
    let mut painter = Process::new("bash");
    painter
        .args(["-c", script])
        .arg(std::env::current_exe().expect("this program"));
    paint_until_refused(painter, &ortho, |child| {
        let lifted = Process::new("prlimit")
            .args([&format!("--pid={child}"), "--fsize=unlimited"])
            .status();
        assert!(lifted.expect("prlimit").success());
    });
}

/// A disk of its own in memory; gone when this is dropped.
#[cfg(target_os = "linux")]
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn of(bytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let size = format!("size={bytes}");
        let mounted = Process::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(folder))
    }

    fn grow(&self) {
        let grown = Process::new("mount")
            .args(["-o", "remount,size=64m"])
            .arg(self.0.path())
            .status();
        assert!(grown.expect("mount").success());
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Process::new("umount").arg(self.0.path()).status());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_stroke_is_lost_on_a_disk_that_is_full() {
    const ROOM: u64 = 400 << 10;
    let (folder, ortho) = own_sample();
    let files: Vec<PathBuf> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.is_file())
        .collect();
    let length = |path: &PathBuf| {
        path.metadata()
            .expect("a file")
            .len()
            .next_multiple_of(4_096)
    };
    let Some(disk) = SmallDisk::of(files.iter().map(length).sum::<u64>() + ROOM) else {
        println!("Not run: this user may not mount a small disk");
        return;
    };
    for path in &files {
        let name = path.file_name().expect("a name");
        std::fs::copy(path, disk.0.path().join(name)).expect("copied");
    }
    let image = disk.0.path().join(ortho.file_name().expect("a name"));
    let mut painter = Process::new(std::env::current_exe().expect("this program"));
    painter.args([
        "keeping::painter_on_a_small_disk",
        "--exact",
        "--ignored",
        "--nocapture",
    ]);
    paint_until_refused(painter, &image, |_| disk.grow());
}
