use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use egui::{CentralPanel, Panel, RichText, ScrollArea, Ui};

use egui_material_icons::icons;

use super::super::dialogs::FileWish;
use super::super::predicting::predict;
use super::super::theme;
use super::super::view::{CommandQueue, View};
use super::bar::{running_ui, start_ui};
use super::chart::Hover;
use super::class_table::ClassOrder;
use super::compare::{Compared, compare_ui};
use super::confusion::MatrixNumbers;
use super::curves::{RunCurves, curves_ui, heading};
use super::data::{ContactSheet, data_ui};
use super::header::{empty_ui, header_ui};
use super::judging::{judge_ui, judged_ui};
use super::list::{Chosen, Picked, list_ui};
use super::look::{Look, look_ui};
use super::picture::Drawing;
use super::preparing::preparing_ui;
use super::recipe::{PatchPreview, recipe_page_ui};
use super::samples::{Samples, samples_ui};
use super::scores::scores_ui;
use super::search::{SearchSheet, entries_ui, has_trials, trials_ui};
use crate::session::{Command, RunEntry, RunStatus, RunsCommand, ScoreScope, Session, TrainOn};

/// How often runs are looked at while one goes on, here or in another program.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// How often it is looked whether one has begun.
const LOOK_IDLY: Duration = Duration::from_secs(15);

/// A page of the training area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// A data set.
    Data,
    /// The choices of the next training.
    Recipe,
    /// One run.
    #[default]
    Run,
    /// Several runs.
    Compare,
    /// A search or a cross-validation.
    Trials,
}

impl Page {
    const ALL: [Self; 5] = [
        Self::Data,
        Self::Recipe,
        Self::Run,
        Self::Compare,
        Self::Trials,
    ];

    const fn title(self) -> &'static str {
        match self {
            Self::Data => "Data",
            Self::Recipe => "Recipe",
            Self::Run => "Run",
            Self::Compare => "Compare",
            Self::Trials => "Trials",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::Data => "What a data set holds and what is wrong with it",
            Self::Recipe => "All choices of the next training, and how patches are varied",
            Self::Run => "Curves, classes and pictures of one run",
            Self::Compare => "Ticked runs over each other, and the final table",
            Self::Trials => "A search or a cross-validation, and what it came to",
        }
    }
}

/// What the training area shows; it stands where the image stands otherwise.
#[derive(Default)]
pub struct TrainingArea {
    /// Whether it is shown instead of the image.
    pub is_open: bool,
    /// Which page.
    pub page: Page,
    /// Which runs.
    pub chosen: Chosen,
    look: Look,
    hover: Hover,
    curves: RunCurves,
    /// The overlaid curves.
    pub compared: Compared,
    order: ClassOrder,
    numbers: MatrixNumbers,
    samples: Samples,
    looked: Option<Looked>,
    /// The run that was asked for by name last.
    asked: Option<PathBuf>,
    drawing: Option<Drawing>,
    /// The run of the training that began here last.
    begun: Option<PathBuf>,
    contact: ContactSheet,
    preview: PatchPreview,
    /// A search or a cross-validation that is being put together.
    pub sheet: SearchSheet,
}

/// When runs were looked at last, and what was known then.
struct Looked {
    at: Instant,
    num_rows: usize,
    is_running: bool,
    /// The data set that was open.
    data: Option<PathBuf>,
}

impl TrainingArea {
    /// Shows a page.
    pub const fn open(&mut self, page: Page) {
        self.is_open = true;
        self.page = page;
    }

    /// Draws the curves of the page into a picture for a file.
    pub fn draw_picture(&mut self, ctx: &egui::Context, to: PathBuf) {
        let (charts, title) = match self.page {
            Page::Compare => (&self.compared.charts, "Runs compared"),
            _ => (&self.curves.charts, "Run"),
        };
        let shown = self.chosen.shown.as_ref().and_then(|run| run.file_name());
        let title = match (self.page, shown) {
            (Page::Run, Some(name)) => name.to_string_lossy().into_owned(),
            _ => title.to_owned(),
        };
        self.drawing = Drawing::begin(ctx, charts.clone(), title, to);
    }

