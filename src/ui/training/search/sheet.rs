use std::sync::Arc;

use egui::{Button, RichText, ScrollArea, Ui, Window};

use super::axes::choices_ui;
use super::folds::folds_ui;
use super::plan::{Planned, seconds_an_epoch};
use crate::session::{Command, QueueCommand, ReadSearch, SearchCommand, Session, TrainOn};
use crate::train::{BegunWork, SearchChoices, SearchSpec, WorkKind};
use crate::ui::dialogs::FileWish;
use crate::ui::panels::recipe::TrainForm;
use crate::ui::theme;
use crate::ui::training::Page;
use crate::ui::view::{CommandQueue, View};

const WIDTH: f32 = 500.0;
/// So many searches that were begun are offered.
const MOST_OFFERED: usize = 4;

/// Which dialog is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Search,
    Folds,
}

/// A search or a cross-validation that is being put together.
#[derive(Debug)]
pub struct SearchSheet {
    open: Option<Open>,
    choices: SearchChoices,
    folds: u32,
    /// The search file that is taken instead of the choices.
    file: Option<Arc<ReadSearch>>,
    /// The one that was taken over last.
    taken: Option<Arc<ReadSearch>>,
    planned: Option<Planned>,
}

impl Default for SearchSheet {
    fn default() -> Self {
        Self {
            open: None,
            choices: SearchChoices::default(),
            folds: 5,
            file: None,
            taken: None,
            planned: None,
        }
    }
}

impl SearchSheet {
    /// Closes the dialog; whether it was open.
    pub const fn close(&mut self) -> bool {
        self.open.take().is_some()
    }

    fn show(
        &mut self,
        open: Open,
        session: &Session,
        form: &TrainForm,
        commands: &mut CommandQueue,
    ) {
        self.open = Some(open);
        self.choices.epochs = form.recipe.epochs;
        let on = form.learn_from(session);
        if on != TrainOn::OpenImage || session.image().is_some() {
            let look = SearchCommand::Look { on };
            commands.push(Command::Queue(QueueCommand::Search(look)));
        }
    }

    /// Takes a search over that was read from a file, once.
    fn take_read(&mut self, session: &Session) {
        let read = session.search().read.as_ref();
        let is_new = match (read, &self.taken) {
            (Some(read), Some(taken)) => !Arc::ptr_eq(read, taken),
            (read, _) => read.is_some(),
        };
        if is_new {
            self.file = read.cloned();
            self.taken = read.cloned();
        }
    }
}

/// The ways into both dialogs, beside the button that trains.
pub fn entries_ui(
    ui: &mut Ui,
    session: &Session,
    (sheet, form): (&mut SearchSheet, &TrainForm),
    commands: &mut CommandQueue,
) {
    let search = ui.link("Search…");
    let help = "Tries many recipes and goes on with the better ones";
    if search.on_hover_text(help).clicked() {
        sheet.show(Open::Search, session, form, commands);
    }
    let folds = ui.link("Cross-validate…");
    let help = "Trains once for each portion of the data: a score with its deviation";
    if folds.on_hover_text(help).clicked() {
        sheet.show(Open::Folds, session, form, commands);
    }
}

/// The open dialog, if one is.
pub fn sheet_ui(ui: &Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let mut sheet = std::mem::take(&mut view.training.sheet);
    sheet.take_read(session);
    if let Some(open) = sheet.open {
        let title = match open {
            Open::Search => "Search for the best recipe",
            Open::Folds => "Cross-validate",
        };
        let (mut is_open, mut is_started) = (true, false);
        let room = ui.ctx().content_rect();
        Window::new(title)
            .open(&mut is_open)
            .collapsible(false)
            .resizable(false)
            .default_pos([room.left() + 80.0, room.top() + 60.0])
            .show(ui.ctx(), |ui| {
                ui.set_width(WIDTH.min(room.width() - 60.0).max(160.0));
                let height = (room.height() - 130.0).max(120.0);
                let all = ScrollArea::vertical().max_height(height);
                // As high as there is room, whatever windows are high by themselves.
                all.min_scrolled_height(height).show(ui, |ui| {
                    source_ui(ui, session, &view.form);
                    is_started = match open {
                        Open::Search => search_ui(ui, session, &mut sheet, view, commands),
                        Open::Folds => {
                            folds_ui(ui, session, &mut sheet.folds, &view.form, commands)
                        }
                    };
                    is_started |= begun_ui(ui, session, open, commands);
                });
            });
        if is_started {
            view.training.open(Page::Trials);
        }
        if is_started || !is_open {
            sheet.open = None;
        }
    }
    view.training.sheet = sheet;
}

/// What is learned from.
fn source_ui(ui: &mut Ui, session: &Session, form: &TrainForm) {
    let words = match form.learn_from(session) {
        TrainOn::Folder(folder) | TrainOn::Corrected(folder, _) => {
            let name = folder.file_name().unwrap_or(folder.as_os_str());
            format!("On the data set {}", name.to_string_lossy())
        }
        _ => match session.image() {
            Some(image) => format!("On {} with its label as it is now", image.name()),
            None => "Nothing to learn from is open".to_owned(),
        },
    };
    ui.weak(words);
    ui.add_space(theme::GRID);
}

