use std::path::Path;

use super::PaneLayout;
use super::instant::instant_hint;
use crate::session::{KeptPlace, LayerKind, Session};
use crate::train::{Certainty, Flips};

const KEEP_FIRST: &str = "keep a prediction first: Train › Keep prediction to compare";

/// What one canvas shows over the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaneContent {
    /// The image alone.
    Original,
    /// The label.
    Label,
    /// The prediction.
    Prediction,
    /// Where label and prediction go together.
    Errors,
    /// A prediction that is kept.
    Kept(KeptPlace),
    /// Where label and a prediction that is kept go together.
    KeptErrors(KeptPlace),
    /// Where the prediction differs from the kept one that it is compared with.
    Changed,
    /// How sure the network is, by a measure.
    Certainty(Certainty),
    /// The label, and the prediction where there is no label layer or instant answers are on.
    Work,
}

impl PaneContent {
    /// All that there is to choose from, in the order of the menu; a kept prediction also where
    /// there is none, so that panes say how to come by one.
    pub fn choices(session: &Session) -> impl Iterator<Item = Self> {
        let mut kept: Vec<KeptPlace> = session.kept_places().collect();
        let errors = kept.clone().into_iter().map(Self::KeptErrors);
        if kept.is_empty() {
            kept.push(KeptPlace::default());
        }
        [Self::Work, Self::Original, Self::Label, Self::Prediction]
            .into_iter()
            .chain(kept.into_iter().map(Self::Kept))
            .chain([Self::Errors])
            .chain(errors)
            .chain([Self::Changed])
            .chain(Certainty::ALL.map(Self::Certainty))
    }

    /// What is drawn of it: while somebody says what is at a point of the area check, no map tells.
    pub fn seen(self, session: &Session) -> Self {
        session.checked_point().map_or(self, |_| Self::Original)
    }

    /// Whether it holds two masks against each other.
    pub const fn compares(self) -> bool {
        matches!(self, Self::Errors | Self::KeptErrors(_) | Self::Changed)
    }

    /// Whether colors are explained below its name.
    pub const fn has_legend(self) -> bool {
        self.compares() || matches!(self, Self::Certainty(_))
    }

    /// What the menu says: kept predictions are told apart by their networks or files.
    pub fn entry(self, session: &Session) -> String {
        let (name, place) = match self {
            Self::Kept(place) => ("Kept prediction", place),
            Self::KeptErrors(place) => ("Errors of the kept prediction", place),
            _ => return self.name().to_owned(),
        };
        format!("{name} {}", kept_hint(session, place))
            .trim_end()
            .to_owned()
    }

