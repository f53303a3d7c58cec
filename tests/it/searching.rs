//! Searching and cross-validation from the command line, killed in between.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use orthobrush::disk::{FileLock, replace_file};
use serde_json::Value;

use crate::program::{done, failed, json, orthobrush, quick_training, refused, text};

/// A folder with a data set of small tiles.
fn tiles() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    crate::program::tiles(&data);
    (folder, data)
}

const SEARCH: &str = "\
    way = \"grid\"\n\
    recipe = { epochs = 2, steps_per_epoch = 2, batch = 2, patch = 64, device = \"cpu\" }\n\
    vary.learning_rate = [1e-2, 1e-3]\n\
    halving = { first_epochs = 1, keep = 0.5 }\n\
    refit = { seeds = [5] }\n";

#[test]
fn a_search_that_is_killed_goes_on_with_the_same_command() {
    let (folder, data) = tiles();
    let (spec, out) = (folder.path().join("s.toml"), folder.path().join("out"));
    replace_file(&spec, SEARCH.as_bytes()).expect("saved");
    let arguments = [
        "search",
        text(&spec),
        "--data",
        text(&data),
        "--out",
        text(&out),
    ];
    let mut killed = orthobrush(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(killed.stdout.take().expect("a pipe")).lines();
    let is_epoch = |line: &String| line.contains("epoch   1");
    let epoch = lines.map_while(Result::ok).find(is_epoch);
    assert!(epoch.is_some_and(|line| line.starts_with("trial-1")));
    killed.kill().expect("it ran");
    killed.wait().expect("it ended");
    let said = done(&arguments);
    assert!(said.contains("at most 2 epochs (uncut 4)"), "{said}");
    assert!(said.contains("anew from 1 seeds, test"), "{said}");
    assert!(
        !said.contains("trial-1  epoch"),
        "it was told before\n{said}"
    );
    for file in ["search.md", "search.csv", "refit-seed-5/scores-test.json"] {
        assert!(out.join(file).is_file(), "{file}");
    }
    // One line: nothing was left to do.
    let last = json(&[&arguments[..], &["--json"]].concat());
    assert_eq!(last["refit"]["on"], "test");
    assert_eq!(
        (&last["rungs_done"], &last["rows"][1]["epochs"]),
        (&1.into(), &1.into())
    );
    // The folder alone says all, and is not taken for another search's.
    let errors = failed(&[&arguments[..], &["--voids-are-nodata"]].concat(), 1);
    assert!(errors.contains("with other corrections"), "{errors}");
    let kept = out.join("search.toml");
    let from_kept = [&["search", text(&kept)], &arguments[2..]].concat();
    assert_eq!(json(&[&from_kept[..], &["--json"]].concat()), last);
    // Another search is refused and leaves all of this one as it is.
    let before = files_of(&out);
    replace_file(&spec, SEARCH.replace("1e-3", "2e-3").as_bytes()).expect("saved");
    let errors = failed(&arguments, 1);
    assert!(errors.contains("another search"), "{errors}");
    assert!(before.contains_key("search.toml") && before == files_of(&out));
}

#[test]
fn a_search_file_of_ones_own_stays_as_it_was_written() {
    let (folder, data) = tiles();
    let out = folder.path().join("out");
    let spec = out.join("search.toml");
    let own = format!("# What I want to know.\n{SEARCH}");
    fs::create_dir(&out).expect("a folder");
    replace_file(&spec, own.as_bytes()).expect("saved");
    let arguments = ["search", text(&spec), "--data", text(&data)];
    done(&[&arguments[..], &["--out", text(&out)]].concat());
    assert_eq!(fs::read_to_string(&spec).expect("a text"), own);
}

/// The files that lie in a folder itself, by name.
fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let named = |path: PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy();
        (name.into_owned(), fs::read(&path).expect("a file"))
    };
    paths.filter(|path| path.is_file()).map(named).collect()
}

