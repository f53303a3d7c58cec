use std::path::{Path, PathBuf};

use super::asked::Shape;
use super::contest::MadeBy;
use super::state::{Layer, Session};
use super::{CommandError, ReviewCommand, ScoreScope};
use crate::geom::{ImagePoint, PixelRect};
use crate::train::{Certainty, FileTask, Flips};

/// Linux takes no longer argument.
const MOST_LETTERS: usize = 120_000;
const TOO_MANY: &str = "The ground is in too many pieces for a command line; choose simpler ground";

/// What is said as a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopiedCommand {
    /// The prediction that is shown, on the ground that it was asked for last.
    Predict,
    /// Its scores against the label's file, on some ground.
    Evaluate(ScoreScope),
    /// The kept prediction against the last one, on some ground.
    Compare(ScoreScope),
    /// Going on from the model in use with what was corrected.
    Finetune,
    /// The same, thoroughly.
    FinetuneThoroughly,
    /// The ranking of places that somebody should look at.
    Queue(QueuedBy),
}

/// Why places are worth a look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueuedBy {
    /// The network is unsure there, above all where it contradicts the label.
    #[default]
    Doubt,
    /// The network is sure of another class than the label says.
    Mistakes,
    /// Network and label differ; the largest first.
    Differences,
}

impl QueuedBy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Doubt, Self::Mistakes, Self::Differences];

    /// Its word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Doubt => "doubt",
            Self::Mistakes => "mistakes",
            Self::Differences => "differences",
        }
    }

    /// What walks through such places.
    pub const fn walk(self) -> ReviewCommand {
        match self {
            Self::Doubt => ReviewCommand::StartDoubtful,
            Self::Mistakes => ReviewCommand::StartConfident,
            Self::Differences => ReviewCommand::Start,
        }
    }
}

impl CopiedCommand {
    /// Those that differ in more than how.
    pub const ALL: [Self; 7] = [
        Self::Predict,
        Self::Evaluate(ScoreScope::Whole),
        Self::Compare(ScoreScope::Whole),
        Self::Finetune,
        Self::Queue(QueuedBy::Differences),
        Self::Queue(QueuedBy::Doubt),
        Self::Queue(QueuedBy::Mistakes),
    ];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Predict => "Prediction",
            Self::Evaluate(_) => "Scores",
            Self::Compare(_) => "Comparison",
            Self::Finetune | Self::FinetuneThoroughly => "Improvement",
            Self::Queue(QueuedBy::Differences) => "Differences",
            Self::Queue(QueuedBy::Doubt) => "Doubtful places",
            Self::Queue(QueuedBy::Mistakes) => "Likely mistakes",
        }
    }
}

impl Session {
    /// The command line that does the same without a window. Ground that is no rectangle becomes
    /// the polygons around it.
    ///
    /// # Errors
    /// Why there is nothing like it, and what has to be done first.
    pub fn as_command(&self, what: CopiedCommand) -> Result<String, CommandError> {
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let (image, mut words) = (&image.path, Words::default());
        match what {
            CopiedCommand::Predict => self.say_prediction(&mut words, image)?,
            CopiedCommand::Evaluate(scope) => self.say_scores(&mut words, scope)?,
            CopiedCommand::Compare(scope) => self.say_comparison(&mut words, image, scope)?,
            CopiedCommand::Finetune | CopiedCommand::FinetuneThoroughly => {
                self.say_project(words.say("finetune"), image)?;
                if what == CopiedCommand::FinetuneThoroughly {
                    words.say("--thorough");
                }
                if let Some(model) = self.model_in_use() {
                    words.path("--model", &model);
                }
            }
            CopiedCommand::Queue(by) => self.say_queue(&mut words, image, by)?,
        }
        Ok(words.told())
    }

    fn say_project(&self, words: &mut Words, image: &Path) -> Result<(), CommandError> {
        let project = self.project_file();
        let project = project.ok_or_else(|| refused("There is no project yet; begin to label"))?;
        words.path("--project", project).path("--image", image);
        Ok(())
    }

