use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::path::Path;

use super::words::put;
use crate::train::TrainError;

/// Name of the table of steps in a run folder.
pub(super) const STEPS_FILE: &str = "steps.csv";
const HEADER: &str = "step,loss,data_seconds,compute_seconds,lr";
/// What the header of a table with times begins with; those of older versions have no rates.
const WITH_TIMES: &str = "step,loss,data_seconds,compute_seconds";
/// No more steps are read.
const MOST_STEPS: usize = 2_000_000;

/// What one step's batch came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLoss {
    /// The step in the whole training, from 1.
    pub step: u64,
    /// The loss.
    pub loss: f32,
    /// Seconds of waiting for images to be decoded and varied, and of computing on the device;
    /// `None` in runs of older versions.
    pub seconds: Option<[f32; 2]>,
    /// The learning rate; `None` in runs of older versions.
    pub lr: Option<f32>,
}

/// Appends steps of the training to `steps.csv`. A file of an older version, which has no times or
/// no rates, gets none.
///
/// # Errors
/// [`TrainError::Log`] when the disk refuses.
pub(in crate::train) fn append_steps(folder: &Path, steps: &[StepLoss]) -> Result<(), TrainError> {
    let path = folder.join(STEPS_FILE);
    append(&path, steps).map_err(|source| TrainError::Log { path, source })
}

