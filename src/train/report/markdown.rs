use super::best::held_out;
use super::curves::{rate_drops, unfreezing};
use super::words::{NONE, count, markdown_row, plain, put, ratio};
use super::{ReportPicture, RunRecord, RunSummary};
use crate::metrics::{Figure, POOLED_OR_PER_IMAGE};

/// The report of one run as Markdown: summary, what was held out, scores by class and by epoch,
/// pictures, recipe and environment. It shows the `curves.svg` beside it. Names from files cannot become markup.
pub fn report_markdown(record: &RunRecord, pictures: &[ReportPicture]) -> String {
    let mut text = format!(
        "# {}\n\n{}\n\n",
        plain(&record.name()),
        plain(&record.lead())
    );
    if let Some(end) = record.end_words() {
        put!(&mut text, "{}\n\n", plain(&end));
    }
    push_summary(&mut text, record);
    push_list(&mut text, "Notes", &record.notes);
    if let Some(split) = &record.split {
        push_list(&mut text, "Held-out ground", &held_out(split));
    }
    push_classes(&mut text, record);
    push_confusion(&mut text, record);
    push_epochs(&mut text, record);
    push_pictures(&mut text, pictures);
    push_recipe(&mut text, record);
    text
}

fn push_summary(text: &mut String, record: &RunRecord) {
    let RunSummary { grounds, rows } = RunSummary::of(record);
    let names = grounds.iter().map(|on| on.words());
    text.push_str(&markdown_row([""].into_iter().chain(names)));
    put!(text, "|---|{}\n", "---:|".repeat(grounds.len()));
    for (figure, values) in &rows {
        let values = values.iter().map(|value| ratio(*value));
        let name = figure.definition().name.to_owned();
        text.push_str(&markdown_row([name].into_iter().chain(values)));
    }
    for warning in record.leak_warnings() {
        put!(text, "\n**{}.**\n", plain(&warning));
    }
    put!(text, "\n{}\n\n", record.caution());
    push_definitions(text, rows.iter().map(|(figure, _)| *figure));
    put!(text, "- {POOLED_OR_PER_IMAGE}.\n\n");
}

fn push_definitions(text: &mut String, figures: impl IntoIterator<Item = Figure>) {
    for figure in figures {
        let definition = figure.definition();
        put!(text, "- {}: {}\n", definition.name, definition.words());
    }
}

fn push_list(text: &mut String, title: &str, sentences: &[String]) {
    if sentences.is_empty() {
        return;
    }
    put!(text, "## {title}\n\n");
    for sentence in sentences {
        put!(text, "- {}\n", plain(sentence));
    }
    text.push('\n');
}

fn push_classes(text: &mut String, record: &RunRecord) {
    let classes = record.class_scores();
    if classes.is_empty() {
        return;
    }
    text.push_str("## Classes\n\n");
    let names = class_figures().map(|figure| figure.definition().name);
    text.push_str(&markdown_row(["Class"].into_iter().chain(names)));
    text.push_str("|---|---:|---:|---:|---:|---:|\n");
    for class in classes {
        text.push_str(&markdown_row([
            plain(&class.name),
            ratio(class.iou),
            ratio(class.precision),
            ratio(class.recall),
            ratio(class.f1),
            if class.support == 0 {
                NONE.to_owned()
            } else {
                count(class.support)
            },
        ]));
    }
    text.push('\n');
    push_definitions(text, class_figures());
    text.push('\n');
}

/// The columns of a table of classes.
pub(super) const fn class_figures() -> [Figure; 5] {
    [
        Figure::Iou,
        Figure::Precision,
        Figure::Recall,
        Figure::F1,
        Figure::Support,
    ]
}

/// Wider tables are no help; `confusion.csv` has all counts.
const MOST_COLUMNS: usize = 12;

fn push_confusion(text: &mut String, record: &RunRecord) {
    let Some(scores) = record.scores() else {
        return;
    };
    let counts = &scores.scores.confusion;
    if counts.is_empty() || counts.len() > MOST_COLUMNS {
        return;
    }
    text.push_str("## Confusion\n\nRows are the truth, columns the prediction, in pixels.\n\n");
    let names: Vec<String> = (0..counts.len())
        .map(|class| plain(&record.class_name(class as u8)))
        .collect();
    let header = std::iter::once("").chain(names.iter().map(String::as_str));
    text.push_str(&markdown_row(header));
    put!(text, "|---|{}\n", "---:|".repeat(names.len()));
    for (name, row) in names.iter().zip(counts) {
        let cells = row.iter().take(MOST_COLUMNS).map(|&pixels| count(pixels));
        text.push_str(&markdown_row(std::iter::once(name.clone()).chain(cells)));
    }
    text.push('\n');
}

