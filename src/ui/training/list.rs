use std::path::{Path, PathBuf};

use egui::{Align2, Button, Color32, FontId, Rect, RichText, ScrollArea, Sense, Stroke, Ui, vec2};
use egui_material_icons::icons;

use super::super::panels::tools::name_button;
use super::super::{text, theme};
use super::header::status_words;
use crate::session::{RunEntry, RunStatus, RunsCommand, ScoredGround, Session};
use crate::train::ScoredOn;

const ROW: f32 = 38.0;
/// Colors of overlaid runs on dark and on light grounds (Okabe & Ito 2008, without black; the
/// yellow and the blue adapted to the ground). Beyond seven the lines are dashed.
const ON_DARK: [Color32; 7] = [
    Color32::from_rgb(230, 159, 0),
    Color32::from_rgb(86, 180, 233),
    Color32::from_rgb(0, 178, 130),
    Color32::from_rgb(204, 121, 167),
    Color32::from_rgb(240, 228, 66),
    Color32::from_rgb(225, 105, 50),
    Color32::from_rgb(120, 140, 255),
];
const ON_LIGHT: [Color32; 7] = [
    Color32::from_rgb(200, 130, 0),
    Color32::from_rgb(30, 140, 205),
    Color32::from_rgb(0, 130, 95),
    Color32::from_rgb(185, 85, 140),
    Color32::from_rgb(150, 140, 0),
    Color32::from_rgb(205, 80, 0),
    Color32::from_rgb(60, 80, 210),
];

/// Which runs are looked at.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// The one that is shown.
    pub shown: Option<PathBuf>,
    /// Those that are compared, in the order they were ticked in.
    pub ticked: Vec<PathBuf>,
    /// The one that the others are compared with.
    pub pinned: Option<PathBuf>,
}

impl Chosen {
    /// The color of a compared run, and whether its lines are dashed.
    pub fn color(&self, run: &Path, is_dark: bool) -> Option<(Color32, bool)> {
        let place = self.ticked.iter().position(|ticked| ticked == run)?;
        let colors = if is_dark { ON_DARK } else { ON_LIGHT };
        Some((colors[place % colors.len()], place >= colors.len()))
    }

    /// Writes the report of the shown run.
    pub fn export_shown(&self, to: PathBuf) -> RunsCommand {
        RunsCommand::Export {
            runs: self.shown.iter().cloned().collect(),
            pinned: None,
            to,
        }
    }

    /// Writes the table of the ticked runs.
    pub fn export_ticked(&self, to: PathBuf) -> RunsCommand {
        RunsCommand::Export {
            runs: self.ticked.clone(),
            pinned: self.pinned.clone(),
            to,
        }
    }

    fn tick(&mut self, run: &Path) {
        if self.ticked.iter().any(|ticked| ticked == run) {
            self.ticked.retain(|ticked| ticked != run);
        } else {
            self.ticked.push(run.to_owned());
        }
    }
}

/// What a person did in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picked {
    /// Chose a run to look at.
    Run,
    /// Ticked one, or took a tick away.
    Tick,
}

/// The runs, newest first: one is looked at, and any may be ticked to be compared.
pub fn list_ui(ui: &mut Ui, session: &Session, chosen: &mut Chosen) -> Option<Picked> {
    let mut picked = None;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for entry in &session.runs().entries {
            picked = entry_ui(ui, entry, session, chosen).or(picked);
        }
    });
    picked
}

fn entry_ui(
    ui: &mut Ui,
    entry: &RunEntry,
    session: &Session,
    chosen: &mut Chosen,
) -> Option<Picked> {
    let run = &entry.record.folder;
    let name = session.runs().name_of(&entry.record);
    let mut picked = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let color = chosen.color(run, ui.visuals().dark_mode);
        if tick_ui(ui, color, &name) {
            chosen.tick(run);
            picked = Some(Picked::Tick);
        }
        let pin = 22.0;
        let is_shown = chosen.shown.as_ref() == Some(run);
        let size = vec2(ui.available_width() - pin, ROW);
        let row = row_ui(ui, (entry, &name), session, size, is_shown);
        row.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, is_shown, &name));
        if row.clicked() {
            chosen.shown = Some(run.clone());
            picked = Some(Picked::Run);
        }
        row.on_hover_ui(|ui| {
            ui.label(help(entry, session));
        });
        pin_ui(ui, run, &name, chosen);
    });
    picked
}