fn append(path: &Path, steps: &[StepLoss]) -> std::io::Result<()> {
    let header = header_of(path)?;
    let mut text = String::new();
    if header.is_empty() {
        put!(&mut text, "{HEADER}\n");
    }
    let has = |columns: &str| header.is_empty() || header.starts_with(columns);
    let (has_times, has_rates) = (has(WITH_TIMES), has(HEADER));
    for StepLoss {
        step,
        loss,
        seconds,
        lr,
    } in steps
    {
        put!(&mut text, "{step},{loss:.6e}");
        if let Some([data, compute]) = seconds.filter(|_| has_times) {
            put!(&mut text, ",{data:.6},{compute:.6}");
            if let Some(lr) = lr.filter(|_| has_rates) {
                put!(&mut text, ",{lr:e}");
            }
        }
        text.push('\n');
    }
    // Lines are added and never changed, so the file is not replaced; one write keeps them whole.
    let mut options = OpenOptions::new();
    let mut file = options.create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// The first line of a table; empty where there is no table yet.
fn header_of(path: &Path) -> std::io::Result<String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let mut line = Vec::new();
    let mut start = BufReader::new(file.take(HEADER.len() as u64 + 2));
    start.read_until(b'\n', &mut line)?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// Reads a `steps.csv`, whatever the bytes are: the steps in order, and how many lines cannot be
/// read. A training that goes on does some steps again; what was written last counts.
pub(super) fn parse_steps(bytes: &[u8]) -> (Vec<StepLoss>, usize) {
    let text = String::from_utf8_lossy(bytes);
    let (mut steps, mut damaged) = (Vec::<StepLoss>::new(), 0);
    for line in text.lines().skip(1) {
        match step_of(line) {
            Some(step) if steps.len() < MOST_STEPS => {
                while steps.last().is_some_and(|last| last.step >= step.step) {
                    steps.pop();
                }
                steps.push(step);
            }
            _ => damaged += 1,
        }
    }
    (steps, damaged)
}

fn step_of(line: &str) -> Option<StepLoss> {
    let mut fields = line.split(',').map(str::trim);
    let step = fields.next()?.parse().ok()?;
    let mut number = || {
        let number: f32 = fields.next()?.parse().ok()?;
        number.is_finite().then_some(number)
    };
    let loss = number()?;
    let seconds = number().zip(number());
    Some(StepLoss {
        step,
        loss,
        seconds: seconds.map(|(data, compute)| [data, compute]),
        lr: number(),
    })
}

/// Seconds of waiting and of computing of a step, in the mean over those of the last hundred that
/// have times.
pub fn step_seconds(steps: &[StepLoss]) -> Option<[f64; 2]> {
    let last = steps.iter().rev().filter_map(|step| step.seconds);
    let last: Vec<[f32; 2]> = last.take(100).collect();
    let mean = |at: usize| {
        let sum: f64 = last.iter().map(|seconds| f64::from(seconds[at])).sum();
        sum / last.len() as f64
    };
    (!last.is_empty()).then(|| [mean(0), mean(1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps<const N: usize>(first: u64, losses: [f32; N]) -> Vec<StepLoss> {
        let step = |(step, loss)| StepLoss {
            step,
            loss,
            seconds: Some([0.25, loss]),
            lr: Some(loss / 4096.0),
        };
        (first..).zip(losses).map(step).collect()
    }

    fn read(folder: &Path) -> (Vec<StepLoss>, usize) {
        parse_steps(&std::fs::read(folder.join(STEPS_FILE)).expect("written"))
    }

    #[test]
    fn steps_survive_their_file_and_those_done_again_replace_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        append_steps(folder.path(), &steps(1, [2.0, 1.5, 1.25])).expect("written");
        append_steps(folder.path(), &steps(2, [1.0, 0.5])).expect("written");
        let (found, damaged) = read(folder.path());
        assert_eq!((found, damaged), (steps(1, [2.0, 1.0, 0.5]), 0));
    }

    #[test]
    fn a_table_with_times_and_without_rates_stays_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(STEPS_FILE);
        let old = format!("{WITH_TIMES}\n1,5.000000e-1,0.250000,0.500000\n");
        crate::disk::replace_file(&path, old.as_bytes()).expect("written");
        append_steps(folder.path(), &steps(2, [0.25])).expect("written");
        let text = std::fs::read_to_string(&path).expect("text");
        assert_eq!(text, format!("{old}2,2.500000e-1,0.250000,0.250000\n"));
        let (found, damaged) = read(folder.path());
        assert_eq!((found.len(), damaged), (2, 0));
        assert!(found.iter().all(|step| step.lr.is_none()));
        assert_eq!(found[0].seconds, Some([0.25, 0.5]));
    }

    #[test]
    fn a_table_without_times_stays_one_and_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(STEPS_FILE);
        crate::disk::replace_file(&path, b"step,loss\n1,5.000000e-1\n").expect("written");
        append_steps(folder.path(), &steps(2, [0.25])).expect("written");
        let text = std::fs::read_to_string(&path).expect("text");
        assert_eq!(text, "step,loss\n1,5.000000e-1\n2,2.500000e-1\n");
        let (found, damaged) = read(folder.path());
        let losses: Vec<f32> = found.iter().map(|step| step.loss).collect();
        assert_eq!((losses, damaged), (vec![0.5, 0.25], 0));
        assert!(found.iter().all(|step| step.seconds.is_none()));
        assert_eq!(step_seconds(&found), None);
    }

    #[test]
    fn times_are_the_mean_of_the_last_steps_that_have_some() {
        let mut steps = steps(1, [0.5, 1.0, 1.5]);
        steps[0].seconds = None;
        assert_eq!(step_seconds(&steps), Some([0.25, 1.25]));
    }

    #[test]
    fn damaged_lines_are_counted() {
        let (steps, damaged) = parse_steps(b"step,loss\n1,0.5\nx,1\n2\n3,NaN\n4,0.25\n\xff\n");
        assert_eq!((steps.len(), damaged), (2, 4));
        let torn = b"step,loss,data_seconds,compute_seconds\n1,0.5,0.1,0.2\n2,0.5,0.1";
        let (steps, damaged) = parse_steps(torn);
        assert_eq!((steps.len(), damaged), (2, 0));
        assert_eq!(steps[0].seconds, Some([0.1, 0.2]));
        assert_eq!(steps[1].seconds, None);
        let torn = format!("{HEADER}\n1,0.5,0.1,0.2,1e-3\n2,0.5,0.1,0.2\n");
        let (steps, damaged) = parse_steps(torn.as_bytes());
        let rates: Vec<Option<f32>> = steps.iter().map(|step| step.lr).collect();
        assert_eq!((rates, damaged), (vec![Some(1e-3), None], 0));
    }
}
