use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::arm::{Arm, Outcome, Task};

const HEAD: &str = "area,budget,pick,seed,arm,cells,mean_iou,gain,gain_low,gain_high,seconds";

/// The table of all arms, a file that grows.
pub struct Table {
    path: PathBuf,
    lines: Vec<String>,
}

impl Table {
    /// What is there already.
    pub fn open(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        Self {
            path: path.to_owned(),
            lines: text.lines().skip(1).map(str::to_owned).collect(),
        }
    }

    /// Does an arm, called `name` in the table, unless its line is there.
    pub fn add_missing(&mut self, task: &Task<'_>, arm: Arm, name: &str) {
        let key = format!(
            "{},{},{},{},\"{name}\",",
            task.area.name,
            task.budget,
            task.pick.name(),
            task.seed,
        );
        if self.lines.iter().any(|line| line.starts_with(&key)) {
            return;
        }
        let Outcome {
            scores,
            gain,
            seconds,
        } = arm.outcome(task);
        let number = |value: Option<f64>| value.map_or_else(String::new, |it| format!("{it:.4}"));
        let line = format!(
            "{key}{},{},{},{},{},{seconds:.1}",
            task.cells.len(),
            number(scores.mean_iou),
            number(gain.map(|gain| gain.value)),
            number(gain.map(|gain| gain.low)),
            number(gain.map(|gain| gain.high)),
        );
        println!("{line}");
        self.write(line);
    }

    fn write(&mut self, line: String) {
        let is_new = !self.path.exists();
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path);
        let mut file = file.expect("the table can be written");
        if is_new {
            writeln!(file, "{HEAD}").expect("written");
        }
        writeln!(file, "{line}").expect("written");
        self.lines.push(line);
    }
}
