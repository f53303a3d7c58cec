use egui::{Color32, RichText, Ui};

use super::theme;
use super::view::View;
use crate::session::{LayerKind, Safety, Session};

/// Whether the person's work is safe, in two words, and under the pointer the whole story.
pub fn safety_ui(ui: &mut Ui, session: &Session, view: &View) {
    let label = session.layer(LayerKind::Label).map(|label| label.id);
    let saved = view.saved.filter(|(saved, _)| label == Some(*saved));
    let saved = saved.map(|(_, at)| at.elapsed().as_secs());
    if let Some((text, color, hover)) = label_words(session, saved) {
        theme::words(ui, color, RichText::new(text).small()).on_hover_text(hover);
        ui.separator();
    }
}

/// Words, their color, and the whole story.
type Told = (String, Color32, String);

fn told(text: &str, color: Color32, hover: &str) -> Told {
    (text.to_owned(), color, hover.to_owned())
}

/// `None` where there is no label.
fn label_words(session: &Session, saved: Option<u64>) -> Option<Told> {
    let label = session.layer(LayerKind::Label)?;
    if label.is_loading {
        let hover = "What it covers is known when all of its file is read";
        return Some(told("Reading the label…", Color32::GRAY, hover));
    }
    let is_unsaved = session.has_unsaved_work();
    Some(safety_words(session.safety(), saved, is_unsaved))
}

/// `saved` is how many seconds ago the label was saved in this window, if it was.
fn safety_words(safety: Safety, saved: Option<u64>, is_unsaved: bool) -> Told {
    match (safety, saved) {
        (Safety::ReadOnly, _) => told(
            "Read-only",
            theme::WARNING,
            "Another window works on this project; close it and open the image again",
        ),
        (Safety::Failing(why), _) => (
            "Strokes only in memory".to_owned(),
            theme::ERROR,
            format!("{why}. They are written as soon as the disk takes them"),
        ),
        (_, Some(seconds)) if !is_unsaved => (
            format!("Saved {}", ago(seconds)),
            theme::GOOD,
            "The label's file has all strokes".to_owned(),
        ),
        (_, None) if !is_unsaved => told(
            "As in the file",
            theme::GOOD,
            "The label's file has all strokes",
        ),
        (Safety::Kept(path), _) => (
            "Strokes kept".to_owned(),
            theme::GOOD,
            format!(
                "Each finished stroke is on the disk, with its undo step; Ctrl+S writes the \
                 label's own file. {}",
                path.display()
            ),
        ),
        (Safety::Writing, _) => told("Keeping strokes…", theme::GOOD, "On their way to the disk"),
        (Safety::InMemory, _) => told(
            "Unsaved strokes",
            theme::WARNING,
            "They are in memory until you save (Ctrl+S)",
        ),
    }
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        _ => format!("{} h ago", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Waker;
    use crate::session::{Command, ProjectPlace, SessionConfig};

    fn wait(session: &mut Session) {
        while session.pump(64) > 0 || !session.is_idle() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    #[test]
    fn a_label_that_is_still_read_is_not_called_as_in_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let [image, mask] = ["image.png", "mask.png"].map(|name| folder.path().join(name));
        for path in [&image, &mask] {
            image::GrayImage::new(8, 8).save(path).expect("written");
        }
        let mut session = Session::new(SessionConfig {
            waker: Waker::none(),
            settings_path: None,
            projects: ProjectPlace::Nowhere,
        });
        session
            .apply(Command::Open { path: image })
            .expect("accepted");
        wait(&mut session);
        let read = Command::OpenMask {
            layer: LayerKind::Label,
            path: mask,
        };
        session.apply(read).expect("accepted");
        let text = |session: &Session| label_words(session, None).map(|(text, ..)| text);
        assert_eq!(text(&session).as_deref(), Some("Reading the label…"));
        wait(&mut session);
        assert_ne!(text(&session).as_deref(), Some("Reading the label…"));
    }
}
