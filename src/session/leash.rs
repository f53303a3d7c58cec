use super::jobs::Report;
use crate::job::{Job, JobEvent, PauseToken};
use crate::train::{
    InstantEvent, JudgeEvent, PredictEvent, QueueEvent, RateEvent, SearchEvent, SimilarEvent,
    TrainEvent, VerdictEvent,
};

/// The events of a job, by whose they are.
pub(super) enum Leash {
    Session(Job<Report>),
    Training(Job<TrainEvent>),
    Prediction(Job<PredictEvent>),
    Instant(Job<InstantEvent>),
    Similar(Job<SimilarEvent>),
    RateSearch(Job<RateEvent>),
    Queue(Job<QueueEvent>),
    Search(Job<SearchEvent>),
    Judging(Job<JudgeEvent>),
    Verdict(Job<VerdictEvent>),
}

impl Leash {
    pub(super) fn cancel(&self) {
        match self {
            Self::Session(job) => job.cancel(),
            Self::Training(job) => job.cancel(),
            Self::Prediction(job) => job.cancel(),
            Self::Instant(job) => job.cancel(),
            Self::Similar(job) => job.cancel(),
            Self::RateSearch(job) => job.cancel(),
            Self::Queue(job) => job.cancel(),
            Self::Search(job) => job.cancel(),
            Self::Judging(job) => job.cancel(),
            Self::Verdict(job) => job.cancel(),
        }
    }

    /// Whether it computes for long, and waits while others are predicted.
    pub(super) const fn is_long(&self) -> bool {
        match self {
            Self::Training(_)
            | Self::RateSearch(_)
            | Self::Queue(_)
            | Self::Search(_)
            | Self::Judging(_)
            | Self::Verdict(_) => true,
            Self::Session(_) | Self::Prediction(_) | Self::Instant(_) | Self::Similar(_) => false,
        }
    }

    /// What lets the trainings of the job rest, where it has any.
    pub(super) const fn pause_token(&self) -> Option<&PauseToken> {
        match self {
            Self::Training(job) => Some(job.pause_token()),
            Self::Queue(job) => Some(job.pause_token()),
            Self::Search(job) => Some(job.pause_token()),
            _ => None,
        }
    }

    pub(super) fn next(&self) -> Option<JobEvent<Said>> {
        match self {
            Self::Session(job) => job.try_next().map(|event| said(event, Said::Session)),
            Self::Training(job) => job.try_next().map(|event| said(event, Said::Training)),
            Self::Prediction(job) => job.try_next().map(|event| said(event, Said::Prediction)),
            Self::Instant(job) => job.try_next().map(|event| said(event, Said::Instant)),
            Self::Similar(job) => job.try_next().map(|event| said(event, Said::Similar)),
            Self::RateSearch(job) => job.try_next().map(|event| said(event, Said::RateSearch)),
            Self::Queue(job) => job.try_next().map(|event| said(event, Said::Queue)),
            Self::Search(job) => job.try_next().map(|event| said(event, Said::Search)),
            Self::Judging(job) => job.try_next().map(|event| said(event, Said::Judging)),
            Self::Verdict(job) => job.try_next().map(|event| said(event, Said::Verdict)),
        }
    }
}

/// What a job said, by whose it is.
pub(super) enum Said {
    Session(Report),
    Training(TrainEvent),
    Prediction(PredictEvent),
    Instant(InstantEvent),
    Similar(SimilarEvent),
    RateSearch(RateEvent),
    Queue(QueueEvent),
    Search(SearchEvent),
    Judging(JudgeEvent),
    Verdict(VerdictEvent),
}

fn said<E>(event: JobEvent<E>, wrap: impl FnOnce(E) -> Said) -> JobEvent<Said> {
    match event {
        JobEvent::Said(event) => JobEvent::Said(wrap(event)),
        JobEvent::Finished => JobEvent::Finished,
        JobEvent::Cancelled => JobEvent::Cancelled,
        JobEvent::Failed(why) => JobEvent::Failed(why),
    }
}
