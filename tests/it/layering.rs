//! The house rules that a machine can hold: who imports whom, how long files and functions are,
//! which crates are named where, and that every shader is valid.

use std::fs;
use std::path::{Path, PathBuf};

/// What each module may reach. A module not listed may reach nothing; `app` and `main` may reach
/// everything.
const MAY_USE: &[(&str, &[&str])] = &[
    ("raster", &["geom", "disk", "job"]),
    ("label", &["geom", "disk", "raster"]),
    ("exchange", &["geom", "disk", "raster", "label"]),
    ("metrics", &["geom", "label"]),
    ("sample", &["geom", "disk", "raster", "label"]),
    ("dataset", &["geom", "disk", "raster", "label", "exchange"]),
    ("project", &["geom", "disk", "label"]),
    (
        "train",
        &[
            "geom", "disk", "job", "raster", "label", "metrics", "dataset", "nn",
        ],
    ),
    (
        "session",
        &[
            "geom", "disk", "job", "raster", "label", "exchange", "metrics", "sample", "dataset",
            "project", "train",
        ],
    ),
    ("render", &["geom", "raster", "label"]),
    (
        "ui",
        &[
            "geom", "job", "raster", "label", "exchange", "metrics", "dataset", "train", "session",
            "render",
        ],
    ),
    (
        "cli",
        &[
            "geom", "disk", "job", "raster", "label", "exchange", "metrics", "sample", "dataset",
            "project", "train", "session", "render",
        ],
    ),
];

/// Crates that only some modules may name.
const NAMED_ONLY_IN: &[(&str, &[&str])] = &[
    ("burn", &["nn", "train"]),
    ("rusqlite", &["project", "exchange"]),
    ("proj4rs", &["exchange"]),
    ("crs_definitions", &["exchange"]),
    ("roxmltree", &["raster", "exchange"]),
    ("half", &["raster"]),
    ("jpeg2k", &["raster"]),
    ("lerc_reader", &["raster"]),
    ("liblzma", &["raster"]),
    ("zstd", &["raster"]),
    // `train` lists adapters through the wgpu that Burn re-exports.
    ("wgpu", &["render", "app", "train"]),
    ("egui_wgpu", &["render", "app"]),
    ("egui", &["ui", "render", "app"]),
    ("eframe", &["app"]),
    ("rfd", &["ui"]),
    ("clap", &["cli", "main"]),
    ("raw_cpuid", &["train"]),
    ("signal_hook", &["cli"]),
    ("indicatif", &["cli"]),
];

const LONGEST_FILE: usize = 500;
const LONGEST_FUNCTION: usize = 60;

#[test]
fn modules_only_look_down() {
    let mut offences = Vec::new();
    for (path, text) in sources("src") {
        let module = module_of(&path);
        if ["app", "main", "lib"].contains(&module.as_str()) {
            continue;
        }
        let allowed = MAY_USE.iter().find(|(name, _)| *name == module);
        let allowed = allowed.map_or(&[][..], |(_, allowed)| allowed);
        for (number, line) in code_lines(&text) {
            for used in after_each(line, "crate::") {
                if used != module && !allowed.contains(&used) {
                    offences.push(format!(
                        "{}:{number}: {module} may not use {used}",
                        path.display()
                    ));
                }
            }
        }
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn crates_stay_in_their_layer() {
    let mut offences = Vec::new();
    for (path, text) in sources("src") {
        let module = module_of(&path);
        for (number, line) in code_lines(&text) {
            for (name, owners) in NAMED_ONLY_IN {
                if names_crate(line, name) && !owners.contains(&module.as_str()) {
                    offences.push(format!(
                        "{}:{number}: {module} may not name {name}",
                        path.display()
                    ));
                }
            }
        }
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn files_and_functions_stay_short() {
    let mut offences = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            offences.push(format!("{}: {lines} lines", path.display()));
        }
        for (name, length) in functions(&text) {
            if length > LONGEST_FUNCTION {
                offences.push(format!("{}: fn {name} has {length} lines", path.display()));
            }
        }
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn every_shader_is_valid() {
    let folder = root().join("shaders");
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder of shaders") {
        let path = entry.expect("an entry").path();
        let source = fs::read_to_string(&path).expect("a shader");
        let module = naga::front::wgsl::parse_str(&source).unwrap_or_else(|error| {
            panic!("{}: {}", path.display(), error.emit_to_string(&source))
        });
        let flags = naga::valid::ValidationFlags::all();
        let validated = naga::valid::Validator::new(flags, naga::valid::Capabilities::empty())
            .validate(&module);
        validated.unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
        count += 1;
    }
    assert!(count >= 2, "the viewer draws images and masks");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// `src/label/mask.rs` belongs to `label`, `src/main.rs` to `main`.
fn module_of(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).unwrap_or(path);
    let first = below.components().next().expect("a path with a name");
    first
        .as_os_str()
        .to_string_lossy()
        .trim_end_matches(".rs")
        .to_owned()
}

fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()));
    lines.filter(|(_, line)| !line.starts_with("//"))
}

fn after_each<'a>(line: &'a str, prefix: &str) -> Vec<&'a str> {
    let rests = line
        .match_indices(prefix)
        .map(|(at, found)| &line[at + found.len()..]);
    let names = rests.map(|rest| {
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        &rest[..end.unwrap_or(rest.len())]
    });
    names.filter(|name| !name.is_empty()).collect()
}

fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(&format!("{name}::")).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':')
    })
}

/// Each function's name and number of lines, from its `fn` to its closing brace.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let Some(at) = trimmed.find("fn ").filter(|_| !trimmed.starts_with("//")) else {
            continue;
        };
        let head = &trimmed[..at];
        let words = [
            "pub",
            "const",
            "unsafe",
            "async",
            "(super)",
            "(crate)",
            "pub(super)",
            "pub(crate)",
        ];
        if !head.split_whitespace().all(|word| words.contains(&word)) {
            continue;
        }
        let indent = line.len() - trimmed.len();
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines[start..].iter().position(|line| *line == closing);
        let name = after_each(trimmed, "fn ")
            .first()
            .map_or("?", |name| *name)
            .to_owned();
        found.extend(end.map(|end| (name, end + 1)));
    }
    found
}

#[test]
fn the_rules_see_what_they_forbid() {
    assert_eq!(
        after_each("use crate::label::{Mask, crate::ui::View};", "crate::"),
        ["label", "ui"]
    );
    assert!(names_crate("use burn::tensor::Tensor;", "burn"));
    assert!(!names_crate("use egui_wgpu::wgpu::Device;", "wgpu"));
    let long = format!("fn long() {{\n{}}}\n", "    work();\n".repeat(70));
    assert_eq!(functions(&long), [("long".to_owned(), 72)]);
}
