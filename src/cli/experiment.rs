use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};

use super::args::ExperimentArgs;
use super::drive::Drive;
use super::train::print_epoch;
use crate::session::{Command, QueueCommand, Session, TrainingPhase, TrialPhase};
use crate::train::{
    Cell, CellResult, Experiment, ExperimentChoice, ExperimentPage, ExperimentSpec, RunSize, Trial,
    TrialEnd,
};

/// Where the folders of data sets are looked for, as seen from the working folder.
const DATA_FOLDERS: [&str; 2] = ["data", "../shared/data"];

/// Trains what an experiment is made of, as far as that is not done, and writes its page.
pub fn run(args: &ExperimentArgs) -> anyhow::Result<()> {
    let work = Work::of(args)?;
    if let Some(place) = args.cell {
        return work.measure_cell(place);
    }
    let mut failed = 0;
    if !args.pages_only {
        failed = work.train()?;
        work.measure_cells(args)?;
    }
    work.write_page(args)?;
    ensure!(
        failed == 0,
        "{failed} trainings failed; the same command tries them again"
    );
    Ok(())
}

/// An experiment with all choices made.
struct Work {
    experiment: Experiment,
    spec: ExperimentSpec,
    choice: ExperimentChoice,
    /// The folder of the run folders.
    runs: PathBuf,
    trials: Vec<Trial>,
    cells: Vec<(Cell, Trial)>,
}

impl Work {
    fn of(args: &ExperimentArgs) -> anyhow::Result<Self> {
        let spec = args.name.spec();
        let choice = ExperimentChoice {
            size: if args.full {
                RunSize::Full
            } else {
                RunSize::Small
            },
            epochs: args.epochs,
            folds: args.folds,
            device: args.device.clone(),
        };
        let data = match &args.data {
            Some(data) => data.clone(),
            None => found_data(&spec.data, args.pages_only)?,
        };
        let data = std::path::absolute(data)?;
        ensure!(
            args.pages_only || data.is_dir(),
            "The data is not there; say where with --data DIR: {}",
            data.display()
        );
        let folder = format!("{}-{}", args.name.name(), choice.size.word());
        Ok(Self {
            experiment: args.name,
            trials: spec.trials(&choice, &data)?,
            cells: spec.cells(&choice, &data)?,
            runs: args.runs.join(folder),
            spec,
            choice,
        })
    }

    /// Does the trials that are not done; how many failed.
    fn train(&self) -> anyhow::Result<usize> {
        let mut drive = Drive::new("Experiment");
        let mut told = Told::default();
        let command = QueueCommand::Start {
            folder: self.runs.clone(),
            trials: self.trials.clone(),
        };
        drive.finish_with(Command::Queue(command), |session| told.tell(session))?;
        let report = drive.session().queue().report;
        let report = report.context("The queue was stopped; the same command goes on with it")?;
        Ok(report.failed)
    }

    /// Runs each training of the table of costs in a process of its own, since only so the peak of
    /// the memory is its own.
    fn measure_cells(&self, args: &ExperimentArgs) -> anyhow::Result<()> {
        for (place, (cell, trial)) in self.cells.iter().enumerate() {
            let measured = CellResult::load(&cell.run_in(&self.runs));
            if measured.is_some_and(|measured| measured.steps == trial.recipe.steps_per_epoch) {
                continue;
            }
            eprintln!("Measuring {}…", cell.name());
            let program = std::env::current_exe().context("The program cannot find itself")?;
            let mut child = Process::new(program);
            child.args(["experiment", self.experiment.name()]);
            child.args(["--cell".to_owned(), place.to_string()]);
            child.arg("--data").arg(&trial.data);
            child.arg("--runs").arg(&args.runs);
            if args.full {
                child.arg("--full");
            }
            if let Some(device) = &args.device {
                child.arg("--device").arg(device.to_string());
            }
            let status = child
                .status()
                .context("A measuring process cannot be started")?;
            if !status.success() {
                // A cell may need more memory than there is; the page then leaves it out.
                eprintln!("note: {} was not measured ({status})", cell.name());
            }
        }
        Ok(())
    }

    /// In the process of its own: trains one cell and writes down what it cost.
    fn measure_cell(&self, place: usize) -> anyhow::Result<()> {
        let Some((cell, trial)) = self.cells.get(place) else {
            bail!(
                "There are {} measurements, counted from 0",
                self.cells.len()
            );
        };
        let mut drive = Drive::new("Measure");
        let command = QueueCommand::Start {
            folder: Cell::queue_in(&self.runs),
            trials: vec![trial.clone()],
        };
        let mut seen: Vec<(u32, Instant)> = Vec::new();
        drive.finish_with(Command::Queue(command), |session| {
            if let TrainingPhase::Running { step, .. } = session.training().phase
                && seen.last().is_none_or(|(last, _)| *last < step)
            {
                seen.push((step, Instant::now()));
            }
        })?;
        let trial_state = drive.session().queue().trials.first();
        if let Some(TrialPhase::Ended(TrialEnd::Failed { why })) =
            trial_state.map(|trial| &trial.phase)
        {
            bail!("{why}");
        }
        let made = trial_state.map(|trial| trial.run.clone());
        let made = made.context("The measurement ended unexpectedly")?;
        let result = CellResult {
            cell: *cell,
            steps: trial.recipe.steps_per_epoch,
            seconds_a_step: seconds_a_step(&seen),
            peak_bytes: peak_bytes(),
        };
        result.save(&made)?;
        Ok(())
    }

