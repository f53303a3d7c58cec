use egui::{
    Align2, Color32, CornerRadius, FontId, Painter, Pos2, ProgressBar, Rect, Sense, Shape, Stroke,
    Ui, pos2, vec2,
};
use serde_json::json;

use super::tree::Tree;
use crate::session::{Command, RateSearch, Session};
use crate::train::{Axis, RateRange, RateVerdict, Scale, smoothed};
use crate::ui::panels::recipe::TrainForm;
use crate::ui::stop::stop_ui;
use crate::ui::theme;
use crate::ui::view::CommandQueue;

const HEIGHT: f32 = 150.0;
const WIDTH: f32 = 560.0;
/// How much of the smoothed line stays from one step to the next, as where it is judged.
const MEMORY: f64 = 0.9;
const SMALL: FontId = FontId::proportional(11.0);

/// The search for a learning rate: its button, its curve, and its answer to be taken over.
pub fn rate_ui(
    ui: &mut Ui,
    session: &Session,
    form: &TrainForm,
    tree: &mut Tree,
    commands: &mut CommandQueue,
) {
    let search = session.rate_search();
    ui.add_space(theme::GRID);
    ui.horizontal(|ui| {
        button_ui(ui, session, form, commands);
        if let Some(rate) = search.report.as_ref().and_then(suggestion) {
            let words = format!("Use {rate:.1e}");
            if ui
                .button(words)
                .on_hover_text("Takes it over as the full learning rate")
                .clicked()
            {
                // Two digits are more than the search knows.
                let rate: f64 = format!("{rate:.1e}").parse().unwrap_or(rate);
                tree.set("learning_rate", json!(rate));
            }
        }
    });
    if let Some(why) = &search.failure {
        theme::words(ui, theme::ERROR, why);
    }
    if !search.steps.is_empty() {
        plot_ui(ui, search);
    }
    if search
        .report
        .as_ref()
        .is_some_and(|report| report.verdict.is_none())
    {
        let words = "At no rate did the loss fall: is there a label to learn from?";
        theme::words(ui, theme::WARNING, words);
    }
}

fn suggestion(report: &crate::train::RateReport) -> Option<f64> {
    report.verdict.as_ref().map(RateVerdict::suggestion)
}

fn button_ui(ui: &mut Ui, session: &Session, form: &TrainForm, commands: &mut CommandQueue) {
    let search = session.rate_search();
    if let Some(job) = search.job {
        let help = "What was tried until then stays";
        stop_ui(ui, session, job, ("Stop", help), commands);
        let share = search.steps.len() as f32 / RateRange::default().steps as f32;
        let words = if search.steps.is_empty() {
            "Preparing…"
        } else {
            "Raising the rate step by step"
        };
        ui.add(ProgressBar::new(share).desired_width(260.0).text(words));
        return;
    }
    let is_free = form.can_start(session) && !session.training().is_running();
    let find = ui.add_enabled(is_free, egui::Button::new("Find a rate"));
    let help = "Trains a network that is thrown away at rising rates: learning is best a little \
                below where the loss falls most steeply";
    if find
        .on_hover_text(help)
        .on_disabled_hover_text("Open an image with a label, or a data set, while nothing trains")
        .clicked()
    {
        commands.push(Command::FindRate {
            recipe: Box::new(form.recipe.clone()),
            on: form.learn_from(session),
            out: None,
        });
    }
}