/// A report lists no more epochs; `metrics.csv` has all.
const MOST_EPOCHS: usize = 200;

fn push_epochs(text: &mut String, record: &RunRecord) {
    if record.rows.is_empty() {
        return;
    }
    text.push_str("## Epochs\n\n![Loss, scores and learning rate](curves.svg)\n\n");
    let accuracy = match record.validation_baseline() {
        Some(baseline) => format!("Pixel accuracy (baseline {baseline:.3})"),
        None => "Pixel accuracy".to_owned(),
    };
    let header = [
        "Epoch",
        "Training loss",
        "Validation loss",
        "Mean IoU",
        &accuracy,
        "Rate",
        "",
    ];
    text.push_str(&markdown_row(header));
    text.push_str("|---:|---:|---:|---:|---:|---:|---|\n");
    let best = record.best_epoch();
    let drops = rate_drops(&record.rows);
    let unfreezing = unfreezing(record).map(|(epoch, _)| epoch);
    for row in record.rows.iter().take(MOST_EPOCHS) {
        let is_drop = drops.iter().any(|(epoch, _)| *epoch == row.epoch);
        let marks = [
            (Some(row.epoch) == best, "best"),
            (is_drop, "the rate falls"),
            (Some(row.epoch) == unfreezing, "the encoder learns"),
        ];
        let marks = marks
            .into_iter()
            .filter_map(|(is_it, word)| is_it.then_some(word));
        text.push_str(&markdown_row([
            row.epoch.to_string(),
            format!("{:.4}", row.train_loss),
            format!("{:.4}", row.val_loss),
            ratio(row.mean_iou),
            ratio(row.pixel_accuracy),
            format!("{:.2e}", row.lr),
            marks.collect::<Vec<_>>().join(", "),
        ]));
    }
    if record.rows.len() > MOST_EPOCHS {
        put!(
            text,
            "\nThe first {MOST_EPOCHS} of {} epochs.\n",
            record.rows.len()
        );
    }
    text.push('\n');
}

fn push_pictures(text: &mut String, pictures: &[ReportPicture]) {
    if pictures.is_empty() {
        return;
    }
    text.push_str("## Pictures\n\nOriginal, label, prediction and error from left to right.\n\n");
    for picture in pictures {
        put!(
            text,
            "{}\n\n![{0}]({})\n\n",
            plain(&picture.caption),
            picture.address()
        );
    }
}

fn push_recipe(text: &mut String, record: &RunRecord) {
    if let Some(recipe) = &record.recipe_text {
        put!(text, "## Recipe\n\n{}\n", indented(recipe));
    }
    if let Some(environment) = &record.environment {
        text.push_str("## Environment\n\n");
        for (name, value) in environment.lines() {
            put!(text, "- {name}: {}\n", plain(&value));
        }
    }
}

/// A block of code that no text can close.
fn indented(code: &str) -> String {
    let mut text = String::new();
    for line in code.lines() {
        put!(&mut text, "    {line}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::test_run::{hostile_run, plain_run};
    use super::*;

    #[test]
    fn a_report_says_the_numbers_and_the_baseline() {
        let run = plain_run();
        let text = report_markdown(&run.record(), &[]);
        for part in [
            "| Mean IoU | 0.500 |",
            "| Pixel accuracy | 0.600 |",
            "| Majority baseline | 0.600 |",
            "selected on it",
            "| road | 0.333 | 0.500 | 0.500 | 0.500 | 2 |",
            "## Recipe\n\n    seed = ",
            "Held out: 2 whole files",
            "| 2 | 0.4000 | 0.5000 | 0.500 | 0.600 | 1.00e-3 | best |",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }

    #[test]
    fn names_do_not_become_markup() {
        let text = report_markdown(&hostile_run().record(), &[]);
        assert!(!text.contains("<script>"), "{text}");
        assert!(text.contains("\\<script\\>"), "{text}");
    }
}