    /// What the pane's header says.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Original => "Original",
            Self::Label => "Label",
            Self::Prediction => "Prediction",
            Self::Errors => "Errors",
            Self::Kept(_) => "Kept prediction",
            Self::KeptErrors(_) => "Errors of kept",
            Self::Changed => "Changed its mind",
            Self::Certainty(Certainty::Probability) => "Doubt: probability",
            Self::Certainty(Certainty::Margin) => "Doubt: margin",
            Self::Certainty(Certainty::Entropy) => "Doubt: entropy",
            Self::Work => "Image and label",
        }
    }

    /// What the header says where there is nothing to show, of instant answers, and which run made
    /// the prediction.
    pub fn hint(self, session: &Session) -> String {
        let lacks = |kind| session.layer(kind).is_none();
        if let (Self::Work | Self::Prediction, Some(state)) = (self, session.instant()) {
            return instant_hint(state);
        }
        if !lacks(LayerKind::Replaced) && self.layers(session).contains(&LayerKind::Replaced) {
            let run = session.prediction_state().run.as_deref();
            return format!("{}; faint: the one before", run_hint(run));
        }
        let hint = match self {
            Self::Original if session.checked_point().is_some() => {
                "maps are hidden while points are checked"
            }
            Self::Label if lacks(LayerKind::Label) => "none yet: paint here, or File › Open label…",
            Self::Prediction | Self::Errors if lacks(LayerKind::Prediction) => {
                if session.model_in_use().is_some() {
                    "none yet: press Predict in the Train panel, or turn instant answers on"
                } else {
                    "none yet: press Train, then Predict, or turn instant answers on"
                }
            }
            Self::Errors | Self::KeptErrors(_) if lacks(LayerKind::Label) => {
                "there is no label to compare with"
            }
            Self::Kept(place) | Self::KeptErrors(place) if lacks(LayerKind::Kept(place)) => {
                KEEP_FIRST
            }
            Self::Changed if session.kept_places().next().is_none() => KEEP_FIRST,
            Self::Changed if lacks(LayerKind::Prediction) => "predict with another network",
            Self::Certainty(measure) if lacks(LayerKind::Certainty(measure)) => {
                "comes with a prediction that is made here"
            }
            Self::Kept(place) | Self::KeptErrors(place) => return kept_hint(session, place),
            Self::Prediction | Self::Errors | Self::Certainty(_) => {
                return run_hint(session.prediction_state().run.as_deref());
            }
            Self::Work if lacks(LayerKind::Label) && !lacks(LayerKind::Prediction) => {
                return run_hint(session.prediction_state().run.as_deref());
            }
            _ => "",
        };
        hint.to_owned()
    }

    /// Whether it changes while the image is predicted.
    pub fn follows_prediction(self, session: &Session) -> bool {
        let is_of_it = |kind| matches!(kind, LayerKind::Prediction | LayerKind::Certainty(_));
        matches!(self, Self::Errors | Self::Changed)
            || self.layers(session).into_iter().any(is_of_it)
    }

    /// The mask layers that it draws, first drawn first.
    pub fn layers(self, session: &Session) -> Vec<LayerKind> {
        let chosen = LayerKind::Certainty(session.certainty_measure());
        match self {
            Self::Original | Self::Errors | Self::KeptErrors(_) | Self::Changed => Vec::new(),
            Self::Label => vec![LayerKind::Label],
            Self::Kept(place) => vec![LayerKind::Kept(place)],
            Self::Certainty(measure) => vec![LayerKind::Certainty(measure)],
            Self::Prediction if is_shown(session, chosen) => vec![chosen],
            Self::Prediction => predicted(session),
            // Both at once could not be told apart.
            Self::Work if is_shown(session, LayerKind::Origins) => vec![LayerKind::Origins],
            Self::Work if is_shown(session, chosen) => vec![chosen],
            // Scribbles lie over the answers that they give.
            Self::Work if session.instant().is_some() => {
                vec![LayerKind::Prediction, LayerKind::Label, LayerKind::Preview]
            }
            Self::Work => {
                let label = session.layer(LayerKind::Label);
                let mut layers =
                    label.map_or_else(|| predicted(session), |_| vec![LayerKind::Label]);
                layers.push(LayerKind::Preview);
                layers
            }
        }
    }
}

/// The prediction, over what it takes the place of.
fn predicted(session: &Session) -> Vec<LayerKind> {
    let replaced = is_shown(session, LayerKind::Prediction).then_some(LayerKind::Replaced);
    replaced
        .into_iter()
        .chain([LayerKind::Prediction])
        .collect()
}

/// Whose answers they are, by the name of the run's folder.
fn run_hint(run: Option<&Path>) -> String {
    let name = run.and_then(Path::file_name);
    name.map_or_else(String::new, |name| format!("of {}", name.to_string_lossy()))
}

/// Which kept prediction it is: that of a run, with mirror images or without, or that of a file.
fn kept_hint(session: &Session, place: KeptPlace) -> String {
    let layer = session.layer(LayerKind::Kept(place));
    let file = layer.and_then(|layer| layer.path.as_deref());
    let by = run_hint(session.kept_by(place).or(file));
    match session.kept_flips(place) {
        Flips::None => by,
        Flips::All => format!("{by}, mirrored too"),
    }
}

fn is_shown(session: &Session, kind: LayerKind) -> bool {
    session.layer(kind).is_some_and(|layer| layer.is_visible)
}

/// What each pane of each layout shows, and what lies behind the curtain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaneContents {
    panes: [[PaneContent; 4]; 4],
    /// What panes show at the right of the curtain, and the pane under the pointer while
    /// the key to blink is held.
    pub behind: PaneContent,
}

impl Default for PaneContents {
    fn default() -> Self {
        use PaneContent::{Label, Original, Prediction, Work};
        Self {
            panes: [
                [Work; 4],
                [Original, Label, Prediction, Work],
                [Original, Label, Prediction, Work],
                [Original, Label, Prediction, Work],
            ],
            behind: Prediction,
        }
    }
}

