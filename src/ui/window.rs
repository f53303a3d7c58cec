use egui::{CentralPanel, Frame, Panel, Popup, Ui};

use super::canvas::panes_ui;
use super::keys::{Wish, palette_ui, pressed, sheet_ui};
use super::panels::area::check;
use super::training::{sheet_ui as searches_ui, training_ui};
use super::view::{CommandQueue, View};
use super::{menu, panels, perform, places, status, theme, welcome};
use crate::label::Seen;
use crate::session::{CheckCommand, Command, Session};

/// Lays out the whole window and collects what the person asks for.
pub fn window_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if is_at_work(ui.ctx()) {
        session.note_work();
    }
    // The click that closes one does so before the canvas has its turn.
    view.has_popup = Popup::is_any_open(ui.ctx());
    view.keymap.follow(&session.settings().keys);
    keys(ui.ctx(), session, view, commands);
    dropped_files(ui.ctx(), commands);
    view.follow_tool(session);
    view.follow_review(session);
    view.follow_check(session);
    view.recall_panes(session);
    view.form.follow_data(session);
    Panel::top("menu").show(ui, |ui| menu::menu_ui(ui, session, view, commands));
    super::banner::banner_ui(ui, session, view);
    Panel::bottom("status").show(ui, |ui| status::status_ui(ui, session, view, commands));
    let canvas = if view.training.is_open {
        let bare = Frame::new().fill(ui.visuals().panel_fill);
        CentralPanel::default()
            .frame(bare)
            .show(ui, |ui| training_ui(ui, session, view, commands))
    } else if session.image().is_some() {
        if view.shows_panels {
            panels_ui(ui, session, view, commands);
        }
        let no_margin = Frame::new().fill(theme::CANVAS);
        CentralPanel::default()
            .frame(no_margin)
            .show(ui, |ui| panes_ui(ui, session, view, commands))
    } else {
        CentralPanel::default().show(ui, |ui| welcome::welcome_ui(ui, session, view, commands))
    };
    super::dialogs::dialogs_ui(ui, session, view, commands);
    super::cleanup::cleanup_ui(ui, session, view, commands);
    super::look::look_ui(ui, session, view, commands);
    searches_ui(ui, session, view, commands);
    super::export::export_ui(ui, session, view);
    super::import::import_ui(ui, session, view, commands);
    super::import::vectors_ui(ui, session, view, commands);
    places::places_ui(ui, session, view, commands);
    panels::classes::removal_ui(ui, session, view, commands);
    sheet_ui(ui, session, view, commands);
    palette_ui(ui, session, view, commands);
    view.messages.show(ui, canvas.response.rect);
    view.keep_panes(session, commands);
    view.end_frame();
}

fn panels_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    Panel::left("tools")
        .resizable(false)
        .exact_size(panels::tools::rail_width(ui.available_height()))
        .show(ui, |ui| {
            panels::tools::rail_ui(ui, session, &view.keymap, commands);
        });
    Panel::right("dock")
        .default_size(300.0)
        .size_range(240.0..=520.0)
        .show(ui, |ui| super::dock::dock_ui(ui, session, view, commands));
    Panel::bottom("options")
        .resizable(false)
        .exact_size(panels::options::bar_height(ui))
        .show(ui, |ui| {
            panels::options::options_ui(ui, session, view, commands);
        });
}

/// Whether somebody moves the pointer, turns the wheel or presses something.
fn is_at_work(ctx: &egui::Context) -> bool {
    use egui::Event;
    let is_work = |event: &Event| {
        matches!(
            event,
            Event::PointerMoved(_)
                | Event::PointerButton { .. }
                | Event::MouseWheel { .. }
                | Event::Key { .. }
                | Event::Touch { .. }
        )
    };
    ctx.input(|input| input.events.iter().any(is_work))
}

fn keys(ctx: &egui::Context, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    // A question in front has the keys.
    let is_asked = ctx.memory(|memory| memory.top_modal_layer().is_some());
    if ctx.text_edit_focused() || is_asked {
        return;
    }
    for wish in pressed(ctx, &view.keymap) {
        match wish {
            Wish::Action(action) => perform::perform(action, ctx, session, view, commands),
            Wish::Class(place) => {
                let classes = session.shown_classes();
                let is_asked = session.checked_point().is_some();
                commands.extend(classes.get(place).map(|class| {
                    if is_asked {
                        check(CheckCommand::Say(Seen::Class(class.index)))
                    } else {
                        Command::SelectClass(class.index)
                    }
                }));
            }
        }
    }
}

fn dropped_files(ctx: &egui::Context, commands: &mut CommandQueue) {
    let dropped = ctx.input(|input| input.raw.dropped_files.clone());
    if let Some(file) = dropped.first() {
        commands.push(Command::Open {
            path: file.path().to_owned(),
        });
    }
}
