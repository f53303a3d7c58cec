use crate::session::JobId;

/// How long a job is watched before it is said how long it takes, in seconds.
const LEAST_SECONDS: f64 = 5.0;
/// What it must have done meanwhile, as a share of all.
const LEAST_SHARE: f32 = 0.02;

/// How fast the jobs that run get on.
#[derive(Debug, Default)]
pub struct Pace {
    /// Of each job when its share was first seen, in seconds, and the share.
    begun: Vec<(JobId, f64, f32)>,
}

impl Pace {
    /// Seconds that a job still takes at its pace so far; `None` until that can be told. `now` is in
    /// seconds, of any clock that is always the same one.
    pub fn seconds_left(&mut self, job: JobId, share: f32, now: f64) -> Option<f64> {
        let known = self.begun.iter().find(|(of, ..)| *of == job);
        let Some(&(_, since, first)) = known else {
            self.begun.push((job, now, share));
            return None;
        };
        let (seconds, done) = (now - since, share - first);
        let is_known = seconds >= LEAST_SECONDS && done >= LEAST_SHARE;
        is_known.then(|| seconds * f64::from(1.0 - share) / f64::from(done))
    }

    /// Forgets jobs that do not run any more.
    pub fn keep(&mut self, is_running: impl Fn(JobId) -> bool) {
        self.begun.retain(|(job, ..)| is_running(*job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_from_the_pace_so_far() {
        let (job, other) = (JobId(1), JobId(2));
        let mut pace = Pace::default();
        // A prediction that goes on with a fifth.
        assert_eq!(pace.seconds_left(job, 0.2, 100.0), None);
        assert_eq!(pace.seconds_left(job, 0.4, 104.0), None, "too soon");
        let left = pace.seconds_left(job, 0.4, 110.0).expect("known");
        assert!((left - 30.0).abs() < 1e-3, "{left}");
        // Nothing happens: nothing is known.
        assert_eq!(pace.seconds_left(other, 0.0, 110.0), None);
        assert_eq!(pace.seconds_left(other, 0.01, 150.0), None);
        pace.keep(|job| job == other);
        assert_eq!(pace.seconds_left(job, 0.9, 200.0), None, "another job");
    }
}
