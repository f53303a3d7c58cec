//! What is on the disk survives a killed process and a disk that refuses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::program::{done, orthobrush, text};

/// Two labels of one size, in a folder of their own.
fn labels() -> (tempfile::TempDir, [PathBuf; 2]) {
    let folder = tempfile::tempdir().expect("a folder");
    let labels = ["1", "2"].map(|seed| {
        let out = folder.path().join(seed);
        let sample = ["sample", "--size", "1024x1024", "--seed", seed];
        done(&[&sample[..], &["--out", text(&out)]].concat());
        out.join("label.tif")
    });
    (folder, labels)
}

/// Saves a label over whatever is at `path`.
fn saving(label: &Path, path: &Path) -> Command {
    let mut command = orthobrush(&["convert", text(label), "--out", text(path)]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn a_save_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("label.tif");
    let (_labels, labels) = labels();
    let began = Instant::now();
    let versions = labels.each_ref().map(|label| {
        let status = saving(label, &path).status().expect("it starts");
        assert!(status.success());
        fs::read(&path).expect("a label")
    });
    assert_ne!(versions[0], versions[1]);
    // Kills are spread over the time that the work takes on this machine.
    let work = began.elapsed() / 2;
    let mut killed = 0;
    for round in 0..24_u32 {
        let label = &labels[round as usize % 2];
        let mut process = saving(label, &path).spawn().expect("it starts");
        std::thread::sleep(work * (round * 7 % 24) / 24);
        process.kill().expect("it can be killed");
        killed += u32::from(!process.wait().expect("it ends").success());
        let found = fs::read(&path).expect("a label");
        assert!(versions.contains(&found), "round {round}: a torn label");
    }
    assert!(killed > 8, "only {killed} of 24 were still running");
}

#[cfg(unix)]
#[test]
fn a_disk_that_refuses_leaves_the_old_file_and_one_clear_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("label.tif");
    let (_labels, [first, second]) = labels();
    let status = saving(&first, &path).status().expect("it starts");
    assert!(status.success());
    let before = fs::read(&path).expect("a label");
    // No file may grow beyond 8 blocks; the write fails as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" convert \"$1\" --out \"$2\"";
    let output = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_orthobrush")])
        .args([&second, &path])
        .output()
        .expect("a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("label.tif") && !errors.contains("panicked"),
        "{errors}"
    );
    assert_eq!(fs::read(&path).expect("a label"), before);
    let litter = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(litter, 4, "no half file is left");
}
