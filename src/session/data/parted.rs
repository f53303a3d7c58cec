use std::sync::Arc;

use super::super::jobs::{JobId, Report};
use super::super::state::Session;
use super::view::DataReport;
use crate::dataset::SetParts;
use crate::dataset::parts::PartRule;

/// The parts that a rule makes of the data set that is looked at.
#[derive(Clone, Debug)]
pub struct Parted {
    /// The rule.
    pub rule: PartRule,
    /// The parts, or why there are none; those of the rule before until they are known.
    pub parts: Option<Result<Arc<SetParts>, String>>,
    pub(super) job: JobId,
}

impl Session {
    /// Makes the parts behind the window, instead of those that were asked for before.
    pub(super) fn part_data(&mut self, rule: PartRule) {
        let Some(data) = &mut self.study.data else {
            return;
        };
        let Some(discovery) = data.discovery.clone() else {
            return;
        };
        let last = data.parted.take();
        if let Some(last) = &last {
            self.stop_job(last.job);
        }
        let asked = rule.clone();
        let job = self.start_quiet_job("Sharing out samples", move |job| {
            let parts = discovery.parts(&asked).map(Arc::new);
            let parts = parts.map_err(|why| why.to_string());
            job.tell(Report::Data(DataReport::Parted(parts)))?;
            Ok(())
        });
        if let Some(data) = &mut self.study.data {
            data.parted = Some(Parted {
                rule,
                parts: last.and_then(|last| last.parts),
                job,
            });
        }
    }

    /// `id` is the job that reports; one that was left is not heard.
    pub(super) fn parted(&mut self, id: JobId, parts: Result<Arc<SetParts>, String>) {
        let data = self.study.data.as_mut();
        let parted = data.and_then(|data| data.parted.as_mut());
        if let Some(parted) = parted.filter(|parted| parted.job == id) {
            parted.parts = Some(parts);
        }
    }
}