    fn say_prediction(&self, words: &mut Words, image: &Path) -> Result<(), CommandError> {
        let made = self.maker().ok_or(CommandError::NoPrediction)?;
        words.say("predict").path("--model", &made.run);
        words.path("--image", image);
        words.path("--out", &self.free_for_prediction(image)?);
        words.say("--uncertainty").flips(made.by.flips);
        if !made.by.threshold.is_half() {
            let threshold = made.by.threshold.probability();
            words.say(&format!("--threshold {threshold:.4}"));
        }
        match made.asked.on {
            ScoreScope::Whole => Ok(()),
            _ => words.ground("--area", made.asked.shape()),
        }
    }

    fn say_queue(&self, words: &mut Words, image: &Path, by: QueuedBy) -> Result<(), CommandError> {
        let made = self.made_by();
        let (run, flips) = made.map_or_else(
            || (self.model_in_use(), self.flips()),
            |made| (Some(made.run), made.flips),
        );
        self.say_project(words.say("queue"), image)?;
        words.path("--model", &run.ok_or(CommandError::NoRun)?);
        words.say("--by").say(by.name()).flips(flips);
        let measure = self.certainty_measure();
        if measure != Certainty::default() && by != QueuedBy::Differences {
            words.say("--certainty-by").say(measure.name());
        }
        Ok(())
    }

    fn say_comparison(
        &self,
        words: &mut Words,
        image: &Path,
        scope: ScoreScope,
    ) -> Result<(), CommandError> {
        let none = "No prediction is kept to compare with (Train › Keep prediction to compare)";
        let a = self.contest_layer().ok_or_else(|| refused(none))?;
        let b = self.prediction.as_ref().ok_or(CommandError::NoPrediction)?;
        let made = [self.contest_made_by().cloned(), self.made_by()];
        words.say("compare");
        words.path("--a", &run_or_file(a, made[0].as_ref())?);
        words.path("--b", &run_or_file(b, made[1].as_ref())?);
        words.path("--image", image);
        if let Some(label) = self.saved_label()? {
            words.path("--truth", &label);
        }
        words.path("--out", &self.beside("_changed.tif")?);
        let made: Vec<MadeBy> = made.into_iter().flatten().collect();
        if let [a, b] = &made[..]
            && a.flips != b.flips
        {
            return Err(refused(
                "One of the two was predicted with mirror images and the other without. Predict \
                 both alike first",
            ));
        }
        if made.iter().any(|by| !by.threshold.is_half()) {
            return Err(refused(
                "One of the two was predicted at a threshold, which this command does not know. \
                 Save both (File › Save prediction as…), or take the likelier class",
            ));
        }
        words.flips(made.first().map_or(Flips::None, |made| made.flips));
        let ground = self.said_ground(scope, &self.judging_of_contest())?;
        let mut parts = made.iter().filter_map(|by| by.asked.as_deref());
        match (&ground, parts.next()) {
            (None, None) => Ok(()),
            (Some(ground), None) => words.ground("--area", Some(ground)),
            (ground, Some(part)) => {
                let ground = ground.as_ref().or_else(|| part.shape());
                self.refuse_unless_compared(scope, ground)?;
                words.ground("--area", ground)
            }
        }
    }

