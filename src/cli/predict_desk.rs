use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt;
use crate::job::{JobEvent, Waker};
use crate::train::{Engine, FileEnd, FileTask, FilesEvent, FilesPlan};

/// The job is asked for news this often.
const PATIENCE: Duration = Duration::from_millis(250);

/// Blocks from which on it is said at the beginning how a stopped prediction goes on.
const LONG: u64 = 16;

/// What is known of the predictions, and how it is told meanwhile.
pub struct Desk<'a> {
    tasks: &'a [FileTask],
    /// Whether why one of them failed is told at once.
    is_one_of_many: bool,
    /// The device that was chosen, if there was anything to do.
    pub device: Option<String>,
    /// How each task ended.
    pub ends: Vec<FileEnd>,
    bar: ProgressBar,
}

impl<'a> Desk<'a> {
    /// For these tasks, the plan's own.
    pub fn new(tasks: &'a [FileTask]) -> Self {
        let template = "Predict {bar:32} {percent:>3} %  {eta} left  {msg}";
        let style = ProgressStyle::with_template(template);
        let style = style.expect("the template is a constant");
        Self {
            tasks,
            is_one_of_many: tasks.len() > 1,
            device: None,
            ends: Vec::new(),
            bar: ProgressBar::new(1).with_style(style),
        }
    }

    /// The same where there are others that cannot even begin.
    pub const fn among_others(mut self, is_one_of_many: bool) -> Self {
        self.is_one_of_many = is_one_of_many;
        self
    }

    /// Lets everything be predicted.
    pub fn follow(&mut self, plan: FilesPlan) -> anyhow::Result<()> {
        let engine = Engine::start().context("The computing thread cannot be started")?;
        let job = engine.predict_files(plan, Waker::none());
        loop {
            if interrupt::is_asked() {
                job.cancel();
            }
            match job.next_within(PATIENCE) {
                Some(JobEvent::Said(event)) => self.hear(event),
                Some(JobEvent::Failed(why)) => bail!(why),
                Some(JobEvent::Cancelled) => {
                    bail!("The prediction was stopped; --resume goes on with it")
                }
                Some(JobEvent::Finished) => break,
                None => {}
            }
        }
        self.bar.finish_and_clear();
        let (ends, tasks) = (self.ends.len(), self.tasks.len());
        ensure!(ends == tasks, "The prediction ended unexpectedly");
        Ok(())
    }

    fn hear(&mut self, event: FilesEvent) {
        match event {
            FilesEvent::DeviceChosen { name, .. } => self.device = Some(name),
            FilesEvent::Began {
                at,
                kept_blocks,
                total_blocks,
                part,
                notes,
            } => {
                self.note(notes.iter().map(String::as_str));
                if kept_blocks > 0 {
                    self.note([
                        format!("{kept_blocks} of {total_blocks} blocks were kept").as_str()
                    ]);
                } else if at == 0 && total_blocks >= LONG {
                    let part = part.display();
                    self.note([format!(
                        "finished blocks are kept; when this is stopped, the same command with \
                         --resume goes on: {part}"
                    )
                    .as_str()]);
                }
                self.bar.reset();
                self.bar.set_length(total_blocks);
                self.bar.set_position(kept_blocks);
                self.bar.reset_eta();
                self.bar.set_message(self.title(at));
            }
            FilesEvent::Progress { done_blocks, .. } => self.bar.set_position(done_blocks),
            FilesEvent::Ended { at, end } => {
                if let FileEnd::Failed(why) = &end
                    && self.is_one_of_many
                {
                    let image = self.tasks[at].image.display();
                    self.note([format!("{image} was not predicted: {why}").as_str()]);
                }
                self.ends.push(end);
            }
        }
    }

    fn title(&self, at: usize) -> String {
        let name = self.tasks[at].image.file_name().unwrap_or_default();
        let name = name.to_string_lossy();
        match self.tasks.len() {
            1 => name.into_owned(),
            all => format!("{name} ({} of {all})", at + 1),
        }
    }

    fn note<'n>(&self, notes: impl IntoIterator<Item = &'n str>) {
        let notes = notes.into_iter();
        notes.for_each(|note| self.bar.suspend(|| eprintln!("note: {note}")));
    }
}