impl PaneContents {
    /// What the panes of `layout` show, from left to right.
    pub fn of(&self, layout: PaneLayout) -> &[PaneContent] {
        let count = layout.num_panes();
        &self.panes[count - 1][..count]
    }

    /// The measures of doubt that the panes of `layout` show, or that lie behind them.
    pub fn measures(&self, layout: PaneLayout) -> Vec<Certainty> {
        let shows = |content| self.behind == content || self.of(layout).contains(&content);
        let measures = Certainty::ALL.into_iter();
        measures
            .filter(|&one| shows(PaneContent::Certainty(one)))
            .collect()
    }

    /// Shows something else in a pane, counted from 0.
    pub fn choose(&mut self, layout: PaneLayout, place: usize, content: PaneContent) {
        let panes = &mut self.panes[layout.num_panes() - 1];
        if let Some(pane) = panes.get_mut(place) {
            *pane = content;
        }
    }

    /// Shows in the last pane where two predictions differ.
    pub fn show_changes(&mut self, layout: PaneLayout) {
        let last = layout.num_panes() - 1;
        self.choose(layout, last, PaneContent::Changed);
    }

    /// Shows what panes show otherwise wherever they show `content`.
    pub fn hide(&mut self, content: PaneContent) {
        let usual = Self::default();
        for (panes, usual) in self.panes.iter_mut().zip(usual.panes) {
            for (pane, usual) in panes.iter_mut().zip(usual) {
                if *pane == content {
                    *pane = usual;
                }
            }
        }
        if self.behind == content {
            self.behind = usual.behind;
        }
    }

    /// Shows a kept prediction nowhere any more, nor, when it was the last, where it differs.
    pub fn forget(&mut self, place: KeptPlace, was_last: bool) {
        self.hide(PaneContent::Kept(place));
        self.hide(PaneContent::KeptErrors(place));
        if was_last {
            self.hide(PaneContent::Changed);
        }
    }

    /// Changes the first pane to show errors, or back to what it shows otherwise.
    pub fn toggle_errors(&mut self, layout: PaneLayout) {
        let usual = Self::default().of(layout)[0];
        let is_shown = self.of(layout)[0] == PaneContent::Errors;
        let next = if is_shown { usual } else { PaneContent::Errors };
        self.choose(layout, 0, next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layout_remembers_what_its_panes_show() {
        let mut contents = PaneContents::default();
        contents.choose(PaneLayout::Three, 1, PaneContent::Errors);
        assert_eq!(contents.of(PaneLayout::Three)[1], PaneContent::Errors);
        assert_eq!(contents.of(PaneLayout::Two)[1], PaneContent::Label);
        assert_eq!(contents.of(PaneLayout::Four).len(), 4);
        contents.toggle_errors(PaneLayout::One);
        assert_eq!(contents.of(PaneLayout::One), [PaneContent::Errors]);
        contents.toggle_errors(PaneLayout::One);
        assert_eq!(contents, {
            let mut expected = PaneContents::default();
            expected.choose(PaneLayout::Three, 1, PaneContent::Errors);
            expected
        });
    }

    #[test]
    fn only_measures_that_are_seen_are_asked_for() {
        use Certainty::{Entropy, Margin, Probability};
        let mut contents = PaneContents::default();
        for (place, measure) in [(0, Entropy), (1, Margin), (2, Entropy)] {
            contents.choose(PaneLayout::Three, place, PaneContent::Certainty(measure));
        }
        assert_eq!(contents.measures(PaneLayout::Three), [Margin, Entropy]);
        assert_eq!(contents.measures(PaneLayout::Four), []);
        contents.behind = PaneContent::Certainty(Probability);
        assert_eq!(contents.measures(PaneLayout::One), [Probability]);
    }

    #[test]
    fn what_is_gone_is_shown_nowhere() {
        let mut contents = PaneContents::default();
        contents.choose(PaneLayout::Two, 0, PaneContent::Kept(KeptPlace::First));
        contents.behind = PaneContent::Kept(KeptPlace::First);
        contents.hide(PaneContent::Kept(KeptPlace::First));
        assert_eq!(contents, PaneContents::default());
    }
}
