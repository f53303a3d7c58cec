use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{bail, ensure};

use super::args::SearchArgs;
use super::interrupt;
use super::train::print_epoch;
use crate::disk::MemoryBudget;
use crate::job::{JobEvent, Waker};
use crate::train::{
    Engine, QueueEvent, ScoredOn, SearchEvent, SearchOrder, SearchPlan, SearchResult, SearchSpec,
    Spread, TrainData, TrainEvent, TrialEnd,
};

/// The job is asked for news this often.
const PATIENCE: Duration = Duration::from_millis(250);

/// Searches the choices of a recipe, as far as that is not done.
pub fn run(args: &SearchArgs) -> anyhow::Result<()> {
    let plan = planned(args)?;
    let folder = plan.folder().to_owned();
    let mut told = Told::of(&plan, args.json);
    told.plan(&plan);
    let engine = Engine::start()?;
    let job = engine.search(plan.timed(Some(SystemTime::now)), Waker::none());
    loop {
        if interrupt::is_asked() {
            job.cancel();
        }
        match job.next_within(PATIENCE) {
            None => {}
            Some(JobEvent::Said(event)) => told.tell(event),
            Some(JobEvent::Finished) => break,
            Some(JobEvent::Failed(why)) => bail!(why),
            Some(JobEvent::Cancelled) => bail!("The search was stopped; the same command goes on"),
        }
    }
    if !args.json {
        say!("{}", folder.join("search.md").display());
    }
    ensure!(
        told.failed_refits == 0,
        "{} trainings of the winner failed; the same command tries them again",
        told.failed_refits
    );
    Ok(())
}

fn planned(args: &SearchArgs) -> anyhow::Result<SearchPlan> {
    let path = Path::new(&args.spec);
    let shipped = SearchSpec::shipped(&args.spec).filter(|_| !path.exists());
    let spec = match shipped {
        Some(spec) => spec,
        None if !path.exists() => {
            let names: Vec<&str> = SearchSpec::shipped_names().collect();
            bail!(
                "The search cannot be read (there is no such file; with the program comes {}): {}",
                names.join(", "),
                args.spec
            )
        }
        None => SearchSpec::load(path)?,
    };
    let mut base = spec.base(path.parent().unwrap_or(Path::new("")))?;
    base.device = args.device.clone().unwrap_or(base.device);
    let folder = std::path::absolute(&args.data)?;
    ensure!(
        folder.is_dir(),
        "The data is not there: {}",
        folder.display()
    );
    let order = SearchOrder {
        spec,
        base,
        data: TrainData::Folder {
            corrections: args.corrections.given(Some(&folder))?,
            folder,
        },
    };
    let plan = order.plan(args.out.clone(), MemoryBudget::default().tile_cache_bytes)?;
    keep(&order, &args.out)?;
    Ok(plan)
}

/// Writes down what is searched, unless that is another search's folder. A search file that is
/// there stays as it is: it is this search's, or somebody's own.
fn keep(order: &SearchOrder, folder: &Path) -> anyhow::Result<()> {
    order.data.is_kept_in(folder)?;
    fs::create_dir_all(folder)?;
    if SearchOrder::is_in(folder) {
        return Ok(order.data.keep(folder, None)?);
    }
    Ok(order.write(folder, None)?)
}

/// Prints what happens.
struct Told {
    is_json: bool,
    /// The trial that runs and its last epoch that was printed, since a training that goes on says
    /// its earlier epochs again.
    running: (String, u32),
    /// What is special about each trial, by name.
    labels: Vec<(String, String)>,
    /// The part that runs: those that were over before are not told again.
    part: Option<usize>,
    is_refit: bool,
    failed_refits: usize,
}

impl Told {
    fn of(plan: &SearchPlan, is_json: bool) -> Self {
        let labels = plan.trials().iter();
        Self {
            is_json,
            running: (String::new(), 0),
            labels: labels
                .map(|trial| (trial.name.clone(), plan.label(trial)))
                .collect(),
            part: None,
            is_refit: false,
            failed_refits: 0,
        }
    }

    /// What will be done and what it costs.
    fn plan(&self, plan: &SearchPlan) {
        for note in plan.notes() {
            eprintln!("note: {note}");
        }
        let cost = plan.cost();
        if self.is_json {
            return;
        }
        let parts = plan.rungs().iter();
        let parts: Vec<String> = parts
            .map(|rung| format!("{} to epoch {}", rung.trials, rung.until))
            .collect();
        say!(
            "{} trials: {}; at most {} epochs (uncut {})",
            plan.trials().len(),
            parts.join(", "),
            cost.epochs,
            cost.uncut_epochs
        );
        if cost.refit_epochs > 0 {
            say!("then the winner anew: at most {} epochs", cost.refit_epochs);
        }
    }

