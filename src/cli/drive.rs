use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt;
use crate::job::Waker;
use crate::session::{Command, ProjectPlace, Session, SessionConfig, Severity};

/// Waits at most this long for news, so that a missed wake-up costs little.
const PATIENCE: Duration = Duration::from_millis(200);
const EVENTS_AT_ONCE: usize = 256;

/// A session driven without a window: applies commands and waits for its jobs.
pub struct Drive {
    session: Session,
    news: Arc<(Mutex<bool>, Condvar)>,
    bar: ProgressBar,
}

impl Drive {
    /// A session with nothing open. `title` stands before the progress on stderr.
    pub fn new(title: &'static str) -> Self {
        Self::keeping(title, ProjectPlace::Nowhere)
    }

    /// The same with work kept in a project.
    pub fn keeping(title: &'static str, projects: ProjectPlace) -> Self {
        let news = Arc::new((Mutex::new(false), Condvar::new()));
        let ring = Arc::clone(&news);
        let waker = Waker::new(move || {
            *ring.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            ring.1.notify_one();
        });
        let session = Session::new(SessionConfig {
            waker,
            settings_path: None,
            projects,
        });
        let style = ProgressStyle::with_template("{prefix} {bar:32} {percent:>3} %  {msg}");
        let style = style.expect("the template is a constant");
        let bar = ProgressBar::new(1000).with_style(style).with_prefix(title);
        Self { session, news, bar }
    }

    /// What is open.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Applies a command and waits until its jobs are done.
    ///
    /// # Errors
    /// When the command is refused or a job fails.
    pub fn finish(&mut self, command: Command) -> anyhow::Result<()> {
        self.finish_with(command, |_| {})
    }

    /// Applies a command and waits until its jobs are done, letting `look` see each step.
    ///
    /// # Errors
    /// When the command is refused or a job fails.
    pub fn finish_with(
        &mut self,
        command: Command,
        mut look: impl FnMut(&Session),
    ) -> anyhow::Result<()> {
        self.session.apply(command)?;
        let mut is_stopping = false;
        loop {
            if interrupt::is_asked() && !is_stopping {
                is_stopping = true;
                self.stop_all()?;
            }
            let taken = self.session.pump(EVENTS_AT_ONCE);
            self.session.take_changes();
            self.show_progress();
            look(&self.session);
            self.speak()?;
            if self.session.is_idle() && taken < EVENTS_AT_ONCE {
                break;
            }
            if taken == 0 {
                self.wait();
            }
        }
        self.bar.finish_and_clear();
        ensure!(!is_stopping, "Stopped; what was done is kept");
        Ok(())
    }

    fn stop_all(&mut self) -> anyhow::Result<()> {
        let jobs: Vec<_> = self.session.activities().map(|job| job.id).collect();
        for job in jobs {
            self.session.apply(Command::StopJob(job))?;
        }
        Ok(())
    }

    fn show_progress(&self) {
        if let Some(activity) = self.session.activities().last() {
            self.bar.set_message(activity.title.clone());
            if let Some(share) = activity.progress {
                self.bar.set_position((share * 1000.0) as u64);
            }
        }
    }

    fn speak(&mut self) -> anyhow::Result<()> {
        for notice in self.session.take_notices() {
            match notice.severity {
                Severity::Info => {}
                Severity::Warning => self.bar.suspend(|| eprintln!("note: {}", notice.text)),
                Severity::Error => {
                    self.bar.finish_and_clear();
                    bail!(notice.text)
                }
            }
        }
        Ok(())
    }

    fn wait(&self) {
        let (flag, ring) = &*self.news;
        let held = flag.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = ring.wait_timeout_while(held, PATIENCE, |has_news| !*has_news);
        let (mut has_news, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *has_news = false;
    }
}
