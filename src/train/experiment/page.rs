use std::path::{Path, PathBuf};

use super::cell::{Cell, CellResult};
use super::pictures::{copy_pictures, write_curves};
use super::tables::{column_definitions, cost_table, judged_table};
use super::twin::twin_table;
use super::{ExperimentSpec, RunSize};
use crate::disk::replace_file;
use crate::train::report::{duration, held_out, plain, put};
use crate::train::{FinalTable, Judgement, RunRecord, TrainError, Trial};

/// A page about an experiment, from the files of its runs.
#[derive(Clone, Debug)]
pub struct ExperimentPage<'a> {
    /// The experiment.
    pub spec: &'a ExperimentSpec,
    /// Its word on the command line, which names the page's file.
    pub name: &'a str,
    /// How much was done.
    pub size: RunSize,
    /// The trainings.
    pub trials: &'a [Trial],
    /// The trainings of the table of costs.
    pub cells: &'a [Cell],
    /// The folder that holds the run folders.
    pub runs: &'a Path,
    /// The command that was given.
    pub command: &'a str,
    /// The command for the full size.
    pub full_command: &'a str,
    /// Where the results of the twin in another program lie, when there are any.
    pub twin: Option<&'a Path>,
}

/// What a page was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageReport {
    /// The page.
    pub path: PathBuf,
    /// Runs that are in it.
    pub runs: usize,
    /// Runs that are missing or not done.
    pub missing: usize,
}

