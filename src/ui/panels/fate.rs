use std::path::{Path, PathBuf};

use egui::{RichText, Ui};

use crate::session::{Command, ScoredGround, Session, TrainOn};
use crate::train::{Ancestor, Decision};
use crate::ui::theme;
use crate::ui::view::CommandQueue;

/// Whether a model was refused, or was not judged yet; an unfinished one can go on.
pub(super) fn fate_ui(
    ui: &mut Ui,
    session: &Session,
    model: &Ancestor,
    commands: &mut CommandQueue,
) {
    let decision = model.verdict.as_ref().map(|verdict| &verdict.decision);
    let (word, why) = match decision {
        Some(Decision::Kept(why)) => ("refused", why.as_str()),
        Some(Decision::NotMeasured(why)) => ("not measured", why.as_str()),
        None if is_unjudged(session, model) => ("not judged", UNJUDGED),
        None | Some(Decision::Promoted | Decision::First) => return,
    };
    theme::words(ui, theme::WARNING, RichText::new(word).small()).on_hover_text(why);
    if decision.is_none() && can_go_on(session, model) {
        let link = ui.link(RichText::new("Go on").small());
        let help = "Learns the rest, if any is left, and compares it with the model before";
        if link.on_hover_text(help).clicked() {
            commands.push(Command::StartTraining {
                recipe: Box::default(),
                on: TrainOn::Resume(model.run.clone()),
                out: None,
            });
        }
    }
}

const UNJUDGED: &str = "It was stopped or killed before it was compared with the model before. It \
                        can go on where the image is open that it learned from";

/// Whether a fine-tuning has no verdict and none is being made.
fn is_unjudged(session: &Session, model: &Ancestor) -> bool {
    let state = session.finetuning();
    let is_at_work = state.is_running() && state.run.as_ref() == Some(&model.run);
    model.lineage.is_some() && !is_at_work
}

/// Whether the open image is the one that a model learned from, and nothing else learns.
fn can_go_on(session: &Session, model: &Ancestor) -> bool {
    let is_busy = session.is_learning() || session.finetuning().is_running();
    let open = session.image().map(|image| absolute(&image.path));
    let of = model.lineage.as_ref().map(|lineage| &lineage.image);
    model.goes_on && !is_busy && of.is_some() && open.as_ref() == of
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// What a model gained over the one before, in a word.
pub(super) fn gained_ui(ui: &mut Ui, model: &Ancestor) {
    let Some(gain) = model.verdict.as_ref().and_then(|it| it.gain.mean_iou) else {
        return;
    };
    let points = format!("{:+.1}", gain.value * 100.0);
    ui.label(RichText::new(points).small().weak())
        .on_hover_text(format!(
            "Gain in mean IoU over the model before: {}",
            gain.in_points()
        ));
    theme::ground(ui, ScoredGround::OF_VERDICTS);
}
