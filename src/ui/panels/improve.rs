use std::path::Path;

use egui::{Grid, RichText, ScrollArea, Ui};

use super::fate::{fate_ui, gained_ui};
use super::train::running_ui;
use crate::label::{Origin, UNLABELED};
use crate::session::{Command, FinetuneCommand, FinetunePhase, ScoredGround, Session};
use crate::train::{
    Ancestor, Decision, Elsewhere, FEWEST_CELLS, FinetuneOptions, Forgetting, HeldOut, LearnedFrom,
    Relative, Verdict, VerdictRow,
};
use crate::ui::dialogs::FileWish;
use crate::ui::predicting::show_prediction;
use crate::ui::stop::stop_ui;
use crate::ui::view::{CommandQueue, View};
use crate::ui::{text, theme};

/// So long after an improvement no press begins the next one, in seconds: it may be the second of a
/// double click on what stood there.
const REST: f64 = 1.0;

/// One click: learn from what was corrected, see whether it helped, go back if not.
pub fn improve_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if session.image().is_none() {
        ui.weak("Open an image first.");
        return;
    }
    model_ui(ui, session, view);
    corrected_ui(ui, session);
    let state = session.finetuning();
    let now = ui.input(|input| input.time);
    let ended = &mut view.followed.improvement_ended;
    *ended = if state.is_running() {
        Some(f64::INFINITY)
    } else {
        ended.map(|ended| ended.min(now))
    };
    match &state.phase {
        FinetunePhase::Learning => {
            running_ui(ui, session, commands);
        }
        FinetunePhase::Judging => judging_ui(ui, session, commands),
        _ => start_ui(ui, session, view, commands),
    }
    match &state.phase {
        FinetunePhase::Judged(verdict) if is_of_family(session) => {
            verdict_ui(ui, session, verdict, commands);
        }
        FinetunePhase::Failed(why) => {
            theme::words(ui, theme::ERROR, why);
        }
        _ => {}
    }
    family_ui(ui, session, commands);
}

/// The comparing with the model before, and its end.
fn judging_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let job = session.finetuning().judging;
    let mut activities = session.activities();
    let Some(judging) = activities.find(|activity| Some(activity.id) == job) else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.spinner();
        ui.label(format!("{}, on held-out ground…", judging.title));
        let help = "Compares no further; the model before stays in use";
        stop_ui(ui, session, judging.id, ("Stop", help), commands);
    });
}

/// Asks for an improvement, if one can begin now.
pub fn improve(session: &Session, view: &mut View, commands: &mut CommandQueue) {
    show_prediction(session, view);
    let options = if view.improves_thoroughly {
        FinetuneOptions::thorough()
    } else {
        FinetuneOptions::default()
    };
    commands.push(Command::Finetune(FinetuneCommand::Start {
        options: Box::new(options),
        parent: None,
        out: None,
    }));
}

/// Whether an improvement can begin now.
pub fn can_improve(session: &Session) -> bool {
    !session.training().is_running()
        && !session.finetuning().is_running()
        && (session.coverage().num_done() > 0 || corrected_pixels(session) > 0)
}

/// Pixels that somebody painted or accepted.
fn corrected_pixels(session: &Session) -> u64 {
    let origins = session.origin_areas();
    let made = usize::from(Origin::HAND.index())..usize::from(UNLABELED);
    origins[made].iter().sum()
}

