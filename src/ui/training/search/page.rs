use egui::{ProgressBar, RichText, Ui};

use super::table::{search_table_ui, trainings_table_ui};
use crate::session::{Command, QueueCommand, QueueState, SearchCommand, SearchState, Session};
use crate::train::{ScoredOn, Spread};
use crate::ui::panels::recipe::TrainForm;
use crate::ui::plots;
use crate::ui::stop::stop_ui;
use crate::ui::theme;
use crate::ui::training::curves::heading;
use crate::ui::view::CommandQueue;

/// Whether there is a search or a cross-validation to look at.
pub fn has_trials(session: &Session) -> bool {
    session.search().is_begun() || session.queue().folder.is_some()
}

/// The search and the cross-validation that run or ran last; `true` when the recipe of a trial was
/// taken over.
pub fn trials_ui(
    ui: &mut Ui,
    session: &Session,
    form: &mut TrainForm,
    commands: &mut CommandQueue,
) -> bool {
    if !has_trials(session) {
        ui.add_space(60.0);
        ui.vertical_centered(|ui| {
            ui.heading("Nothing was searched yet");
            ui.weak("Search… tries many recipes, Cross-validate… trains once for each portion of the data; both stand beside Train.");
        });
        return false;
    }
    let is_used = session.search().is_begun() && search_ui(ui, session, form, commands);
    if session.queue().folder.is_some() {
        folds_ui(ui, session, commands);
    }
    let is_running = session.search().job.is_some() || session.queue().job.is_some();
    let state = session.training();
    if is_running && !state.rows.is_empty() {
        let best = state.chosen_row().map(|row| f64::from(row.epoch));
        heading(ui, "The trial that runs");
        plots::loss_plot(ui, &state.rows, best);
        plots::score_plot(ui, &state.rows, best, state.ground());
    }
    ui.add_space(4.0 * theme::GRID);
    is_used
}

fn search_ui(
    ui: &mut Ui,
    session: &Session,
    form: &mut TrainForm,
    commands: &mut CommandQueue,
) -> bool {
    let search = session.search();
    head_ui(ui, search);
    ui.horizontal_wrapped(|ui| {
        running_ui(ui, session, search.job, commands);
        if let Some(folder) = search.resumable() {
            let go_on = ui.add_enabled(!session.is_learning(), egui::Button::new("Go on"));
            let help = "From where it was, as if it had never stopped";
            if go_on.on_hover_text(help).clicked() {
                let folder = folder.to_owned();
                let go_on = SearchCommand::GoOn { folder };
                commands.push(Command::Queue(QueueCommand::Search(go_on)));
            }
        }
        if let Some((at, total, rung)) = search.part.filter(|_| search.job.is_some()) {
            ui.weak(format!(
                "Part {} of {total}: {} trials to epoch {}",
                at + 1,
                rung.trials,
                rung.until
            ));
        }
    });
    if let Some(why) = search.failure.as_ref().filter(|_| search.job.is_none()) {
        theme::words(ui, theme::WARNING, why);
    }
    ui.add_space(theme::GRID);
    let folder = search.folder.as_deref();
    let ground = |on| session.ground_of_trials(folder, on);
    theme::ground(ui, ground(ScoredOn::Validation));
    if let Some(result) = &search.result {
        theme::leak_lines(ui, &result.leaks());
    }
    let is_used = search_table_ui(ui, session, form);
    if let Some(on) = refit_ui(ui, search) {
        theme::ground(ui, ground(on));
    }
    if let Some(folder) = search.folder.as_ref().filter(|_| search.result.is_some()) {
        let page = folder.join("search.md").display().to_string();
        ui.add(egui::Label::new(RichText::new(page).small().weak()).truncate());
    }
    is_used
}

fn head_ui(ui: &mut Ui, search: &SearchState) {
    let name = search
        .folder
        .as_deref()
        .and_then(|folder| folder.file_name());
    let name = name.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    ui.horizontal_wrapped(|ui| {
        ui.heading("Search");
        ui.weak(name);
        if search.is_over {
            theme::words(ui, theme::GOOD, "done");
        }
    });
}