/// The form of a search; `true` when it was started.
fn search_ui(
    ui: &mut Ui,
    session: &Session,
    sheet: &mut SearchSheet,
    view: &mut View,
    commands: &mut CommandQueue,
) -> bool {
    file_ui(ui, sheet, view);
    let recipe = &view.form.recipe;
    let is_fresh = |planned: &Planned| planned.is_of(&sheet.choices, recipe, sheet.file.as_ref());
    if !sheet.planned.as_ref().is_some_and(is_fresh) {
        sheet.planned = Some(Planned::of(&sheet.choices, recipe, sheet.file.as_ref()));
    }
    let Some(planned) = &sheet.planned else {
        return false;
    };
    match &sheet.file {
        Some(file) => read_ui(ui, &file.spec),
        None => choices_ui(ui, &mut sheet.choices, &planned.own),
    }
    ui.add_space(theme::GRID);
    ui.separator();
    match &planned.outcome {
        Ok(outcome) => {
            ui.label(RichText::new(outcome.words()).strong());
            ui.weak(outcome.cost_words(seconds_an_epoch(session, &planned.order.1)));
            for note in &outcome.notes {
                theme::words(ui, theme::WARNING, RichText::new(note).small());
            }
        }
        Err(why) => {
            theme::words(ui, theme::ERROR, why);
        }
    }
    ui.add_space(theme::GRID);
    let can_start =
        planned.outcome.is_ok() && view.form.can_start(session) && !session.is_learning();
    let start =
        Button::new(RichText::new("Start").strong()).fill(theme::ACCENT.gamma_multiply(0.6));
    let start = ui.add_enabled(can_start, start);
    let start = start
        .on_disabled_hover_text("Open an image with a label or a data set, and let what runs end");
    if start.clicked() {
        let (spec, base) = planned.order.clone();
        let start = SearchCommand::Start {
            spec: Box::new(spec),
            base: Box::new(base),
            on: view.form.learn_from(session),
            folder: None,
        };
        commands.push(Command::Queue(QueueCommand::Search(start)));
    }
    start.clicked()
}

/// Where the choices come from: ticks, or a search file.
fn file_ui(ui: &mut Ui, sheet: &mut SearchSheet, view: &mut View) {
    ui.horizontal_wrapped(|ui| {
        if ui
            .selectable_label(sheet.file.is_none(), "By ticks")
            .clicked()
        {
            sheet.file = None;
        }
        let shown = sheet.file.as_ref().map(|file| file.name.clone());
        for name in SearchSpec::shipped_names() {
            let is_shown = shown.as_deref() == Some(name);
            let shipped = ui.selectable_label(is_shown, name);
            let help = "A search that comes with the program, with its own recipe";
            if shipped.on_hover_text(help).clicked() {
                sheet.file = ReadSearch::shipped(name).ok().map(Arc::new);
            }
        }
        let is_shipped = |name: &str| SearchSpec::shipped_names().any(|known| known == name);
        if let Some(name) = shown.filter(|name| !is_shipped(name)) {
            drop(ui.selectable_label(true, name));
        }
        let load = ui.button("Load search…");
        if load.on_hover_text("A search file (.toml)").clicked() {
            view.wish(FileWish::OpenSearch);
        }
    });
    ui.add_space(theme::GRID);
}

/// What a search file says.
fn read_ui(ui: &mut Ui, spec: &SearchSpec) {
    ui.strong(&spec.title);
    let paths: Vec<&str> = spec.vary.keys().map(String::as_str).collect();
    ui.label(format!("Varies {}", paths.join(", ")));
    ui.weak("Its own recipe is what trials begin with, not that of the form.");
}

/// What was begun before and can go on; `true` when one does.
fn begun_ui(ui: &mut Ui, session: &Session, open: Open, commands: &mut CommandQueue) -> bool {
    let kind = match open {
        Open::Search => WorkKind::Search,
        Open::Folds => WorkKind::Queue,
    };
    let begun = session.search().begun.iter();
    let begun: Vec<&BegunWork> = begun.filter(|work| work.kind == kind).collect();
    if begun.is_empty() {
        return false;
    }
    let mut is_started = false;
    ui.add_space(theme::GRID);
    ui.separator();
    ui.label(RichText::new("Before").small().strong());
    for work in begun.into_iter().take(MOST_OFFERED) {
        ui.horizontal(|ui| {
            let (word, help) = if work.is_over {
                ("Show", "What it came to")
            } else {
                ("Go on", "From where it was, as if it had never stopped")
            };
            let go_on = ui.add_enabled(!session.is_learning(), Button::new(word).small());
            if go_on.on_hover_text(help).clicked() {
                commands.push(go_on_with(work));
                is_started = true;
            }
            let name = work.folder.file_name().unwrap_or(work.folder.as_os_str());
            let state = if work.is_over { "done" } else { "not finished" };
            let words = format!(
                "{}, {} trials, {state}",
                name.to_string_lossy(),
                work.trials
            );
            ui.add(egui::Label::new(words).truncate())
                .on_hover_text(work.folder.display().to_string());
        });
    }
    is_started
}

fn go_on_with(work: &BegunWork) -> Command {
    let folder = work.folder.clone();
    Command::Queue(match work.kind {
        WorkKind::Search => QueueCommand::Search(SearchCommand::GoOn { folder }),
        WorkKind::Queue => QueueCommand::GoOn { folder },
    })
}
