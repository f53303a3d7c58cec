use std::path::{Path, PathBuf};

use super::{PaneContent, PaneContents, PaneLayout};
use crate::session::{Command, LayerKind, Panes, PlaceCommand, Session};
use crate::train::Certainty;
use crate::ui::view::{CommandQueue, View};

/// What settings files call the contents that can be there when an image is opened again. Kept
/// predictions, and what is compared with them, go with the window.
const WORDS: [(&str, PaneContent); 8] = [
    ("image and label", PaneContent::Work),
    ("original", PaneContent::Original),
    ("label", PaneContent::Label),
    ("prediction", PaneContent::Prediction),
    ("errors", PaneContent::Errors),
    (
        "probability",
        PaneContent::Certainty(Certainty::Probability),
    ),
    ("margin", PaneContent::Certainty(Certainty::Margin)),
    ("entropy", PaneContent::Certainty(Certainty::Entropy)),
];

/// The panes as they were when they were recalled or kept last.
#[derive(Debug, Default)]
pub struct RememberedPanes {
    /// The image or folder that they are of.
    of: Option<PathBuf>,
    known: (PaneLayout, PaneContents),
    /// Whether it is not known yet if all that they are to show is there.
    is_open: bool,
}

impl View {
    /// Shows what was opened in the panes in which it was seen last. What these showed and is not
    /// there any more gives way to what panes show otherwise, as soon as all is read.
    pub(in crate::ui) fn recall_panes(&mut self, session: &Session) {
        let Some(opened) = opened(session) else {
            return;
        };
        if self.followed.panes.of.as_deref() != Some(opened) {
            let kept = session.settings().panes_of(opened);
            if let Some(kept) = kept {
                (self.layout, self.contents) = read(kept);
            }
            self.followed.panes = RememberedPanes {
                of: Some(opened.to_owned()),
                known: (self.layout, self.contents),
                is_open: kept.is_some(),
            };
        }
        if self.followed.panes.is_open && session.image().is_some() && session.is_idle() {
            if session.layer(LayerKind::Prediction).is_none() {
                hide_predicted(&mut self.contents);
            }
            // What was kept stays: the prediction may be back the next time.
            self.followed.panes.known = (self.layout, self.contents);
            self.followed.panes.is_open = false;
        }
    }

    /// Keeps panes that are others since the last frame.
    pub(in crate::ui) fn keep_panes(&mut self, session: &Session, commands: &mut CommandQueue) {
        let panes = &mut self.followed.panes;
        let (Some(of), shown) = (&panes.of, (self.layout, self.contents)) else {
            return;
        };
        if shown == panes.known || opened(session) != Some(of.as_path()) {
            return;
        }
        let kept = said(of, shown.0, &shown.1);
        (panes.known, panes.is_open) = (shown, false);
        commands.push(Command::Place(PlaceCommand::Panes(kept)));
    }
}

/// The folder, or the image when it was opened alone.
fn opened(session: &Session) -> Option<&Path> {
    let image = || Some(session.image()?.path.as_path());
    session
        .list()
        .map_or_else(image, |list| Some(list.folder.as_path()))
}

fn hide_predicted(contents: &mut PaneContents) {
    let doubt = Certainty::ALL.map(PaneContent::Certainty);
    for content in [PaneContent::Prediction, PaneContent::Errors]
        .into_iter()
        .chain(doubt)
    {
        contents.hide(content);
    }
}

fn said(of: &Path, layout: PaneLayout, contents: &PaneContents) -> Panes {
    let words = |content: &PaneContent| {
        let known = WORDS.iter().find(|(_, known)| known == content);
        known.map_or_else(String::new, |(word, _)| (*word).to_owned())
    };
    let shown = PaneLayout::ALL.map(|layout| contents.of(layout).iter().map(words).collect());
    Panes {
        of: of.to_owned(),
        count: layout.num_panes(),
        shown: shown.into(),
        behind: words(&contents.behind),
    }
}

/// What is not understood is as it is otherwise.
fn read(kept: &Panes) -> (PaneLayout, PaneContents) {
    let content = |word: &String| {
        let known = WORDS.iter().find(|(known, _)| known == word);
        known.map(|(_, content)| *content)
    };
    let mut contents = PaneContents::default();
    for (layout, words) in PaneLayout::ALL.into_iter().zip(&kept.shown) {
        for (place, word) in words.iter().enumerate() {
            if let Some(content) = content(word) {
                contents.choose(layout, place, content);
            }
        }
    }
    contents.behind = content(&kept.behind).unwrap_or(contents.behind);
    let mut layouts = PaneLayout::ALL.into_iter();
    let layout = layouts.find(|layout| layout.num_panes() == kept.count);
    (layout.unwrap_or_default(), contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::KeptPlace;

    #[test]
    fn panes_come_back_as_they_were_and_what_is_gone_as_it_is_otherwise() {
        let mut contents = PaneContents::default();
        contents.choose(PaneLayout::One, 0, PaneContent::Errors);
        let doubt = PaneContent::Certainty(Certainty::Entropy);
        contents.choose(PaneLayout::Two, 1, doubt);
        contents.behind = PaneContent::Original;
        let mut kept = said(Path::new("a.tif"), PaneLayout::Two, &contents);
        assert_eq!(read(&kept), (PaneLayout::Two, contents));

        let mut with_kept = contents;
        let place = KeptPlace::default();
        with_kept.choose(PaneLayout::Three, 2, PaneContent::Kept(place));
        with_kept.choose(PaneLayout::Four, 0, PaneContent::Changed);
        let with_kept = said(Path::new("a.tif"), PaneLayout::Two, &with_kept);
        assert_eq!(read(&with_kept), (PaneLayout::Two, contents));

        (kept.count, kept.behind) = (7, "what a later version shows".to_owned());
        let (layout, read) = read(&kept);
        assert_eq!(layout, PaneLayout::One);
        assert_eq!(read.behind, PaneContent::Prediction);
    }

    #[test]
    fn without_a_prediction_panes_show_nothing_of_it() {
        let mut contents = PaneContents::default();
        contents.choose(PaneLayout::One, 0, PaneContent::Errors);
        contents.choose(PaneLayout::Two, 0, PaneContent::Prediction);
        for (place, measure) in Certainty::ALL.into_iter().enumerate() {
            contents.choose(PaneLayout::Three, place, PaneContent::Certainty(measure));
        }
        hide_predicted(&mut contents);
        assert_eq!(contents, PaneContents::default());
    }
}
