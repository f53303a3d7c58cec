use std::path::PathBuf;

use egui::{CollapsingHeader, Color32, Frame, RichText, ScrollArea, Stroke, TextStyle, Ui};
use egui_material_icons::icons;

use crate::dataset::leaks::LeakReport;
use crate::dataset::{Inspection, Problem, Severity};
use crate::ui::{text, theme};

/// Of a list of files more than this is reached by scrolling.
const LIST_HEIGHT: f32 = 180.0;

/// What is wrong with the files, worst first.
pub fn problems_ui(ui: &mut Ui, inspection: &Inspection) {
    if inspection.problems.is_empty() {
        theme::words(ui, theme::GOOD, "Nothing wrong was found in the files.");
    }
    for (place, problem) in inspection.problems.iter().enumerate() {
        problem_ui(ui, place, problem);
    }
}

/// What is wrong, with the files.
pub fn problem_ui(ui: &mut Ui, place: usize, problem: &Problem) {
    let (icon, color) = match problem.severity {
        Severity::Error => (icons::ICON_ERROR, theme::ERROR),
        Severity::Warning => (icons::ICON_WARNING, theme::WARNING),
        Severity::Info => (icons::ICON_INFO, ui.visuals().weak_text_color()),
    };
    line_ui(ui, icon.codepoint, color, &format!("{}.", problem.sentence));
    if problem.examples.is_empty() {
        return;
    }
    let named = text::count_of(problem.examples.len(), "file");
    let rest = problem.count.saturating_sub(problem.examples.len());
    let title = match rest {
        0 => named,
        _ => format!("{named} of {}", text::grouped(problem.count as u64)),
    };
    ui.indent(("examples", place), |ui| {
        CollapsingHeader::new(RichText::new(title).small().weak())
            .id_salt(("files of a problem", place))
            .show(ui, |ui| files_ui(ui, place, &problem.examples));
    });
}

/// All files, and a button that copies the list.
fn files_ui(ui: &mut Ui, place: usize, files: &[PathBuf]) {
    let copy = ui.small_button("Copy the list");
    if copy.on_hover_text("A file a line").clicked() {
        let lines = files.iter().map(|path| path.display().to_string());
        ui.ctx().copy_text(lines.collect::<Vec<_>>().join("\n"));
    }
    let height = ui.text_style_height(&TextStyle::Monospace);
    ScrollArea::vertical()
        .id_salt(("list of files", place))
        .max_height(LIST_HEIGHT)
        .auto_shrink([false, true])
        .show_rows(ui, height, files.len(), |ui, rows| {
            for path in &files[rows] {
                let path = RichText::new(path.display().to_string()).monospace();
                ui.add(egui::Label::new(path).truncate());
            }
        });
}

fn line_ui(ui: &mut Ui, icon: &str, color: Color32, sentence: &str) {
    ui.horizontal_top(|ui| {
        ui.label(RichText::new(icon).size(15.0).color(color));
        ui.add(egui::Label::new(sentence).wrap());
    });
}

/// What `these` share: parts, or several data sets. It stays where it is: scores on such ground are
/// too good. Where nothing was compared, the notes say why.
pub fn leaks_ui(ui: &mut Ui, report: &LeakReport, these: &str) {
    if report.leaks.is_empty() && report.images > 0 {
        let images = text::count_of(report.images, "image");
        let words = format!("{these} share nothing that could be found ({images} compared).");
        theme::words(ui, theme::GOOD, words);
    } else if !report.leaks.is_empty() {
        Frame::new()
            .fill(theme::WARNING.gamma_multiply(0.12))
            .stroke(Stroke::new(1.0, theme::WARNING.gamma_multiply(0.7)))
            .corner_radius(4.0)
            .inner_margin(10.0)
            .show(ui, |ui| leaks_inside_ui(ui, report));
    }
    for note in &report.notes {
        ui.label(RichText::new(note).small().weak());
    }
}

fn leaks_inside_ui(ui: &mut Ui, report: &LeakReport) {
    ui.set_width(ui.available_width());
    let is_of_sets = report.leaks.iter().any(|leak| leak.sets.is_some());
    ui.strong(if is_of_sets {
        "Scores across these data sets would be better than the network is"
    } else {
        "Scores will be better than the network is"
    });
    for (place, leak) in report.leaks.iter().enumerate() {
        line_ui(
            ui,
            icons::ICON_WARNING.codepoint,
            theme::WARNING,
            &format!("{}.", leak.sentence),
        );
        ui.indent(("leak", place), |ui| {
            CollapsingHeader::new(
                RichText::new(text::count_of(leak.pairs, "pair"))
                    .small()
                    .weak(),
            )
            .id_salt(("pairs of a leak", place))
            .show(ui, |ui| {
                for example in &leak.examples {
                    let words = format!(
                        "{} and {}: {}",
                        example.first, example.second, example.detail
                    );
                    ui.label(RichText::new(words).small());
                }
            });
        });
    }
}