    /// Refuses to say ground of which not all is compared, unless the rest has no data: a command
    /// would predict it.
    fn refuse_unless_compared(
        &self,
        scope: ScoreScope,
        ground: Option<&Shape>,
    ) -> Result<(), CommandError> {
        let found = self.comparison_of(scope).map(|found| found.pixels);
        match ground {
            Some(ground)
                if found != Some(ground.num_pixels())
                    && !found.is_some_and(|found| self.lacks_data_alone(scope, ground, found)) =>
            {
                Err(refused(
                    "Of that ground only a part is compared, since one of the two predictions is \
                     not there or numbers are being counted, and a command would predict all of \
                     it. Predict both there first, or choose other ground for the numbers",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether all of `ground` that has data is compared: so many pixels are, of the scope.
    fn lacks_data_alone(&self, scope: ScoreScope, ground: &Shape, compared: u64) -> bool {
        let on = match (scope, ground) {
            // What lies outside is compared as well, if both are there.
            (ScoreScope::Whole, Shape::Rings(..)) => return false,
            (ScoreScope::Whole, Shape::Rects(rects)) if rects.len() == 1 => {
                ScoreScope::Within(rects[0])
            }
            _ => scope,
        };
        let there = self.comparison_of(on);
        let is_bare = there.is_some_and(|there| there.pixels == compared && there.alone == 0);
        // Of ground that one of the two predicted, both say nothing only where no data is.
        is_bare && self.is_predicted_by_one(scope, ground)
    }

    /// Whether it is known that one of the two predictions was made on all of this ground.
    fn is_predicted_by_one(&self, scope: ScoreScope, ground: &Shape) -> bool {
        let mut made = [self.contest_made_by().cloned(), self.made_by()].into_iter();
        if made.any(|made| made.is_some_and(|made| made.asked.is_none())) {
            return true;
        }
        let Some(made) = self.maker() else {
            return false;
        };
        let (done, all) = made.blocks;
        let is_over = self.prediction_state.job.is_none() && all > 0 && done == all;
        let is_asked = if let (Shape::Rects(rects), None) = (ground, &made.asked.ground) {
            let mut rects = rects.iter();
            rects.all(|rect| rect.intersect(made.asked.area) == *rect)
        } else {
            let selected = self.selected.as_ref();
            let selected = selected.filter(|_| scope == ScoreScope::Selection);
            selected.is_some_and(|it| Some(it.ground.checksum()) == made.asked.sum)
        };
        is_over && is_asked
    }

    fn say_scores(&self, words: &mut Words, scope: ScoreScope) -> Result<(), CommandError> {
        let prediction = self.prediction.as_ref().ok_or(CommandError::NoPrediction)?;
        let truth = self.saved_label()?.ok_or(CommandError::NoLabel)?;
        let file = prediction.path.as_ref().filter(|path| path.is_file());
        let file = file.ok_or_else(|| {
            refused(
                "No file has the prediction as it is. Save it first (File › Save prediction as…)",
            )
        })?;
        words
            .say("eval")
            .path("--truth", &truth)
            .path("--pred", file);
        if let (Some(made), Some(image)) = (self.maker(), &self.image) {
            words.path("--model", &made.run);
            words.path("--image", &image.path);
        }
        self.say_scored(words, scope)
    }

    /// The ground of the scores, without the blocks that judge.
    fn say_scored(&self, words: &mut Words, scope: ScoreScope) -> Result<(), CommandError> {
        if self.is_prediction_in_part() {
            words.say("--predicted-only");
        }
        match self.said_ground(scope, self.judging_blocks())? {
            Some(ground) => words.say("--by view").ground("--view", Some(&ground)),
            None => Ok(()),
        }
    }

    /// The ground of numbers without these blocks, which judge; `None` is the whole image.
    fn said_ground(
        &self,
        scope: ScoreScope,
        judging: &[PixelRect],
    ) -> Result<Option<Shape>, CommandError> {
        let is_all = self.num_asked(scope, judging) == 0;
        match scope {
            ScoreScope::Whole if is_all => Ok(None),
            ScoreScope::Selection if is_all => {
                let selected = self.selected.as_ref();
                let selected = selected.ok_or_else(|| refused("Nothing is selected"))?;
                let outline = || selected.outline.to_vec();
                Ok(Some(Shape::of(&selected.pixels, outline)))
            }
            _ => {
                let rects = self.rects_without(scope, judging);
                let rects = rects.filter(|rects| !rects.is_empty());
                rects.map(Shape::Rects).map(Some).ok_or_else(|| {
                    refused(
                        "No command line says that ground: there is none, all of it judges, or it \
                         is what the model learned from. Choose other ground for the numbers",
                    )
                })
            }
        }
    }

    /// The label's file, which has all that the label has.
    fn saved_label(&self) -> Result<Option<PathBuf>, CommandError> {
        let Some(label) = &self.label else {
            return Ok(None);
        };
        let file = label.path.clone().filter(|path| path.is_file());
        let file = file.filter(|_| !self.has_unsaved_work());
        let file = file.ok_or_else(|| {
            refused("The label has what its file lacks. Save it first (File › Save label)")
        })?;
        Ok(Some(file))
    }

    /// Where a prediction of `image` replaces at most another one that a command wrote.
    fn free_for_prediction(&self, image: &Path) -> Result<PathBuf, CommandError> {
        let mut number = 1_u32;
        loop {
            let out = match number {
                1 => self.beside("_prediction.tif")?,
                _ => self.beside(&format!("_prediction-{number}.tif"))?,
            };
            let sure = |measure: &Certainty| out.with_extension(format!("{}.tif", measure.name()));
            let task = FileTask {
                image: image.to_owned(),
                sure: Certainty::ALL.iter().map(sure).collect(),
                areas: Vec::new(),
                out,
            };
            if task.foreign_file().is_none() {
                return Ok(task.out);
            }
            number += 1;
        }
    }

    fn beside(&self, ending: &str) -> Result<PathBuf, CommandError> {
        self.beside_image(ending).ok_or(CommandError::NoImage)
    }
}

/// What makes a prediction again: the run whose network it is, else its file.
fn run_or_file(layer: &Layer, made: Option<&MadeBy>) -> Result<PathBuf, CommandError> {
    let run = made.map(|made| made.run.clone());
    run.or_else(|| layer.path.clone()).ok_or_else(|| {
        refused(
            "One of the two has neither a run nor a file. Save it first (File › Save prediction \
             as…)",
        )
    })
}

fn refused(why: &str) -> CommandError {
    CommandError::Refused(why.to_owned())
}

/// A command line that grows.
pub(super) struct Words(String);

impl Default for Words {
    fn default() -> Self {
        Self("orthobrush".to_owned())
    }
}

impl Words {
    pub(super) fn say(&mut self, words: &str) -> &mut Self {
        self.0.push(' ');
        self.0.push_str(words);
        self
    }

    pub(super) fn path(&mut self, option: &str, path: &Path) -> &mut Self {
        self.say(option).say(&quoted(&path.display().to_string()))
    }

    /// The line.
    pub(super) fn told(self) -> String {
        self.0
    }

    fn flips(&mut self, flips: Flips) {
        if flips == Flips::All {
            self.say("--tta");
        }
    }

    fn rect(&mut self, option: &str, rect: PixelRect) {
        let (x, y, w, h) = (rect.x, rect.y, rect.width, rect.height);
        self.say(&format!("{option} {x},{y},{w},{h}"));
    }

    /// Ground, by rectangles of this option or by polygons.
    fn ground(&mut self, option: &str, ground: Option<&Shape>) -> Result<(), CommandError> {
        match ground {
            Some(Shape::Rects(rects)) => {
                for rect in rects {
                    self.rect(option, *rect);
                }
                self.are_few()
            }
            Some(Shape::Rings(rings, _)) => self.rings(rings),
            None => self.rings(&[]),
        }
    }

    /// Ground by the polygons around it, which are none where they were too many.
    fn rings(&mut self, rings: &[Vec<ImagePoint>]) -> Result<(), CommandError> {
        for ring in rings {
            let corners = ring.iter().map(|at| format!("{},{}", at.x, at.y));
            let corners = corners.collect::<Vec<_>>().join(",");
            self.say("--polygon").say(&corners);
        }
        if rings.is_empty() {
            return Err(refused(TOO_MANY));
        }
        self.are_few()
    }

    /// Refuses what a shell would refuse.
    fn are_few(&self) -> Result<(), CommandError> {
        if self.0.len() <= MOST_LETTERS {
            Ok(())
        } else {
            Err(refused(TOO_MANY))
        }
    }
}

/// A text as a POSIX shell takes it for one word.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:,@%".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell_are_quoted_where_they_must_be() {
        assert_eq!(quoted("/a/b-1.tif"), "/a/b-1.tif");
        assert_eq!(quoted("my image.tif"), "'my image.tif'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