fn name_of(run: &Path) -> String {
    run.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn model_ui(ui: &mut Ui, session: &Session, view: &mut View) {
    ui.horizontal_wrapped(|ui| {
        ui.label("Model:");
        match session.model_in_use() {
            Some(run) => ui
                .strong(name_of(&run))
                .on_hover_text(run.display().to_string()),
            None => ui.weak("none yet").on_hover_text(
                "The first click makes one on the encoder that comes with the program",
            ),
        };
        let other = ui.link("Choose…");
        if other
            .on_hover_text("A run folder whose best model is to be used")
            .clicked()
        {
            view.wish(FileWish::ChooseModel);
        }
    });
}

fn corrected_ui(ui: &mut Ui, session: &Session) {
    let (done, all) = (
        session.coverage().num_done(),
        session.coverage().num_cells(),
    );
    let text = format!(
        "Learns from {} cells that are done (K) and {} pixels made by hand or accepted",
        text::of_all(done, all),
        text::grouped(corrected_pixels(session))
    );
    ui.label(RichText::new(text).small().weak()).on_hover_text(
        "In cells marked as done every label counts, elsewhere only what somebody painted or \
         accepted. Some ground of done cells is held out, to see whether the model got better.",
    );
    if let Some(text) = unmeasured(done, all, session.is_ground_used_up()) {
        ui.label(RichText::new(text).small().weak()).on_hover_text(
            "Without held-out ground a new model is not taken by itself. Train holds ground of done \
             cells out as well, for the models that come of it: mark cells before the first \
             training",
        );
    }
}

/// Why the next model cannot be measured with `done` of `all` cells, and what helps.
/// `is_used_up`: the model in use learned from the ground.
fn unmeasured(done: u64, all: u64, is_used_up: bool) -> Option<String> {
    let missing = FEWEST_CELLS.saturating_sub(done);
    let cells = if missing == 1 { "cell" } else { "cells" };
    Some(match (missing, is_used_up) {
        _ if all < FEWEST_CELLS => format!(
            "The image has fewer than {FEWEST_CELLS} cells, too few to measure a new model: look at \
             what it says, and choose"
        ),
        (0, false) => return None,
        (0, true) => "The model in use learned from this ground. Press Train first, which holds \
                      ground of done cells out, and the models that come of it are measured"
            .to_owned(),
        (_, false) => format!("Mark {missing} more {cells} as done, and the new model is measured"),
        (_, true) => format!(
            "The model in use learned from this ground. Mark {missing} more {cells} as done and \
             press Train first, which holds ground of them out, and the models that come of it are \
             measured"
        ),
    })
}

fn start_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    ui.add_space(theme::GRID);
    let button = RichText::new("Improve the model").strong();
    let button = egui::Button::new(button).fill(theme::ACCENT.gamma_multiply(0.6));
    let wide = egui::vec2(ui.available_width(), 28.0);
    let response = ui
        .add_enabled_ui(can_improve(session), |ui| ui.add_sized(wide, button))
        .inner;
    let now = ui.input(|input| input.time);
    if response.clicked() && is_meant(now, view.followed.improvement_ended) {
        improve(session, view, commands);
    }
    response
        .on_hover_text(
            "Learns from the corrections, shows its answer for what is in view after each epoch, \
             and takes the new model if it is better for sure (Ctrl+I)",
        )
        .on_disabled_hover_text(if session.training().is_running() {
            "A training runs"
        } else {
            "Nothing was corrected yet: paint where the label is wrong, or mark cells as done (K)"
        });
    ui.checkbox(&mut view.improves_thoroughly, "Thorough")
        .on_hover_text(
            "The encoder learns as well, in six times as many steps: slower, and goes further",
        );
}

/// Whether a press on what begins an improvement is one, when the one before ended at this time.
fn is_meant(now: f64, ended: Option<f64>) -> bool {
    ended.is_none_or(|ended| now - ended > REST)
}

fn verdict_ui(ui: &mut Ui, session: &Session, verdict: &Verdict, commands: &mut CommandQueue) {
    ui.add_space(theme::GRID);
    let (title, color, why) = match &verdict.decision {
        Decision::Promoted => ("Better", theme::GOOD, None),
        Decision::First => ("The first model", theme::GOOD, None),
        Decision::Kept(why) => ("Not better for sure", theme::WARNING, Some(why)),
        Decision::NotMeasured(why) => ("Not measured", theme::WARNING, Some(why)),
    };
    let is_good = matches!(verdict.decision, Decision::Promoted | Decision::First);
    let outcome = match (is_new_in_use(session), is_good) {
        (true, true) => "in use now",
        (true, false) => "in use by your choice",
        (false, true) if session.finetuning().is_left => {
            "not in use, since another project was open when it was judged"
        }
        (false, true) => "the old one by your choice",
        (false, false) => "the old one stays",
    };
    let title = format!("{title}: {outcome}");
    theme::words(ui, color, RichText::new(title).strong());
    if let Some(why) = why {
        ui.label(RichText::new(why).small());
    }
    let rows = verdict.rows();
    if !rows.is_empty() {
        let text = format!(
            "IoU on held-out ground, {} blocks, read {}",
            verdict.blocks,
            verdict.reads_in_words()
        );
        ui.label(RichText::new(text).small().weak());
        rows_ui(ui, &rows);
    }
    forgotten_ui(ui, verdict);
    learned_ui(ui, session);
    overrule_ui(ui, session, verdict, commands);
}

