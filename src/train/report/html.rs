use super::best::held_out;
use super::chart::{CHART_STYLE, CurveLook};
use super::curves::{charts, marks};
use super::heat::heat_table;
use super::markdown::class_figures;
use super::words::{NONE, count, duration, escaped, put, ratio};
use super::{FinalScores, ReportPicture, RunRecord, RunSummary};
use crate::label::ClassTable;
use crate::metrics::{ClassScores, Figure, POOLED_OR_PER_IMAGE};

/// The report of one run as one page that needs no other file: no scripts, pictures inlined, light
/// and dark by what the reader prefers. Names from files cannot become markup.
pub fn report_html(record: &RunRecord, pictures: &[ReportPicture]) -> String {
    let mut body = format!(
        "<header><p class=\"eyebrow\">Training report</p><h1>{}</h1>\n<p class=\"lead\">{}</p></header>\n",
        escaped(&record.name()),
        escaped(&record.lead())
    );
    if let Some(end) = record.end_words() {
        put!(&mut body, "<p>{}</p>\n", escaped(&end));
    }
    push_cards(&mut body, record);
    push_notes(&mut body, &record.notes);
    push_curves(&mut body, record);
    push_classes(&mut body, record);
    push_confusion(&mut body, record);
    push_pictures(&mut body, record, pictures);
    push_held_out(&mut body, record);
    push_figures(&mut body, record);
    push_recipe(&mut body, record);
    page(&format!("{} – training report", record.name()), &body)
}

/// A whole page around `body`, which is markup.
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{}{CHART_STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         </body>\n</html>\n",
        escaped(title),
        include_str!("page.css")
    )
}

/// What a figure is and is not, for a title attribute.
fn help(figure: Figure) -> String {
    escaped(&figure.definition().words())
}

fn push_cards(body: &mut String, record: &RunRecord) {
    let figures = record.figures();
    let baseline = match (figures.majority_baseline, figures.majority_class) {
        (Some(baseline), Some(class)) => format!(
            "always answering {} scores {baseline:.3}",
            escaped(&record.class_name(class))
        ),
        (Some(baseline), None) => format!("the most frequent class alone scores {baseline:.3}"),
        _ => "the majority baseline is not known".to_owned(),
    };
    let best = record.best_epoch();
    let cards = [
        (
            "Mean IoU",
            help(Figure::MeanIou),
            ratio(figures.mean_iou),
            "over classes with truth".to_owned(),
        ),
        (
            "Pixel accuracy",
            help(Figure::PixelAccuracy),
            ratio(figures.pixel_accuracy),
            baseline,
        ),
        (
            "Best epoch",
            String::new(),
            best.map_or_else(|| NONE.to_owned(), |epoch| epoch.to_string()),
            best_among(record),
        ),
        (
            "Training time",
            String::new(),
            record.seconds().map_or_else(|| NONE.to_owned(), duration),
            record
                .environment
                .as_ref()
                .map_or_else(String::new, |known| escaped(&known.device)),
        ),
    ];
    body.push_str("<dl class=\"cards\">\n");
    for (name, title, value, below) in cards {
        put!(
            body,
            "<div class=\"card\" title=\"{title}\"><dt>{name}</dt><dd>{value}<small>{below}</small>\
             </dd></div>\n"
        );
    }
    body.push_str("</dl>\n");
    push_notes(body, &record.leak_warnings());
    put!(body, "<p class=\"quiet\">{}</p>\n", record.caution());
}

pub(super) fn push_notes(body: &mut String, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    body.push_str("<div class=\"notes\">\n");
    for note in notes {
        put!(body, "<div>{}</div>\n", escaped(note));
    }
    body.push_str("</div>\n");
}

/// Of how many epochs one is the best, and by what.
fn best_among(record: &RunRecord) -> String {
    let by = record.recipe.as_ref().map(|recipe| recipe.best_by.words());
    let by = by.map_or_else(String::new, |by| format!(", by {}", escaped(&by)));
    format!("of {} that ended{by}", record.rows.len())
}

pub(super) fn push_curves(body: &mut String, record: &RunRecord) {
    if record.rows.is_empty() {
        return;
    }
    let marks = marks(record);
    body.push_str("<section>\n<h2>Curves</h2>\n<div class=\"charts\">\n");
    let mut charts = charts(&record.rows, CurveLook::fitting(&record.rows));
    charts[1].level = record
        .validation_baseline()
        .map(|value| (value, "majority baseline of pixel accuracy"));
    for chart in charts {
        body.push_str(&chart.picture(&marks));
    }
    body.push_str("</div>\n</section>\n");
}

