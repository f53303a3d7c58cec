use std::path::{Path, PathBuf};

use super::state::Session;
use super::{LayerKind, ScoreScope, Selected};
use crate::geom::PixelRect;
use crate::train::Flips;

/// Linux takes no longer argument.
const MOST_LETTERS: usize = 120_000;

/// What is said as a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopiedCommand {
    /// The last prediction.
    Predict,
    /// Its scores against the label's file, on some ground.
    Evaluate(ScoreScope),
    /// The kept prediction against the last one.
    Compare,
    /// Going on from the model in use with what was corrected.
    Finetune,
    /// The same, thoroughly.
    FinetuneThoroughly,
    /// The ranking of places that somebody should look at.
    Queue,
}

impl CopiedCommand {
    /// Those that differ in more than how.
    pub const ALL: [Self; 5] = [
        Self::Predict,
        Self::Evaluate(ScoreScope::Whole),
        Self::Compare,
        Self::Finetune,
        Self::Queue,
    ];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Predict => "Prediction",
            Self::Evaluate(_) => "Scores",
            Self::Compare => "Comparison",
            Self::Finetune | Self::FinetuneThoroughly => "Improvement",
            Self::Queue => "Where to look next",
        }
    }
}

impl Session {
    /// The command line that does the same without a window; `None` while there is nothing like it.
    /// A selection becomes the polygons around it, unless those are too many corners.
    pub fn as_command(&self, what: CopiedCommand) -> Option<String> {
        let image = &self.image.as_ref()?.path;
        let mut words = Words::default();
        match what {
            CopiedCommand::Predict => self.say_prediction(&mut words, image)?,
            CopiedCommand::Evaluate(scope) => {
                let prediction = self.layer(LayerKind::Prediction)?;
                let file = prediction.path.clone().or_else(|| self.prediction_file())?;
                words.say("eval").path("--truth", &self.label_file()?);
                words.path("--pred", &file);
                self.say_scored(&mut words, scope)?;
            }
            CopiedCommand::Compare => {
                words.say("compare").path("--a", self.contest().run()?);
                words.path("--b", self.prediction_state().run.as_ref()?);
                words.path("--image", image);
                if let Some(label) = self.label_file() {
                    words.path("--truth", &label);
                }
            }
            CopiedCommand::Finetune | CopiedCommand::FinetuneThoroughly => {
                self.say_project(words.say("finetune"), image)?;
                if what == CopiedCommand::FinetuneThoroughly {
                    words.say("--thorough");
                }
                if let Some(model) = self.model_in_use() {
                    words.path("--model", &model);
                }
            }
            CopiedCommand::Queue => {
                self.say_project(words.say("queue"), image)?;
                let run = self.prediction_state().run.clone();
                words.path("--model", &run.or_else(|| self.model_in_use())?);
            }
        }
        Some(words.0)
    }

    fn say_project(&self, words: &mut Words, image: &Path) -> Option<()> {
        words.path("--project", self.project_file()?);
        words.path("--image", image);
        Some(())
    }

    fn say_prediction(&self, words: &mut Words, image: &Path) -> Option<()> {
        let state = self.prediction_state();
        words.say("predict").path("--model", state.run.as_ref()?);
        words.path("--image", image);
        words.path("--out", &self.prediction_file()?);
        words.say("--uncertainty");
        if self.flips() == Flips::All {
            words.say("--tta");
        }
        match state.on {
            ScoreScope::Whole => {}
            ScoreScope::Within(rect) => words.rect("--area", rect),
            ScoreScope::HeldOut | ScoreScope::Training => return None,
            ScoreScope::Selection => words.selected("--area", self.selected.as_ref()?)?,
            ScoreScope::DoneCells => {
                words.say("--cells done");
            }
        }
        Some(())
    }

    fn say_scored(&self, words: &mut Words, scope: ScoreScope) -> Option<()> {
        let is_all = self.judging_left_out(scope) == 0;
        if scope == ScoreScope::Whole && is_all {
            return Some(());
        }
        words.say("--by view");
        if scope == ScoreScope::Selection && is_all {
            return words.selected("--view", self.selected.as_ref()?);
        }
        let rects = self.rects_of(scope).filter(|rects| !rects.is_empty())?;
        for rect in rects {
            words.rect("--view", rect);
        }
        words.are_few()
    }

    fn prediction_file(&self) -> Option<PathBuf> {
        self.beside_image("_prediction.tif")
    }

    fn label_file(&self) -> Option<PathBuf> {
        let label = self.layer(LayerKind::Label)?;
        label.path.clone().or_else(|| self.default_label_path())
    }
}

/// A command line that grows.
struct Words(String);

impl Default for Words {
    fn default() -> Self {
        Self("orthobrush".to_owned())
    }
}

impl Words {
    fn say(&mut self, words: &str) -> &mut Self {
        self.0.push(' ');
        self.0.push_str(words);
        self
    }

    fn path(&mut self, option: &str, path: &Path) -> &mut Self {
        self.say(option).say(&quoted(&path.display().to_string()))
    }

    fn rect(&mut self, option: &str, rect: PixelRect) {
        let (x, y, w, h) = (rect.x, rect.y, rect.width, rect.height);
        self.say(&format!("{option} {x},{y},{w},{h}"));
    }

    /// A rectangle by `option`, anything else by the polygons around it.
    fn selected(&mut self, option: &str, selected: &Selected) -> Option<()> {
        let bounds = selected.pixels.bounds();
        if selected.pixels.num_pixels() == bounds.num_pixels() {
            self.rect(option, bounds);
            return Some(());
        }
        for ring in selected.outline.iter() {
            let corners = ring.iter().map(|at| format!("{},{}", at.x, at.y));
            let corners = corners.collect::<Vec<_>>().join(",");
            self.say("--polygon").say(&corners);
        }
        (!selected.outline.is_empty()).then_some(())?;
        self.are_few()
    }

    /// `None` where a shell would refuse so many.
    fn are_few(&self) -> Option<()> {
        (self.0.len() <= MOST_LETTERS).then_some(())
    }
}

/// A text as a POSIX shell takes it for one word.
fn quoted(text: &str) -> String {
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