/// What the new model still knows of what those before it learned elsewhere.
fn forgotten_ui(ui: &mut Ui, verdict: &Verdict) {
    let mut line = |what: &str, gain: String, help: &str| {
        ui.horizontal_wrapped(|ui| {
            let text = RichText::new(format!("{what}: {gain}")).small().weak();
            ui.label(text).on_hover_text(help);
            theme::ground(ui, ScoredGround::OF_VERDICTS);
        });
    };
    if let Some(gain) = (verdict.forgetting.as_ref()).and_then(Forgetting::in_words) {
        line(
            "On what the first model was checked with",
            gain,
            "Mean IoU on ground that the first training held out: did it forget?",
        );
    }
    if let Some(gain) = (verdict.elsewhere.as_ref()).and_then(Elsewhere::in_words) {
        line(
            "On what judged the model before",
            gain,
            "Mean IoU on the judging ground of the image that was corrected before this one: did it \
             forget? Each reading of it is counted, as here.",
        );
    }
}

/// How much of what the new model learned from was accepted from predictions, and what does not
/// count for that.
fn learned_ui(ui: &mut Ui, session: &Session) {
    let state = session.finetuning();
    let mut chain = state.chain.iter();
    let new = chain.find(|model| Some(&model.run) == state.run.as_ref());
    let Some(lineage) = new.and_then(|model| model.lineage.as_ref()) else {
        return;
    };
    let learned = &lineage.learned;
    let mut line = |words: String, help: &str| {
        ui.label(RichText::new(words).small().weak())
            .on_hover_text(help);
    };
    if learned.accepted_pixels > 0 {
        line(
            format!(
                "{} trusted pixels were accepted from predictions",
                text::of_all(learned.accepted_pixels, learned.trusted_pixels)
            ),
            "The rest was made by hand, or is in cells marked as done",
        );
    }
    if learned.not_judged_pixels > 0 {
        line(
            format!(
                "{} of held-out ground were accepted from this chain's models and do not count",
                not_judged_words(learned)
            ),
            "They lie on held-out ground: a model is not judged by what it or its ancestors said",
        );
    }
}

fn not_judged_words(learned: &LearnedFrom) -> String {
    let pixels = learned.not_judged_pixels;
    match learned.not_judged_percent() {
        Some(percent) => format!(
            "{} labeled pixels ({percent:.1} %)",
            text::of_all(pixels, learned.held_out_pixels)
        ),
        None => format!("{} pixels", text::grouped(pixels)),
    }
}

/// Whether the model that was judged last is a relative of the one in use.
fn is_of_family(session: &Session) -> bool {
    let state = session.finetuning();
    let mut family = state.family.iter().map(|relative| &relative.model.run);
    state.family.is_empty() || family.any(|run| Some(run) == state.run.as_ref())
}

/// Whether the model that was judged last is in use.
fn is_new_in_use(session: &Session) -> bool {
    let state = session.finetuning();
    state.active == state.run
}

/// The other choice than the verdict's.
fn overrule_ui(ui: &mut Ui, session: &Session, verdict: &Verdict, commands: &mut CommandQueue) {
    let state = session.finetuning();
    let parent = state.chain.get(1).map(|before| before.run.clone());
    let is_new = is_new_in_use(session);
    let (words, help, run) = if is_new {
        (
            "Go back to the model before",
            "What was learned stays on the disk, and can be taken again",
            parent,
        )
    } else if state.is_left {
        (
            "Use the new model",
            "Predictions and the next improvement of the project that is open start from it",
            state.run.clone(),
        )
    } else {
        (
            "Use the new model anyway",
            "Predictions and the next improvement start from it",
            state.run.clone(),
        )
    };
    if matches!(verdict.decision, Decision::First) && is_new {
        return;
    }
    if let Some(run) = run
        && ui.button(words).on_hover_text(help).clicked()
    {
        commands.push(Command::Finetune(FinetuneCommand::Activate { run }));
    }
}