fn push_classes(body: &mut String, record: &RunRecord) {
    let classes = record.class_scores();
    if classes.is_empty() {
        return;
    }
    let total = classes
        .iter()
        .fold(0_u64, |sum, class| sum.saturating_add(class.support));
    body.push_str("<section>\n<h2>Classes</h2>\n<div class=\"wide\"><table class=\"full\">\n<tr><th>Class</th>");
    for figure in class_figures() {
        put!(
            body,
            "<th title=\"{}\">{}</th>",
            help(figure),
            figure.definition().name
        );
    }
    body.push_str("<th>Share</th></tr>\n");
    for class in &classes {
        push_class(body, record, class, total);
    }
    body.push_str("</table></div>\n</section>\n");
}

fn push_class(body: &mut String, record: &RunRecord, class: &ClassScores, total: u64) {
    let bar = class.iou.map_or_else(String::new, |iou| {
        let width = (100.0 * iou).clamp(0.0, 100.0);
        format!("<span class=\"bar\"><i style=\"width:{width:.1}%\"></i></span>")
    });
    let (support, share) = if class.support == 0 {
        (NONE.to_owned(), NONE.to_owned())
    } else {
        let share = 100.0 * class.support as f64 / total as f64;
        (count(class.support), format!("{share:.1} %"))
    };
    put!(
        body,
        "<tr><td class=\"name\">{}{}</td><td>{bar}{}</td><td>{}</td><td>{}</td><td>{}</td>\
         <td>{support}</td><td>{share}</td></tr>\n",
        swatch(record, class.index),
        escaped(&class.name),
        ratio(class.iou),
        ratio(class.precision),
        ratio(class.recall),
        ratio(class.f1)
    );
}

/// The color of a class, if it is known.
fn swatch(record: &RunRecord, index: u8) -> String {
    let class = record
        .classes
        .as_ref()
        .and_then(|classes| classes.get(index));
    class.map_or_else(String::new, |class| {
        let [red, green, blue] = class.color;
        format!(
            "<span class=\"swatch\" style=\"background:#{red:02x}{green:02x}{blue:02x}\"></span>"
        )
    })
}

fn push_confusion(body: &mut String, record: &RunRecord) {
    let Some(scores) = record.scores() else {
        return;
    };
    let scores = &scores.scores;
    let classes = 0..scores.confusion.len().min(255);
    let names: Vec<String> = classes
        .clone()
        .map(|class| record.class_name(class as u8))
        .collect();
    let support = |class: usize| {
        let mut rows = scores.per_class.iter();
        rows.find(|row| usize::from(row.index) == class)
            .map_or(0, |row| row.support)
    };
    let support: Vec<u64> = classes.map(support).collect();
    body.push_str(
        "<section>\n<h2>Confusion</h2>\n<p class=\"quiet\">Each row is a true class: where its \
         pixels went, in percent. A perfect prediction has 100 on the diagonal.</p>\n",
    );
    body.push_str(&heat_table(&scores.confusion, &support, &names));
    body.push_str("</section>\n");
}

pub(super) fn push_pictures(body: &mut String, record: &RunRecord, pictures: &[ReportPicture]) {
    let urls: Vec<_> = pictures
        .iter()
        .filter_map(|picture| Some((picture, picture.data_url()?)))
        .collect();
    if urls.is_empty() {
        return;
    }
    body.push_str("<section>\n<h2>Pictures</h2>\n<div class=\"legend\">");
    for class in record.classes.iter().flat_map(ClassTable::classes) {
        put!(
            body,
            "<span>{}{}</span>",
            swatch(record, class.index),
            escaped(&class.name)
        );
    }
    body.push_str(
        "</div>\n<p class=\"quiet\">From left to right: original, label, prediction and, where it \
         is drawn, error (red).</p>\n",
    );
    for (picture, url) in urls {
        let caption = escaped(&picture.caption);
        put!(
            body,
            "<figure><img src=\"{url}\" alt=\"{caption}\"><figcaption>{caption}</figcaption>\
             </figure>\n"
        );
    }
    body.push_str("</section>\n");
}