/// Where a run lies, how it is, what its numbers are of and why they may be too good.
fn help(entry: &RunEntry, session: &Session) -> String {
    let record = &entry.record;
    let mut lines = vec![
        record.folder.display().to_string(),
        status_words(entry, session).2.to_owned(),
        ScoredGround::of_run(record).sentence().to_owned(),
    ];
    let leaks = record.leak_warnings().into_iter();
    lines.extend(leaks.map(|warning| format!("{warning}.")));
    lines.join("\n")
}

/// Name and mean IoU, with a sign where that may be too good, and below them network, what ground
/// that is of, and status.
fn row_ui(
    ui: &mut Ui,
    (entry, name): (&RunEntry, &str),
    session: &Session,
    size: egui::Vec2,
    is_shown: bool,
) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let visuals = ui.style().interact_selectable(&response, is_shown);
    if is_shown || response.hovered() || response.has_focus() {
        let round = visuals.corner_radius;
        ui.painter().rect_filled(rect, round, visuals.weak_bg_fill);
    }
    // On the color of the chosen row only its own color is legible.
    let own = visuals.text_color();
    let or_own = |color: Color32| {
        if is_shown {
            own
        } else {
            theme::legible(color, ui.visuals())
        }
    };
    let record = &entry.record;
    let (status, status_color, _) = status_words(entry, session);
    let iou = record.best_row().and_then(|row| row.mean_iou);
    let ground = iou.map(|_| ScoredGround::of_run(record).word());
    let network = record.network();
    let network = network.unwrap_or_else(|| "unknown network".to_owned());
    let (upper, lower) = rect
        .shrink2(vec2(7.0, 3.0))
        .split_top_bottom_at_fraction(0.53);
    let leaks = record.leak_warning(ScoredOn::Validation);
    let iou = match leaks.and(iou) {
        Some(iou) => {
            let sign = icons::ICON_WARNING.codepoint;
            let words = format!("{sign} {}", text::ratio(Some(iou)));
            (words, or_own(theme::WARNING))
        }
        None => (text::ratio(iou), or_own(theme::CURVE_IOU)),
    };
    line_ui(ui, upper, 13.0, [(name.to_owned(), own), iou]);
    let weak = or_own(ui.visuals().weak_text_color());
    // What came to its end needs no word where there is a number.
    let is_told = entry.status != RunStatus::Finished || ground.is_none();
    let words = [ground, is_told.then_some(status)];
    let status = words.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let status = (status, or_own(status_color));
    line_ui(ui, lower, 11.0, [(network, weak), status]);
    response
}

/// Words at the left, without their middle where there is no room for all, and at the right.
fn line_ui(ui: &Ui, rect: Rect, size: f32, [left, right]: [(String, Color32); 2]) {
    let (painter, font) = (ui.painter(), FontId::proportional(size));
    let written = painter.text(
        rect.right_top(),
        Align2::RIGHT_TOP,
        right.0,
        font.clone(),
        right.1,
    );
    let width = (rect.width() - written.width() - 8.0).max(10.0);
    let lay = |words: String| painter.layout_no_wrap(words, font.clone(), left.1);
    let fits = |words: &str| lay(words.to_owned()).rect.width() <= width;
    let shown = lay(without_middle(&left.0, fits));
    painter.galley(rect.left_top(), shown, left.1);
}