/// Before and after on the same ground.
fn rows_ui(ui: &mut Ui, rows: &[VerdictRow]) {
    let grid = Grid::new("verdict").num_columns(5).striped(true);
    grid.show(ui, |ui| {
        for title in ["", "before", "after", "points", "95 %"] {
            ui.label(RichText::new(title).small().weak())
                .on_hover_text(match title {
                    "points" => "Gain in points of IoU",
                    "95 %" => {
                        "In points: where the gain lies in 95 % of draws of the blocks, which are \
                         drawn anew, whole; no interval where they are too few"
                    }
                    _ => "IoU on held-out ground",
                });
        }
        ui.end_row();
        for row in rows {
            ui.label(&row.name);
            for iou in [row.before, row.after] {
                ui.monospace(text::ratio(iou));
            }
            let color = match row.interval {
                Some([low, _]) if low > 0.0 => theme::legible(theme::GOOD, ui.visuals()),
                Some([_, high]) if high < 0.0 => theme::legible(theme::WARNING, ui.visuals()),
                _ => ui.visuals().text_color(),
            };
            let dash = || "–".to_owned();
            let gain = row.gain.map(|gain| format!("{:+.1}", gain * 100.0));
            ui.label(RichText::new(gain.unwrap_or_else(dash)).color(color));
            let interval = row.interval_in_points().unwrap_or_else(dash);
            ui.label(RichText::new(interval).small());
            ui.end_row();
        }
    });
}

/// The models that share an ancestor with the one in use, as a tree.
fn family_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let state = session.finetuning();
    if state.family.len() < 2 {
        return;
    }
    ui.add_space(theme::GRID);
    ui.label(
        RichText::new("Models and what came of them")
            .small()
            .strong(),
    );
    let list = ScrollArea::vertical().id_salt("family").max_height(200.0);
    list.show(ui, |ui| {
        for Relative { model, depth } in &state.family {
            let is_active = state.active.as_ref() == Some(&model.run);
            ui.horizontal(|ui| {
                ui.add_space((*depth).min(8) as f32 * 10.0);
                let label = ui.selectable_label(is_active, name_of(&model.run));
                let press = if is_active {
                    "In use"
                } else {
                    "Press to use it"
                };
                let hover = format!("{}\n\n{press}", about(model));
                if label.on_hover_text(hover).clicked() && !is_active {
                    let run = model.run.clone();
                    commands.push(Command::Finetune(FinetuneCommand::Activate { run }));
                }
                if is_active {
                    theme::words(ui, theme::GOOD, RichText::new("in use").small());
                }
                fate_ui(ui, session, model, commands);
                gained_ui(ui, model);
            });
        }
    });
}

fn about(model: &Ancestor) -> String {
    let Some(lineage) = &model.lineage else {
        return format!("{}: trained from the start", model.run.display());
    };
    let HeldOut { choosing, judging } = &lineage.held_out;
    format!(
        "{}\nlearned from {} cells and {} pixels in all, {} of them accepted from predictions\n\
         {} blocks held out to judge, {} to choose the epoch",
        model.run.display(),
        lineage.learned.done_cells,
        text::grouped(lineage.learned.trusted_pixels),
        text::grouped(lineage.learned.accepted_pixels),
        judging.len(),
        choosing.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_press_on_stop_does_not_begin_the_next_improvement() {
        assert!(!is_meant(10.3, Some(10.0)));
        assert!(is_meant(11.5, Some(10.0)));
        assert!(is_meant(0.2, None), "none ran");
    }

    #[test]
    fn marking_cells_is_only_asked_for_where_it_makes_a_model_measurable() {
        let words = |done, all, is_used_up| unmeasured(done, all, is_used_up).unwrap_or_default();
        let mark = "Mark 1 more cell as done, and the new model is measured";
        assert_eq!(words(3, 4, false), mark);
        assert_eq!(words(4, 4, false), "");
        assert!(words(0, 1, false).contains("too few to measure"));
        assert!(words(4, 9, true).contains("Press Train first"));
        let both = words(1, 9, true);
        assert!(both.contains("Mark 3 more cells as done and press Train first"));
    }
}