/// A page names no more files.
const MOST_FILES: usize = 40;

fn push_held_out(body: &mut String, record: &RunRecord) {
    let Some(split) = &record.split else { return };
    body.push_str("<section>\n<h2>Held-out ground</h2>\n");
    for sentence in held_out(split) {
        put!(body, "<p>{}</p>\n", escaped(&sentence));
    }
    let files = &split.validation_files;
    if !files.is_empty() {
        let names: Vec<String> = files
            .iter()
            .take(MOST_FILES)
            .map(|name| escaped(name))
            .collect();
        let more = files.len() - names.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        put!(body, "<p class=\"quiet\">{}{more}</p>\n", names.join(", "));
    }
    body.push_str("</section>\n");
}

fn push_figures(body: &mut String, record: &RunRecord) {
    let summary = RunSummary::of(record);
    if !summary.is_known() {
        return;
    }
    body.push_str("<section>\n<h2>All figures</h2>\n<div class=\"wide\"><table class=\"full\">\n");
    body.push_str("<tr><th></th>");
    for on in &summary.grounds {
        put!(body, "<th>{}</th>", on.words());
    }
    body.push_str("<th class=\"what\">What it is, and what it does not tell</th></tr>\n");
    for (figure, values) in &summary.rows {
        put!(
            body,
            "<tr><th class=\"name\">{}</th>",
            figure.definition().name
        );
        for value in values {
            put!(body, "<td>{}</td>", ratio(*value));
        }
        put!(body, "<td class=\"what\">{}</td></tr>\n", help(*figure));
    }
    put!(
        body,
        "</table></div>\n<p class=\"quiet\">{POOLED_OR_PER_IMAGE}.</p>\n"
    );
    if let Some(FinalScores { on, scores, .. }) = record.scores() {
        put!(
            body,
            "<p class=\"quiet\">{} pixels ({}), {} more without truth.</p>\n",
            count(scores.pixels),
            on.words(),
            count(scores.ignored)
        );
    }
    body.push_str("</section>\n");
}

fn push_recipe(body: &mut String, record: &RunRecord) {
    if let Some(environment) = &record.environment {
        body.push_str("<section>\n<h2>Environment</h2>\n<dl class=\"pairs\">\n");
        for (name, value) in environment.lines() {
            put!(body, "<dt>{name}</dt><dd>{}</dd>\n", escaped(&value));
        }
        body.push_str("</dl>\n</section>\n");
    }
    if let Some(recipe) = &record.recipe_text {
        put!(
            body,
            "<section>\n<h2>Recipe</h2>\n<pre>{}</pre>\n</section>\n",
            escaped(recipe)
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::test_run::{hostile_run, plain_run};
    use super::*;

    #[test]
    fn a_page_says_the_numbers_and_the_baseline() {
        let html = report_html(&plain_run().record(), &[]);
        for part in [
            "<dt>Mean IoU</dt><dd>0.500",
            "always answering ground scores 0.600",
            "selected on it",
            "best: 2",
            "title=\"Pixels rightly predicted as the class divided by all that",
            "<td class=\"name\"><span class=\"swatch\" style=\"background:#c8503c\"></span>road</td>",
            "2 whole files, 100 of 1\u{202f}000 labeled pixels (10.0 %)",
            "Test card",
        ] {
            assert!(html.contains(part), "{part} is missing in\n{html}");
        }
    }

    #[test]
    fn a_page_needs_no_other_file_and_runs_no_script() {
        let picture = |bytes: &[u8]| ReportPicture {
            caption: "<b>\"x\"".to_owned(),
            path: PathBuf::from("a.png"),
            bytes: bytes.to_vec(),
        };
        let record = hostile_run().record();
        let html = report_html(&record, &[picture(b"\x89PNG"), picture(b"GIF89a")]);
        assert_eq!(html.matches("<img ").count(), 1);
        assert!(
            html.contains("src=\"data:image/png;base64,iVBORw==\" alt=\"&lt;b&gt;&quot;x&quot;\"")
        );
        for forbidden in [
            "<script",
            "<link",
            "src=\"http",
            "url(",
            "@import",
            "<b>",
            "\u{1}",
        ] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        assert!(html.contains("&lt;script&gt;alert(&quot;1&quot;)"));
    }
}