    /// A file beside the runs.
    pub fn suggested_path(&self, session: &Session, wish: FileWish) -> String {
        let shown = self.chosen.shown.as_ref();
        let path = match wish {
            FileWish::ExportRun => shown.map(|run| run.join("report.html")),
            _ => session
                .runs()
                .folder
                .as_ref()
                .map(|folder| folder.join("runs.html")),
        };
        path.map_or_else(String::new, |path| path.display().to_string())
    }

    /// Hands a finished picture over to be written.
    fn take_picture(&mut self, commands: &mut CommandQueue) {
        let Some(finished) = self.drawing.as_ref().and_then(Drawing::poll) else {
            return;
        };
        self.drawing = None;
        match finished {
            Ok((picture, to)) => {
                commands.push(Command::Runs(RunsCommand::SavePicture { picture, to }));
            }
            Err(why) => tracing::error!("the curves could not be drawn: {why}"),
        }
    }

    /// Asks for the runs when something may have changed.
    pub fn keep_looking(&mut self, ui: &Ui, session: &Session, commands: &mut CommandQueue) {
        let state = session.training();
        let is_running = state.is_running() || session.judging().job.is_some();
        let num_rows = state.rows.len();
        let is_going_on = |entry: &RunEntry| entry.status == RunStatus::Running;
        let is_watched = is_running || session.runs().entries.iter().any(is_going_on);
        let interval = if is_watched { LOOK_EVERY } else { LOOK_IDLY };
        let is_fresh = self.looked.as_ref().is_some_and(|looked| {
            looked.at.elapsed() < interval
                && (looked.num_rows, looked.is_running) == (num_rows, is_running)
                && looked.data.as_deref() == session.data().map(|data| &*data.folder)
        });
        ui.request_repaint_after(interval);
        if is_fresh {
            return;
        }
        self.looked = Some(Looked {
            at: Instant::now(),
            num_rows,
            is_running,
            data: session.data().map(|data| data.folder.clone()),
        });
        let now = SystemTime::now();
        commands.push(Command::Runs(RunsCommand::Look { now }));
    }

    /// Keeps what is chosen among what there is: at first the newest run.
    fn follow(&mut self, session: &Session) {
        let runs = session.runs();
        if runs.asked != self.asked {
            self.asked.clone_from(&runs.asked);
            self.chosen.shown.clone_from(&runs.asked);
            self.page = Page::Run;
        }
        // A training that begins here is what one wants to see.
        let begun = session.training().run.as_ref();
        if begun != self.begun.as_ref() && begun.is_none_or(|run| runs.entry(run).is_some()) {
            self.begun = begun.cloned();
            self.chosen.shown = begun.cloned().or_else(|| self.chosen.shown.take());
        }
        let is_listed = |run: &PathBuf| runs.entry(run).is_some();
        if !self.chosen.shown.as_ref().is_some_and(is_listed) {
            self.chosen.shown = runs
                .entries
                .first()
                .map(|entry| entry.record.folder.clone());
        }
        self.chosen.ticked.retain(is_listed);
        self.chosen.pinned = self.chosen.pinned.take().filter(is_listed);
    }
}