    fn write_page(&self, args: &ExperimentArgs) -> anyhow::Result<()> {
        let cells: Vec<Cell> = self.cells.iter().map(|(cell, _)| *cell).collect();
        let twin = self
            .spec
            .twin
            .as_ref()
            .map(|twin| PathBuf::from(&twin.file));
        let page = ExperimentPage {
            spec: &self.spec,
            name: self.experiment.name(),
            size: self.choice.size,
            trials: &self.trials,
            cells: &cells,
            runs: &self.runs,
            command: &self.command(args, self.choice.size),
            full_command: &self.command(args, RunSize::Full),
            twin: twin.as_deref(),
        };
        let report = page.write(&args.out)?;
        if report.missing > 0 {
            eprintln!("note: {} runs are missing in the page", report.missing);
        }
        say!("{}", report.path.display());
        Ok(())
    }

    /// The command line that does this, or the same at another size.
    fn command(&self, args: &ExperimentArgs, size: RunSize) -> String {
        let mut words = format!("orthobrush experiment {}", self.experiment.name());
        if size == RunSize::Full {
            words.push_str(" --full");
        }
        if size == self.choice.size {
            let number = |value: Option<u32>| value.map(|value| value.to_string());
            let device = args.device.as_ref().map(ToString::to_string);
            let options = [
                ("epochs", number(args.epochs)),
                ("folds", number(args.folds)),
                ("device", device),
            ];
            for (name, value) in options {
                words.extend(value.map(|value| format!(" --{name} {value}")));
            }
        }
        words
    }
}

/// Epochs and scores that were printed already.
#[derive(Default)]
pub struct Told {
    rows: usize,
    ended: Vec<bool>,
}

impl Told {
    /// Prints what is new of the queue.
    pub fn tell(&mut self, session: &Session) {
        let queue = session.queue();
        for (at, row) in &queue.rows[self.rows.min(queue.rows.len())..] {
            let name = queue.trials.get(*at).map_or("", |trial| &trial.name);
            print_epoch(&format!("{name}  "), row, None);
        }
        self.rows = queue.rows.len();
        self.ended.resize(queue.trials.len(), false);
        for (trial, told) in queue.trials.iter().zip(&mut self.ended) {
            let TrialPhase::Ended(end) = &trial.phase else {
                continue;
            };
            if !std::mem::replace(told, true) {
                match (end, &trial.judgement) {
                    (TrialEnd::Failed { why }, _) => say!("{}  failed: {why}", trial.name),
                    (TrialEnd::Done, None) => say!("{}  done", trial.name),
                    (TrialEnd::Done, Some(judgement)) => {
                        let scores = &judgement.total.scores;
                        say!(
                            "{}  {}: mean IoU {:.4}, accuracy {:.4}, majority baseline {:.4}",
                            trial.name,
                            judgement.total.on.words(),
                            scores.mean_iou.unwrap_or(f64::NAN),
                            scores.pixel_accuracy.unwrap_or(f64::NAN),
                            scores.majority_baseline.unwrap_or(f64::NAN)
                        );
                        if let Some(leaks) = &judgement.leaks {
                            say!("{}  warning: {leaks}", trial.name);
                        }
                    }
                }
            }
        }
    }
}

/// The data set's folder in one of the usual places.
fn found_data(name: &str, may_be_missing: bool) -> anyhow::Result<PathBuf> {
    let places = DATA_FOLDERS.map(|folder| Path::new(folder).join(name));
    let found = places.iter().find(|place| place.is_dir()).cloned();
    match found {
        Some(found) => Ok(found),
        None if may_be_missing => Ok(places[0].clone()),
        None => bail!("The data set {name} is in none of the usual places; say where with --data"),
    }
}

/// The mean time between the first and the last step that were seen.
fn seconds_a_step(seen: &[(u32, Instant)]) -> Option<f64> {
    let ((first, began), (last, ended)) = (seen.first()?, seen.last()?);
    let steps = last.checked_sub(*first).filter(|&steps| steps > 0)?;
    Some(ended.duration_since(*began).as_secs_f64() / f64::from(steps))
}

/// The most memory that this process held; only Linux tells.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}