/// How far a job is, and Stop.
fn running_ui(
    ui: &mut Ui,
    session: &Session,
    job: Option<crate::session::JobId>,
    commands: &mut CommandQueue,
) {
    let Some(job) = job else { return };
    let share = session.activity(job).and_then(|activity| activity.progress);
    let bar = ProgressBar::new(share.unwrap_or(0.0)).desired_width(240.0);
    ui.add(bar.show_percentage());
    let help = "Stops after this batch; what is done stays, and it can go on";
    stop_ui(ui, session, job, ("Stop all", help), commands);
}

/// What the winner came to from other seeds; which part that is of, where it is one.
fn refit_ui(ui: &mut Ui, search: &SearchState) -> Option<ScoredOn> {
    let refit = search
        .result
        .as_ref()
        .and_then(|result| result.refit.as_ref());
    let refit = refit.filter(|refit| !refit.rows.is_empty())?;
    heading(ui, "The winner trained anew");
    ui.label(format!(
        "{} from {} of {} seeds, {}: mean IoU {}, pixel accuracy {} (majority alone {})",
        refit.winner,
        refit.rows.len(),
        refit.wanted,
        refit.on.map_or("different ground", ScoredOn::words),
        Spread::words(refit.mean_iou),
        Spread::words(refit.pixel_accuracy),
        Spread::words(refit.majority_baseline),
    ));
    refit.on
}

fn folds_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let queue = session.queue();
    let name = queue
        .folder
        .as_deref()
        .and_then(|folder| folder.file_name());
    ui.horizontal_wrapped(|ui| {
        ui.heading("Cross-validation");
        ui.weak(name.map_or_else(String::new, |name| name.to_string_lossy().into_owned()));
    });
    ui.horizontal_wrapped(|ui| {
        running_ui(ui, session, queue.job, commands);
        let is_over = queue.report.is_some_and(|report| report.failed == 0);
        if let (Some(folder), None, false) = (&queue.folder, queue.job, is_over) {
            let go_on = ui.add_enabled(!session.is_learning(), egui::Button::new("Go on"));
            let help = "With the trainings that are not done";
            if go_on.on_hover_text(help).clicked() {
                let folder = folder.clone();
                commands.push(Command::Queue(QueueCommand::GoOn { folder }));
            }
        }
    });
    if let Some(why) = queue.failure.as_ref().filter(|_| queue.job.is_none()) {
        theme::words(ui, theme::WARNING, why);
    }
    ui.add_space(theme::GRID);
    if let Some(on) = part_of(queue) {
        theme::ground(ui, session.ground_of_trials(queue.folder.as_deref(), on));
    }
    trainings_table_ui(ui, session);
    sum_ui(ui, queue);
}

/// The part that the numbers of a cross-validation are of, where it is one.
fn part_of(queue: &QueueState) -> Option<ScoredOn> {
    let of_table = queue.table.as_ref().map(|table| table.group.on);
    of_table.unwrap_or(Some(ScoredOn::Validation))
}

/// Mean and deviation over all portions.
fn sum_ui(ui: &mut Ui, queue: &QueueState) {
    let Some(table) = &queue.table else { return };
    let group = &table.group;
    ui.add_space(theme::GRID);
    ui.label(
        RichText::new(format!(
            "Mean IoU {}   pixel accuracy {} (majority alone {})",
            Spread::words(group.mean_iou),
            Spread::words(group.pixel_accuracy),
            Spread::words(group.majority_baseline)
        ))
        .size(16.0)
        .strong(),
    );
    ui.weak(format!(
        "Mean and standard deviation over {} trainings ({})",
        group.runs,
        group.on.map_or("different ground", ScoredOn::words)
    ));
    theme::leak_lines(ui, &table.runs.leaks());
    if let Some(page) = &queue.page {
        let page = page.display().to_string();
        ui.add(egui::Label::new(RichText::new(page).small().weak()).truncate());
    }
}