/// The training area: pages above, runs at the left, and what is chosen.
pub fn training_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    // The area is lent out while its parts use the rest of the view.
    let mut area = std::mem::take(&mut view.training);
    area.keep_looking(ui, session, commands);
    area.follow(session);
    area.take_picture(commands);
    Panel::top("training pages").show(ui, |ui| {
        ui.add_space(theme::GRID);
        ui.horizontal(|ui| bar_ui(ui, session, &mut area, view, commands));
        ui.add_space(theme::GRID);
    });
    if let Page::Run | Page::Compare = area.page {
        runs_ui(ui, session, &mut area, view);
    }
    CentralPanel::default().show(ui, |ui| {
        ScrollArea::vertical()
            .id_salt(area.page.title())
            .auto_shrink(false)
            .show(ui, |ui| {
                // The scroll bar floats over what is there.
                ui.set_max_width(ui.available_width() - 12.0);
                match area.page {
                    Page::Data => data_ui(ui, session, &mut area.contact, view, commands),
                    Page::Recipe => {
                        recipe_page_ui(ui, session, &mut area.preview, view, commands);
                    }
                    Page::Run => run_ui(ui, session, &mut area, view, commands),
                    Page::Compare => comparison_ui(ui, session, &mut area, view),
                    Page::Trials => {
                        if trials_ui(ui, session, &mut view.form, commands) {
                            area.page = Page::Recipe;
                        }
                    }
                }
            });
    });
    view.training = area;
}

fn bar_ui(
    ui: &mut Ui,
    session: &Session,
    area: &mut TrainingArea,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let has_trials = area.page == Page::Trials || has_trials(session);
    for page in Page::ALL {
        if page == Page::Trials && !has_trials {
            continue;
        }
        let title = match page {
            Page::Compare if !area.chosen.ticked.is_empty() => {
                format!("{} ({})", page.title(), area.chosen.ticked.len())
            }
            Page::Data if has_leaks(session) => {
                format!("{} {}", page.title(), icons::ICON_WARNING.codepoint)
            }
            _ => page.title().to_owned(),
        };
        let tab = egui::Button::selectable(area.page == page, RichText::new(title).size(14.0));
        if ui.add(tab).on_hover_text(page.help()).clicked() {
            area.page = page;
        }
    }
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if session.training().is_running() {
            running_ui(ui, session, commands);
        } else if !session.is_learning() {
            if start_ui(ui, session, view, commands) {
                area.page = Page::Run;
            }
            entries_ui(ui, session, (&mut area.sheet, &view.form), commands);
        }
    });
}

/// Whether the parts of the data set share something.
fn has_leaks(session: &Session) -> bool {
    let leaks = session.data().and_then(|data| data.leaks.as_ref());
    leaks.is_some_and(|report| !report.leaks.is_empty())
}

fn runs_ui(ui: &mut Ui, session: &Session, area: &mut TrainingArea, view: &mut View) {
    let width = (ui.available_width() * 0.2).clamp(190.0, 320.0);
    Panel::left("runs")
        .default_size(width)
        .size_range(170.0..=420.0)
        .show(ui, |ui| {
            ui.add_space(theme::GRID);
            ui.horizontal(|ui| {
                ui.strong("Runs");
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let open = ui.button("Open run…");
                    if open
                        .on_hover_text("A run's folder, or a folder of runs")
                        .clicked()
                    {
                        view.wish(FileWish::OpenRuns);
                    }
                });
            });
            let runs = session.runs();
            if let Some(folder) = &runs.folder {
                let name = folder
                    .file_name()
                    .unwrap_or(folder.as_os_str())
                    .to_string_lossy();
                let label = egui::Label::new(RichText::new(name).small().weak()).truncate();
                ui.add(label).on_hover_text(folder.display().to_string());
            }
            if runs.entries.is_empty() {
                ui.add_space(theme::GRID);
                ui.weak("No runs yet. Each training makes one.");
            }
            match list_ui(ui, session, &mut area.chosen) {
                Some(Picked::Run) => area.page = Page::Run,
                Some(Picked::Tick) if area.chosen.ticked.len() > 1 => area.page = Page::Compare,
                _ => {}
            }
        });
}

