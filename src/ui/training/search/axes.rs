use egui::{Align, Checkbox, DragValue, Layout, Ui, vec2};

use crate::train::{SearchAxis, SearchChoices, SearchWay};

/// No search has more trials.
const MOST_TRIALS: usize = 1_000;
/// Room for what a row is about.
const TITLE_WIDTH: f32 = 108.0;

/// What varies, how trials are chosen, and when they are cut.
pub fn choices_ui(ui: &mut Ui, choices: &mut SearchChoices, own: &[Option<usize>]) {
    for (axis, own) in SearchAxis::ALL.into_iter().zip(own) {
        row(ui, (axis.title(), axis.help()), |ui| {
            axis_ui(ui, axis, *own, choices);
        });
    }
    let help = "How far a step goes; the choice that matters most";
    row(ui, ("Learning rate", help), |ui| rate_ui(ui, choices));
    let help = "How trials are chosen";
    row(ui, ("Way", help), |ui| way_ui(ui, choices));
    let help = "How long trials are trained";
    row(ui, ("Epochs", help), |ui| epochs_ui(ui, choices));
    let help = "What becomes of the best trial";
    row(ui, ("Winner", help), |ui| {
        ui.checkbox(&mut choices.refits, "Train it anew from 3 seeds")
            .on_hover_text(
                "Says how much of its score is luck; judged once on the test part where there is \
                 one",
            );
    });
}

/// What a row is about, with its help, and beside it the row, of one line or more.
fn row(ui: &mut Ui, (title, help): (&str, &str), content: impl FnOnce(&mut Ui)) {
    ui.horizontal_top(|ui| {
        let size = vec2(TITLE_WIDTH, ui.spacing().interact_size.y);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_size(size);
            ui.strong(title).on_hover_text(help);
        });
        ui.vertical(content);
    });
    ui.add_space(2.0);
}

/// The boxes of a choice; what the recipe has is always tried.
fn axis_ui(ui: &mut Ui, axis: SearchAxis, own: Option<usize>, choices: &mut SearchChoices) {
    ui.horizontal_wrapped(|ui| {
        if own.is_none() {
            let mut always = true;
            let as_is = ui.add_enabled(false, Checkbox::new(&mut always, "As in the recipe"));
            as_is.on_disabled_hover_text("What the recipe has is always tried");
        }
        for (place, name) in axis.names().enumerate() {
            let is_own = own == Some(place);
            let mut is_ticked = is_own || choices.ticked.contains(&(axis, place));
            let tick = ui.add_enabled(!is_own, Checkbox::new(&mut is_ticked, name));
            let tick = tick.on_disabled_hover_text("What the recipe has is always tried");
            if tick.changed() && is_ticked {
                choices.ticked.insert((axis, place));
            } else if tick.changed() {
                choices.ticked.remove(&(axis, place));
            }
        }
    });
}

fn rate_ui(ui: &mut Ui, choices: &mut SearchChoices) {
    let is_grid = choices.way == SearchWay::Grid;
    let rate = &mut choices.rate;
    ui.horizontal_wrapped(|ui| {
        let varied = ui.checkbox(&mut rate.is_varied, "From");
        let varied = varied.on_hover_text("Equal ratios are equally likely");
        if !rate.is_varied {
            return;
        }
        let number = |value| {
            let drag = DragValue::new(value).speed(1e-5).max_decimals(7);
            drag.custom_formatter(|rate, _| format!("{rate:.0e}"))
        };
        let (from, to) = (rate.from, rate.to);
        ui.add(number(&mut rate.from).range(1e-7..=to / 1.01))
            .labelled_by(varied.id);
        let label = ui.label("to");
        ui.add(number(&mut rate.to).range(from * 1.01..=1.0))
            .labelled_by(label.id);
        if is_grid {
            let label = ui.label("in");
            let steps = DragValue::new(&mut rate.steps).range(2..=50);
            ui.add(steps.suffix(" steps")).labelled_by(label.id);
        }
    });
}

fn way_ui(ui: &mut Ui, choices: &mut SearchChoices) {
    ui.horizontal_wrapped(|ui| {
        let some = ui.selectable_value(&mut choices.way, SearchWay::Random, "Random sample");
        some.on_hover_text(
            "So many trials, each value by chance; the recipe as it is is the first",
        );
        let all = ui.selectable_value(&mut choices.way, SearchWay::Grid, "All combinations");
        all.on_hover_text("Every value with every other");
        if choices.way == SearchWay::Random {
            let label = ui.label("of");
            let samples = DragValue::new(&mut choices.samples).range(2..=MOST_TRIALS);
            ui.add(samples.suffix(" trials")).labelled_by(label.id);
        }
    });
}

fn epochs_ui(ui: &mut Ui, choices: &mut SearchChoices) {
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("At most");
        let epochs = DragValue::new(&mut choices.epochs).range(1..=10_000);
        ui.add(epochs).labelled_by(label.id);
        let cut = ui.checkbox(&mut choices.is_cut, "Only the better ones go on");
        cut.on_hover_text(
            "Successive halving: at each cut the better share goes on, and the epochs until the \
             next cut grow by as much",
        );
    });
    if !choices.is_cut {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("First look after epoch");
        let first = DragValue::new(&mut choices.halving.first_epochs).range(1..=1_000);
        ui.add(first).labelled_by(label.id);
        let label = ui.label("keep");
        let mut percent = choices.halving.keep * 100.0;
        let keep = DragValue::new(&mut percent).range(5.0..=90.0).suffix(" %");
        if ui.add(keep.max_decimals(0)).labelled_by(label.id).changed() {
            choices.halving.keep = percent / 100.0;
        }
    });
}
