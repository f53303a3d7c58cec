//! What a map of a stated quality costs a person: by brush alone, with instant answers, and with a
//! model that learns from corrections.
//!
//! `cargo bench --bench annotating -- OUT [--area NAME] [--way NAME] [--parent RUN]` with OUT the
//! folder of the areas of `--bench correcting`, and RUN another model than theirs to begin with. A
//! simulated person knows the truth but may only make strokes, press keys and choose from menus, in
//! the times of the keystroke-level model; `annotating.csv` in OUT says what was done when a mean
//! `IoU` was reached, which stays empty where it was not. Lines of another area, way or model stay.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

#[path = "../correcting/area.rs"]
#[expect(dead_code, reason = "the other benchmark uses more of it")]
mod area;
mod hand;
#[path = "../correcting/pieces.rs"]
mod pieces;
mod plan;
mod ways;

use std::fs;
use std::path::PathBuf;

use orthobrush::disk::replace_file;

use area::Area;
use hand::Moment;
use ways::Way;

const HEAD: &str = "area,way,parent,mean_iou,strokes,other actions,minutes,minutes waited";
/// Where the work ends.
const GOAL: f64 = 0.9;
/// Strokes at most.
const MOST_STROKES: u32 = 4_000;
/// No more is worked on, in pixels along a side; instant answers are of 4 million pixels at most.
const MOST_SIDE: u32 = 1_920;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(out) = arguments.iter().find(|it| !it.starts_with("--")) else {
        println!("Name a folder to work in: cargo bench --bench annotating -- OUT");
        return;
    };
    let value_of = |word: &str| {
        let at = arguments.iter().position(|argument| argument == word)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let (wanted, only) = (value_of("--area"), value_of("--way"));
    let out = PathBuf::from(out);
    let parent = value_of("--parent").unwrap_or_default();
    let path = out.join("annotating.csv");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    for name in ["loveda", "deepglobe", "abroad", "abroad_1m", "roads"] {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let Some(area) = Area::made(name, &out) else {
            println!("{name}: its data is not there, so it is left out");
            continue;
        };
        let mut area = ways::at_most(area, MOST_SIDE);
        if !parent.is_empty() {
            area.parent = PathBuf::from(parent);
        }
        let ways = Way::ALL.into_iter();
        for way in ways.filter(|way| only.is_none_or(|only| only == way.name())) {
            let moments = way.moments(&area, GOAL, MOST_STROKES);
            if let Some(last) = moments.last() {
                println!("{name}, {}: {last:?}", way.name());
            }
            let key = format!("{name},{},\"{parent}\"", way.name());
            lines.retain(|line| !line.starts_with(&key));
            for twentieth in 8..=18 {
                let goal = f64::from(twentieth) * 0.05;
                let line = line(&key, goal, &moments);
                println!("{line}");
                lines.push(line);
            }
            let table = format!("{HEAD}\n{}\n", lines.join("\n"));
            replace_file(&path, table.as_bytes()).expect("the table can be written");
        }
    }
}

fn line(key: &str, goal: f64, moments: &[Moment]) -> String {
    let reached = moments.iter().find(|moment| moment.mean_iou >= goal);
    let cost = reached.map_or_else(
        || ",,,".to_owned(),
        |it| {
            let [active, waited] = [it.seconds, it.waited].map(|seconds| seconds / 60.0);
            format!("{},{},{active:.2},{waited:.2}", it.strokes, it.others)
        },
    );
    format!("{key},{goal:.2},{cost}")
}
