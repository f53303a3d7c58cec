use std::path::PathBuf;

use super::jobs::{JobId, Leash, Report};
use super::state::Session;
use super::training::watched;
use super::{CommandError, Notice, TrainOn};
use crate::train::{RateEvent, RateRange, RateReport, Recipe, TrainPlan};

/// The search for a learning rate that runs or ran last: plain data for a curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RateSearch {
    /// Its job while it runs.
    pub job: Option<JobId>,
    /// Rate and loss of each step so far.
    pub steps: Vec<(f64, f64)>,
    /// What it came to.
    pub report: Option<RateReport>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// Where the files of the last search lie, beside the runs.
const SEARCH_FOLDER: &str = "rate-search";

impl Session {
    /// Trains a network that is thrown away, at rising rates; files go into `out`.
    pub(super) fn find_rate(
        &mut self,
        recipe: Recipe,
        on: &TrainOn,
        out: Option<PathBuf>,
    ) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        if self.study.rates.job.is_some() {
            return Err(CommandError::Busy("A search for a learning rate"));
        }
        if matches!(on, TrainOn::Resume(_)) {
            return Err(CommandError::Refused(
                "A learning rate is searched before a training begins; start a new one".to_owned(),
            ));
        }
        let ground = self.training_ground(on)?;
        let out = match out {
            Some(out) => out,
            None => self.next_run_folder(on)?.with_file_name(SEARCH_FOLDER),
        };
        let id = self.start_job("Preparing the search for a learning rate", move |job| {
            let plan = watched(job, |watch| ground.planned(recipe, out, watch))?;
            job.tell(Report::RateSearchReady(Box::new(plan)))?;
            Ok(())
        });
        self.study.rates = RateSearch {
            job: Some(id),
            ..RateSearch::default()
        };
        Ok(())
    }

    pub(super) fn rate_search_ready(&mut self, plan: TrainPlan) {
        let waker = self.config.waker.clone();
        let range = RateRange::default();
        let started = self
            .engine()
            .map(|engine| engine.find_rate(plan, range, waker));
        match started {
            Ok(job) => {
                let leash = Leash::RateSearch(job);
                self.study.rates.job = Some(self.list_job("Searching for a learning rate", leash));
            }
            Err(error) => self.study.rates.failure = Some(error.to_string()),
        }
    }

    pub(super) fn absorb_rate_search(&mut self, id: JobId, event: RateEvent) {
        match event {
            RateEvent::DeviceChosen { .. } => {}
            RateEvent::Step {
                step,
                steps,
                rate,
                loss,
            } => {
                self.study.rates.steps.push((rate, loss));
                self.set_progress(id, (f64::from(step) / f64::from(steps.max(1))) as f32);
            }
            RateEvent::Finished(report) => {
                self.notify(Notice::info(verdict_text(&report)));
                self.study.rates.report = Some(report);
            }
        }
    }

    /// `why` is the reason when the job did not finish.
    pub(super) fn rate_search_ended(&mut self, id: JobId, why: Option<String>) {
        // The search itself follows its preparation under another number.
        if self.study.rates.job == Some(id) {
            self.study.rates.job = None;
            self.study.rates.failure = why;
        }
    }
}

fn verdict_text(report: &RateReport) -> String {
    match &report.verdict {
        Some(verdict) => format!("A learning rate of {:.1e} suits", verdict.suggestion()),
        None => "No learning rate was found: the loss did not fall at any".to_owned(),
    }
}