/// As much of `words` as fits: names of runs differ at their ends.
fn without_middle(words: &str, fits: impl Fn(&str) -> bool) -> String {
    if fits(words) {
        return words.to_owned();
    }
    let letters: Vec<char> = words.chars().collect();
    let kept = |count: usize| {
        let (first, last) = (count.div_ceil(2), count / 2);
        let ends = [&letters[..first], &['…'], &letters[letters.len() - last..]];
        ends.concat().into_iter().collect::<String>()
    };
    let counts: Vec<usize> = (0..letters.len()).collect();
    let most = counts.partition_point(|&count| fits(&kept(count)));
    kept(most.saturating_sub(1))
}

/// A box of the color that the run's lines have; `true` when it was clicked.
fn tick_ui(ui: &mut Ui, color: Option<(Color32, bool)>, name: &str) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(20.0, ROW), Sense::click());
    let is_ticked = color.is_some();
    response.widget_info(|| {
        let words = format!("Compare {name}");
        egui::WidgetInfo::selected(egui::Role::CheckBox, true, is_ticked, words)
    });
    let visuals = ui.style().interact(&response);
    let square = egui::Rect::from_center_size(rect.center(), vec2(14.0, 14.0));
    let fill = color.map_or(Color32::TRANSPARENT, |(color, _)| color);
    let edge = Stroke::new(
        1.2,
        color.map_or(visuals.fg_stroke.color, |(color, _)| color),
    );
    ui.painter()
        .rect(square, 3.0, fill, edge, egui::StrokeKind::Inside);
    if is_ticked {
        let at = |x: f32, y: f32| square.min + vec2(x, y);
        let check = vec![at(3.2, 7.4), at(6.0, 10.2), at(11.0, 4.4)];
        ui.painter()
            .add(egui::Shape::line(check, Stroke::new(1.8, Color32::BLACK)));
    }
    if response.has_focus() {
        let ring = ui.visuals().selection.stroke;
        ui.painter()
            .rect_stroke(square.expand(2.0), 4.0, ring, egui::StrokeKind::Outside);
    }
    response
        .on_hover_text("Draw its curves with those of the other ticked runs")
        .clicked()
}

fn pin_ui(ui: &mut Ui, run: &Path, name: &str, chosen: &mut Chosen) {
    let is_pinned = chosen.pinned.as_deref() == Some(run);
    let color = if is_pinned {
        theme::ACCENT
    } else {
        ui.visuals().weak_text_color()
    };
    let icon = RichText::new(icons::ICON_PUSH_PIN.codepoint)
        .size(14.0)
        .color(color);
    let pin = ui.add(Button::new(icon).frame(false));
    name_button(&pin, &format!("Pin {name}"), is_pinned);
    if pin
        .on_hover_text("The baseline: tables show differences to it")
        .clicked()
    {
        chosen.pinned = (!is_pinned).then(|| run.to_owned());
        if !is_pinned && !chosen.ticked.iter().any(|ticked| ticked == run) {
            chosen.ticked.push(run.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_both_ends() {
        let within = |most: usize| move |words: &str| words.chars().count() <= most;
        assert_eq!(without_middle("run-001", within(7)), "run-001");
        assert_eq!(without_middle("camvid-480x360-001", within(9)), "camv…-001");
        assert_eq!(without_middle("camvid-480x360-001", within(8)), "camv…001");
        assert_eq!(without_middle("camvid", within(0)), "…");
    }

    #[test]
    fn ticked_runs_have_colors_of_their_own() {
        let mut chosen = Chosen::default();
        let runs: Vec<PathBuf> = (0..9).map(|n| PathBuf::from(format!("run {n}"))).collect();
        for run in &runs {
            chosen.tick(run);
        }
        let first = chosen.color(&runs[0], true);
        assert_eq!(first, Some((ON_DARK[0], false)));
        assert_eq!(
            chosen.color(&runs[7], true),
            Some((ON_DARK[0], true)),
            "dashed"
        );
        chosen.tick(&runs[0]);
        assert_eq!(chosen.color(&runs[0], true), None);
    }
}