impl ExperimentPage<'_> {
    /// Writes `NAME.md` into `out`, and what it shows into `out/NAME`.
    ///
    /// # Errors
    /// When the disk refuses. Runs that are missing are said in the page.
    pub fn write(&self, out: &Path) -> Result<PageReport, TrainError> {
        let loaded = self.trials.iter().filter_map(|trial| {
            let record = RunRecord::load(&self.runs.join(&trial.name)).ok()?;
            (!record.can_go_on).then(|| (trial.group.clone(), record))
        });
        let runs: Vec<(String, RunRecord)> = loaded.collect();
        let missing = self.trials.len() - runs.len();
        let mut text = format!("# {}\n\n", plain(&self.spec.title));
        self.push_about(&mut text, missing);
        self.push_run(&mut text);
        self.push_data(&mut text, &runs);
        self.push_results(&mut text, &runs);
        self.push_costs(&mut text);
        self.push_looks(&mut text, &runs, &out.join(self.name))?;
        self.push_where(&mut text, &runs);
        self.push_original(&mut text);
        let path = out.join(format!("{}.md", self.name));
        replace_file(&path, text.as_bytes())?;
        Ok(PageReport {
            path,
            runs: runs.len(),
            missing,
        })
    }

    fn push_about(&self, text: &mut String, missing: usize) {
        if let Some(stand_in) = &self.spec.stand_in {
            put!(text, "> **Stand-in data.** {stand_in}\n\n");
        }
        for paragraph in &self.spec.about {
            put!(text, "{paragraph}\n\n");
        }
        if missing > 0 {
            put!(
                text,
                "**Not all is done:** {missing} of {} runs are missing or still going on.\n\n",
                self.trials.len()
            );
        }
    }

    fn push_run(&self, text: &mut String) {
        let words = &self.spec.size(self.size).words;
        put!(
            text,
            "## What was run\n\n    {}\n\n{words}\n\n",
            self.command
        );
        if self.size == RunSize::Small {
            let full = &self.spec.size(RunSize::Full).words;
            put!(
                text,
                "The full size: {full}\n\n    {}\n\n",
                self.full_command
            );
        }
        let mut groups: Vec<&str> = Vec::new();
        for trial in self.trials {
            if groups.contains(&trial.group.as_str()) {
                continue;
            }
            groups.push(&trial.group);
            let recipe = &trial.recipe;
            put!(
                text,
                "- {}: {}, {}; patches of {} pixels, batches of {}, {} steps an epoch, at most {} \
                 epochs, learning rate {}\n",
                plain(&trial.group),
                recipe.model.family.name(),
                recipe.model.encoder.name(),
                recipe.patch,
                recipe.batch,
                recipe.steps_per_epoch,
                recipe.epochs,
                recipe.learning_rate
            );
        }
        text.push('\n');
    }

    fn push_data(&self, text: &mut String, runs: &[(String, RunRecord)]) {
        put!(text, "## Data\n\n{}\n\n", self.spec.split);
        let Some(split) = runs.iter().find_map(|(_, record)| record.split.as_ref()) else {
            return;
        };
        let is_many = self.trials.len() > 1;
        if is_many {
            text.push_str("Of the first run:\n\n");
        }
        for sentence in held_out(split) {
            put!(text, "- {}\n", plain(&sentence));
        }
        text.push('\n');
    }

    fn push_results(&self, text: &mut String, runs: &[(String, RunRecord)]) {
        if runs.is_empty() {
            return;
        }
        let records: Vec<RunRecord> = runs.iter().map(|(_, record)| record.clone()).collect();
        let groups: Vec<String> = runs.iter().map(|(group, _)| group.clone()).collect();
        let mut table = FinalTable::of(&records).without_figures();
        let together = table.grouped(&groups);
        if together.iter().any(|group| group.runs > 1) {
            // Folds hold different ground out, and that is what their deviation tells.
            table
                .notes
                .retain(|note| !note.contains("held out different ground"));
            put!(
                text,
                "## Result\n\nMean and standard deviation over the runs.\n\n"
            );
            put!(text, "{}\n", table.groups_markdown(&together));
            text.push_str("Each run:\n\n");
        } else {
            text.push_str("## Result\n\n");
        }
        put!(text, "{}\n", table.to_markdown());
        text.push_str(
            "Mean IoU is over the classes with truth in the part that is scored. Answering the \
             most frequent class everywhere would score the majority baseline.\n\n",
        );
        let on = self.spec.judge;
        if let Some(judged) = on.and_then(|on| judged_table(runs, on, &self.spec.binary)) {
            let part = on.map_or("", |on| on.words());
            put!(
                text,
                "Whole images, predicted as the Predict button does ({part}):\n\n{judged}\n{}\n",
                column_definitions(&self.spec.binary)
            );
        }
        if let Some(twin) = &self.spec.twin {
            put!(
                text,
                "### The same in another program\n\n{}\n\n",
                twin.words
            );
            match self.twin.and_then(twin_table) {
                Some(table) => put!(text, "{table}\n"),
                None => put!(
                    text,
                    "Its results ({}) are not here yet.\n\n",
                    plain(&twin.file)
                ),
            }
        }
    }

    fn push_costs(&self, text: &mut String) {
        let Some(grid) = &self.spec.grid else {
            return;
        };
        let results = self.cells.iter().filter_map(|cell| {
            let run = cell.run_in(self.runs);
            Some((CellResult::load(&run)?, RunRecord::load(&run).ok()))
        });
        let results: Vec<(CellResult, Option<RunRecord>)> = results.collect();
        put!(
            text,
            "## What patch, batch and accumulation cost\n\n{}\n\n",
            grid.words
        );
        match cost_table(&results) {
            Some(table) => put!(text, "{table}\n"),
            None => text.push_str("Nothing was measured yet.\n\n"),
        }
    }

    fn push_looks(
        &self,
        text: &mut String,
        runs: &[(String, RunRecord)],
        folder: &Path,
    ) -> Result<(), TrainError> {
        let (mut curves, mut pictures) = (String::new(), String::new());
        let mut shown: Vec<&String> = Vec::new();
        for (group, record) in runs {
            let name = plain(&record.name());
            if let Some(file) = write_curves(record, folder)? {
                let file = file.display();
                put!(
                    &mut curves,
                    "{name}\n\n![Curves of {name}](<{}/{file}>)\n\n",
                    self.name
                );
            }
            // One run of a group is enough to see how it looks.
            if shown.contains(&group) {
                continue;
            }
            shown.push(group);
            for file in copy_pictures(record, self.spec.judge, folder)? {
                let file = file.display();
                put!(
                    &mut pictures,
                    "![Pictures of {name}](<{}/{file}>)\n\n",
                    self.name
                );
            }
        }
        if !curves.is_empty() {
            put!(text, "## Curves\n\n{curves}");
        }
        if !pictures.is_empty() {
            put!(
                text,
                "## Pictures\n\nOriginal, label, prediction and error from left to right, made \
                 small.\n\n{pictures}"
            );
        }
        Ok(())
    }

    fn push_where(&self, text: &mut String, runs: &[(String, RunRecord)]) {
        let training: f64 = runs.iter().filter_map(|(_, record)| record.seconds()).sum();
        let judging: f64 = runs
            .iter()
            .filter_map(|(_, record)| Judgement::load(&record.folder, self.spec.judge?))
            .map(|judgement| judgement.seconds)
            .sum();
        text.push_str("## Where and how long\n\n");
        put!(text, "- Training: {}\n", duration(training));
        put!(text, "- Judging: {}\n", duration(judging));
        let mut lines: Vec<String> = Vec::new();
        for (_, record) in runs {
            let environment = record.environment.iter();
            for (name, value) in environment.flat_map(crate::train::Environment::lines) {
                let line = format!("- {name}: {}", plain(&value));
                // Each run has its own, which tells a reader nothing.
                let is_own = ["Data fingerprint", "Began"].contains(&name);
                if !is_own && !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
        lines.sort();
        for line in lines {
            put!(text, "{line}\n");
        }
        text.push('\n');
    }

    fn push_original(&self, text: &mut String) {
        let original = &self.spec.original;
        put!(
            text,
            "## What the original published, and what it measured\n\n{}\n\n",
            original.source
        );
        let mut list = |title: &str, sentences: &[String]| {
            put!(text, "{title}\n\n");
            for sentence in sentences {
                put!(text, "- {sentence}\n");
            }
            text.push('\n');
        };
        list("Published:", &original.published);
        list("What these numbers measure:", &original.measured);
        list("## Notes", &self.spec.notes);
    }
}