    fn tell(&mut self, event: SearchEvent) {
        match event {
            SearchEvent::RungBegan {
                at, total, rung, ..
            } if !self.is_json => {
                let (part, until) = (at + 1, rung.until);
                self.part = Some(at);
                say!(
                    "part {part} of {total}: {} trials to epoch {until}",
                    rung.trials
                );
            }
            SearchEvent::Queue(event) => self.queue(*event),
            SearchEvent::RungEnded { at, kept, result } if self.part == Some(at) => {
                say!("{}", cut_line(&kept, &result));
            }
            SearchEvent::RefitBegan {
                winner, label, on, ..
            } => {
                self.is_refit = true;
                if !self.is_json {
                    say!("{winner} anew ({label}), scored on {}", on.words());
                }
            }
            SearchEvent::Finished(result) => self.result(&result),
            SearchEvent::Found(_)
            | SearchEvent::RungBegan { .. }
            | SearchEvent::RungEnded { .. } => {}
        }
    }

    fn queue(&mut self, event: QueueEvent) {
        match event {
            QueueEvent::Began { name, run, .. } => {
                let label = self.labels.iter().find(|(known, _)| *known == name);
                if let Some((_, label)) = label.filter(|_| !self.is_json) {
                    say!("{name}  {label}");
                }
                let before = crate::train::RunRecord::load(&run).ok();
                let before = before.and_then(|record| record.rows.last().map(|row| row.epoch));
                self.running = (name, before.unwrap_or(0));
            }
            QueueEvent::Training(event) => self.training(&event),
            QueueEvent::Note(note) => eprintln!("note: {}: {note}", self.running.0),
            QueueEvent::Ended {
                end: TrialEnd::Failed { why },
                ..
            } => {
                self.failed_refits += usize::from(self.is_refit);
                eprintln!("note: {} failed: {why}", self.running.0);
            }
            _ => {}
        }
    }

    fn training(&mut self, event: &TrainEvent) {
        let TrainEvent::EpochEnded(row) = event else {
            return;
        };
        if row.epoch <= self.running.1 {
            return;
        }
        let name = &self.running.0;
        if self.is_json {
            say!("{}", serde_json::json!({ "trial": name, "epoch": row }));
        } else {
            print_epoch(&format!("{name}  "), row, None);
        }
        self.running.1 = row.epoch;
    }

    fn result(&self, result: &SearchResult) {
        if self.is_json {
            say!("{}", serde_json::json!(result));
            return;
        }
        for (place, row) in (1..).zip(result.rows.iter().take(5)) {
            let values = row.values.join(", ");
            let iou = row
                .mean_iou
                .map_or_else(|| "–".to_owned(), |iou| format!("{iou:.4}"));
            let (name, epochs) = (&row.name, row.epochs);
            say!("{place}. {name} ({values}): mean IoU {iou}, {epochs} epochs");
        }
        if let Some(refit) = &result.refit {
            say!(
                "{} anew from {} seeds, {}: mean IoU {}, accuracy {}, majority baseline {}",
                refit.winner,
                refit.rows.len(),
                refit.on.map_or("different ground", ScoredOn::words),
                Spread::words(refit.mean_iou),
                Spread::words(refit.pixel_accuracy),
                Spread::words(refit.majority_baseline)
            );
        }
        for warning in result.leaks() {
            say!("warning: {warning}");
        }
    }
}

/// Who goes on after a part.
fn cut_line(kept: &[String], result: &SearchResult) -> String {
    let best = result.rows.first();
    let score = best.map_or_else(String::new, |row| {
        let loss = row
            .val_loss
            .map_or_else(|| "–".to_owned(), |loss| format!("{loss:.4}"));
        let iou = row
            .mean_iou
            .map_or_else(|| "–".to_owned(), |iou| format!("{iou:.4}"));
        format!("the best has validation loss {loss}, mean IoU {iou}")
    });
    if result.rungs_done < result.rungs.len() {
        format!("cut: {} go on ({}); {score}", kept.len(), kept.join(", "))
    } else {
        format!("the winner is {}; {score}", kept.join(", "))
    }
}
