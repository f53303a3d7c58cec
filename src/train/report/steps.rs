use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use super::words::put;
use crate::train::TrainError;

/// Name of the table of steps in a run folder.
pub(super) const STEPS_FILE: &str = "steps.csv";
const HEADER: &str = "step,loss\n";
/// No more steps are read.
const MOST_STEPS: usize = 2_000_000;

/// The loss of one step's batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLoss {
    /// The step in the whole training, from 1.
    pub step: u64,
    /// The loss.
    pub loss: f32,
}

/// Appends the losses of the steps after step `done` of the whole training to `steps.csv`.
///
/// # Errors
/// [`TrainError::Log`] when the disk refuses.
pub(in crate::train) fn append_steps(
    folder: &Path,
    done: u64,
    losses: &[f64],
) -> Result<(), TrainError> {
    let path = folder.join(STEPS_FILE);
    let mut text = if path.exists() { "" } else { HEADER }.to_owned();
    for (step, loss) in (done + 1..).zip(losses) {
        put!(&mut text, "{step},{loss:.6e}\n");
    }
    // Lines are added and never changed, so the file is not replaced; one write keeps them whole.
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    options
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| TrainError::Log { path, source })
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
    let (step, loss) = line.split_once(',')?;
    let loss: f32 = loss.trim().parse().ok()?;
    let step = step.trim().parse().ok()?;
    loss.is_finite().then_some(StepLoss { step, loss })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_survive_their_file_and_those_done_again_replace_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        append_steps(folder.path(), 0, &[2.0, 1.5, 1.25]).expect("written");
        append_steps(folder.path(), 1, &[1.0, 0.5]).expect("written");
        let bytes = std::fs::read(folder.path().join(STEPS_FILE)).expect("written");
        let (steps, damaged) = parse_steps(&bytes);
        let pairs: Vec<(u64, f32)> = steps.iter().map(|step| (step.step, step.loss)).collect();
        assert_eq!((pairs, damaged), (vec![(1, 2.0), (2, 1.0), (3, 0.5)], 0));
    }

    #[test]
    fn damaged_lines_are_counted() {
        let (steps, damaged) = parse_steps(b"step,loss\n1,0.5\nx,1\n2\n3,NaN\n4,0.25\n\xff\n");
        assert_eq!((steps.len(), damaged), (2, 4));
    }
}