#[test]
fn what_is_no_choice_of_a_recipe_is_told_in_a_sentence() {
    let (folder, data) = tiles();
    let spec = folder.path().join("s.toml");
    replace_file(&spec, b"vary.learning_rat = [1e-2]").expect("saved");
    let out = folder.path().join("out");
    let search = |spec: &str| {
        let arguments = ["search", spec, "--data", text(&data), "--out", text(&out)];
        failed(&arguments, 1)
    };
    let errors = search(text(&spec));
    assert!(
        errors.contains("vary.learning_rat with 0.01: unknown field"),
        "{errors}"
    );
    let errors = search("weather");
    assert!(errors.contains("The search cannot be read"), "{errors}");
    assert!(!out.exists());
}

#[test]
fn each_portion_of_a_data_set_validates_once() {
    let (folder, data) = tiles();
    let out = folder.path().join("out");
    let arguments = [&quick_training(&data, &out)[..], &["--folds", "2"]].concat();
    let said = done(&arguments);
    let last = said.lines().last().expect("a line");
    assert!(
        last.starts_with("2 trainings (validation, selected on it): mean IoU"),
        "{said}"
    );
    assert!(last.contains(" ± "), "{last}");
    for file in ["folds.md", "folds.csv"] {
        assert!(out.join(file).is_file(), "{file}");
    }
    assert!(said.contains(text(&out.join("folds.md"))), "{said}");
    let result = json(&[&arguments[..], &["--json"]].concat());
    let names: Vec<&Value> = result["runs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| &run["name"])
        .collect();
    assert_eq!(names, ["fold-0", "fold-1"]);
    assert!(result["runs"][0]["majority_baseline"].is_number());
    assert_eq!(result["mean_iou"]["count"], 2);
}

#[test]
fn a_cross_validation_keeps_to_what_it_was_begun_with() {
    let (folder, data) = tiles();
    let (out, other) = (folder.path().join("out"), folder.path().join("other"));
    let arguments = [&quick_training(&data, &out)[..], &["--folds", "2"]].concat();
    done(&arguments);
    crate::program::tiles(&other);
    let before = files_of(&out);
    assert!(before.contains_key("folds.md"));
    let on_other = [&quick_training(&other, &out)[..], &["--folds", "2"]].concat();
    refused(&on_other, &["begun on other data"]);
    let corrected = [&arguments[..], &["--mask-threshold", "200"]].concat();
    refused(&corrected, &["with other corrections"]);
    let slower = [&arguments[..], &["--lr", "1e-5"]].concat();
    refused(&slower, &["another recipe", "fold-0"]);
    let portions = [&quick_training(&data, &out)[..], &["--folds", "3"]].concat();
    refused(&portions, &["another recipe"]);
    assert!(before == files_of(&out));
}

#[test]
fn two_programs_do_not_train_into_one_folder() {
    let (folder, data) = tiles();
    let spec = folder.path().join("s.toml");
    replace_file(&spec, SEARCH.as_bytes()).expect("saved");
    let [run, portions, search] =
        ["run", "portions", "search"].map(|name| folder.path().join(name));
    let locks = [&run, &portions, &search].map(|out| {
        fs::create_dir(out).expect("a folder");
        let lock = FileLock::acquire(&out.join(".lock"), Duration::ZERO).expect("a lock");
        lock.expect("nobody has it")
    });
    let words = [
        "Another Orthobrush trains or judges in this folder",
        "name another",
    ];
    let errors = failed(&quick_training(&data, &run), 1);
    assert!(errors.contains(words[0]), "{errors}");
    let folds = [&quick_training(&data, &portions)[..], &["--folds", "2"]].concat();
    refused(&folds, &words);
    let arguments = [
        "search",
        text(&spec),
        "--data",
        text(&data),
        "--out",
        text(&search),
    ];
    refused(&arguments, &words);
    for begun in [
        run.join("recipe.toml"),
        portions.join("queue.json"),
        search.join("search.json"),
    ] {
        assert!(!begun.exists(), "{}", begun.display());
    }
    drop(locks);
    // What a killed program leaves is in nobody's way.
    replace_file(&run.join(".lock"), b"").expect("written");
    done(&quick_training(&data, &run));
    assert!(!run.join(".lock").exists());
}