fn run_ui(
    ui: &mut Ui,
    session: &Session,
    area: &mut TrainingArea,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let shown = area.chosen.shown.as_ref();
    let is_preparing = preparing_ui(ui, session);
    let Some(entry) = shown.and_then(|run| session.runs().entry(run)) else {
        if !is_preparing {
            empty_ui(ui, session, view);
        }
        return;
    };
    header_ui(ui, entry, session);
    actions_ui(ui, entry, session, area, view, commands);
    judged_ui(ui, &entry.record);
    ui.add_space(theme::GRID);
    let has_steps =
        !entry.record.step_losses.is_empty() || !session.training().step_losses.is_empty();
    look_ui(ui, &mut area.look, has_steps);
    area.curves.follow(entry, area.look, session);
    curves_ui(ui, entry, &area.curves, &mut area.hover);
    let chosen = area.samples.chosen(entry);
    let orders = (&mut area.order, &mut area.numbers);
    scores_ui(ui, &entry.record, chosen, orders);
    heading(ui, "Fixed validation patches");
    samples_ui(ui, entry, session, &mut area.samples, commands);
    ui.add_space(4.0 * theme::GRID);
}

/// What can be done with the run.
fn actions_ui(
    ui: &mut Ui,
    entry: &RunEntry,
    session: &Session,
    area: &mut TrainingArea,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let record = &entry.record;
    let run = record.folder.clone();
    ui.horizontal_wrapped(|ui| {
        let can_predict = record.best.is_some() && session.image().is_some();
        let button = ui.add_enabled(can_predict, egui::Button::new("Predict this image"));
        if button
            .on_hover_text("With the best network of this run")
            .clicked()
        {
            commands.push(predict(Some(run.clone()), ScoreScope::Whole, session, view));
            area.is_open = false;
        }
        let can_go_on = record.can_go_on
            && entry.status != RunStatus::Running
            && !session.training().is_running();
        let go_on = ui.add_enabled(can_go_on, egui::Button::new("Go on"));
        if go_on
            .on_hover_text("From where it was, as if it had never stopped")
            .clicked()
        {
            commands.push(Command::StartTraining {
                recipe: Box::default(),
                on: TrainOn::Resume(run),
                out: None,
            });
        }
        let use_recipe =
            ui.add_enabled(record.recipe.is_some(), egui::Button::new("Use its recipe"));
        if use_recipe
            .on_hover_text("The next training begins with this recipe")
            .clicked()
            && let Some(recipe) = &record.recipe
        {
            (view.form.recipe, view.form.base) = (recipe.clone(), recipe.clone());
            area.page = Page::Recipe;
        }
        judge_ui(ui, entry, session, commands);
        if ui
            .button("Export…")
            .on_hover_text("Report, table or curves of this run")
            .clicked()
        {
            view.wish(FileWish::ExportRun);
        }
    });
}

fn comparison_ui(ui: &mut Ui, session: &Session, area: &mut TrainingArea, view: &mut View) {
    if area.chosen.ticked.is_empty() {
        ui.add_space(40.0);
        ui.vertical_centered(|ui| {
            ui.heading("Nothing is ticked");
            ui.weak("Tick runs in the list: their curves are drawn over each other, and a table says what they came to. The pin makes one of them the baseline.");
            let has_runs = !session.runs().entries.is_empty();
            if ui.add_enabled(has_runs, egui::Button::new("Tick all")).clicked() {
                let all = session.runs().entries.iter();
                area.chosen.ticked = all.map(|entry| entry.record.folder.clone()).collect();
            }
        });
        return;
    }
    ui.horizontal_wrapped(|ui| {
        look_ui(ui, &mut area.look, false);
        if ui
            .button("Export…")
            .on_hover_text("Table or curves: .csv, .md, .html, .png")
            .clicked()
        {
            view.wish(FileWish::ExportRuns);
        }
        if ui.button("Clear ticks").clicked() {
            area.chosen.ticked.clear();
        }
    });
    let parts = (&mut area.compared, area.look, &mut area.hover);
    compare_ui(ui, session, &area.chosen, parts);
    ui.add_space(4.0 * theme::GRID);
}