/// Losses over the logarithm of the rate, with the answer.
fn plot_ui(ui: &mut Ui, search: &RateSearch) {
    let size = vec2(ui.available_width().min(WIDTH), HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let num_steps = search.steps.len();
    response.widget_info(|| {
        let words = format!("Loss over learning rate, {num_steps} steps");
        egui::WidgetInfo::labeled(egui::Role::Figure, true, words)
    });
    let plot = RatePlot::new(ui, rect, search);
    plot.draw();
    if let Some(at) = response.hover_pos()
        && plot.area.contains(at)
    {
        plot.draw_hovered(at);
    }
}

struct RatePlot {
    painter: Painter,
    rect: Rect,
    area: Rect,
    scale: Scale,
    raw: Vec<(f64, f64)>,
    smooth: Vec<(f64, f64)>,
    marks: Vec<(f64, &'static str, Color32)>,
    text: Color32,
    weak: Color32,
}

impl RatePlot {
    fn new(ui: &Ui, rect: Rect, search: &RateSearch) -> Self {
        let visuals = ui.visuals();
        let back = visuals.extreme_bg_color;
        ui.painter().rect_filled(rect, CornerRadius::same(4), back);
        let raw = search.steps.clone();
        let verdict = search.report.as_ref().and_then(|it| it.verdict.as_ref());
        let smooth = match verdict {
            Some(verdict) => {
                let rates = raw.iter().map(|(rate, _)| *rate);
                rates.zip(verdict.smoothed.iter().copied()).collect()
            }
            None => smoothed(&raw, MEMORY),
        };
        let mut marks = Vec::new();
        if let Some(verdict) = verdict {
            marks.push((verdict.steepest, "steepest", theme::GOOD));
            marks.push((verdict.tenth_of_least, "tenth of the least", theme::WARNING));
            marks.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        let shown = smooth.iter().map(|(_, loss)| *loss);
        Self {
            painter: ui.painter_at(rect),
            rect,
            area: Rect::from_min_max(rect.min + vec2(44.0, 24.0), rect.max - vec2(14.0, 20.0)),
            scale: Scale::of(Axis::Log, shown),
            raw,
            smooth,
            marks,
            text: visuals.text_color(),
            weak: visuals.weak_text_color(),
        }
    }

    fn x(&self, rate: f64) -> f32 {
        let RateRange { from, to, .. } = RateRange::default();
        let share = (rate / from).ln() / (to / from).ln();
        self.area.left() + share as f32 * self.area.width()
    }

    fn line(&self, points: &[(f64, f64)]) -> Vec<Pos2> {
        let place = |&(rate, loss): &(f64, f64)| {
            let place = self.scale.position(loss)?.clamp(-0.5, 2.0) as f32;
            Some(pos2(
                self.x(rate),
                self.area.bottom() - place * self.area.height(),
            ))
        };
        points.iter().filter_map(place).collect()
    }

    fn draw(&self) {
        let grid = self.text.gamma_multiply(0.12);
        for (value, words) in self.scale.ticks() {
            let Some(y) = self.line(&[(1.0, value)]).first().map(|at| at.y) else {
                continue;
            };
            if self.area.y_range().expand(0.5).contains(y) {
                let stroke = Stroke::new(1.0, grid);
                self.painter
                    .hline(self.area.x_range(), y.round() + 0.5, stroke);
                let at = pos2(self.area.left() - 6.0, y);
                self.painter
                    .text(at, Align2::RIGHT_CENTER, words, SMALL, self.weak);
            }
        }
        for power in -6..=0 {
            let at = pos2(self.x(10_f64.powi(power)), self.area.bottom() + 4.0);
            self.painter.text(
                at,
                Align2::CENTER_TOP,
                format!("1e{power}"),
                SMALL,
                self.weak,
            );
        }
        let title = pos2(self.rect.left() + 10.0, self.rect.top() + 6.0);
        self.painter.text(
            title,
            Align2::LEFT_TOP,
            "Loss over learning rate",
            SMALL,
            self.text,
        );
        self.draw_marks();
        let inside = self.painter.with_clip_rect(self.area.expand(2.0));
        let faint = Stroke::new(1.0, theme::ACCENT.gamma_multiply(0.3));
        inside.add(Shape::line(self.line(&self.raw), faint));
        inside.add(Shape::line(
            self.line(&self.smooth),
            Stroke::new(2.0, theme::ACCENT),
        ));
    }

    fn draw_marks(&self) {
        // The words of the lower rate stand at its left, those of the higher one at its right.
        let sides = [(Align2::RIGHT_TOP, -4.0), (Align2::LEFT_TOP, 4.0)];
        for (&(rate, words, color), (align, aside)) in self.marks.iter().zip(sides) {
            let x = self.x(rate);
            let ends = [pos2(x, self.area.top()), pos2(x, self.area.bottom())];
            let stroke = Stroke::new(1.2, color);
            let line = Shape::dashed_line(&ends, stroke, 4.0, 3.0);
            self.painter.extend(line);
            let at = pos2(x + aside, self.area.top());
            let words = format!("{words} {rate:.1e}");
            self.painter.text(at, align, words, SMALL, color);
        }
    }

    /// Rate and smoothed loss of the step under the pointer.
    fn draw_hovered(&self, at: Pos2) {
        let far = |(rate, _): &&(f64, f64)| (self.x(*rate) - at.x).abs();
        let nearest = self.smooth.iter().min_by(|a, b| far(a).total_cmp(&far(b)));
        let Some(&(rate, loss)) = nearest else { return };
        let Some(&place) = self.line(&[(rate, loss)]).first() else {
            return;
        };
        self.painter.circle_filled(place, 3.0, theme::ACCENT);
        let right = pos2(self.rect.right() - 14.0, self.rect.top() + 6.0);
        let words = format!("{loss:.4} at {rate:.1e}");
        self.painter
            .text(right, Align2::RIGHT_TOP, words, SMALL, self.text);
    }
}
