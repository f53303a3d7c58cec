use super::FinalTable;
use super::csv::csv_line;
use super::final_table::FinalRow;
use super::html::{page, push_notes};
use super::words::{
    NONE, count, difference, duration, escaped, exact, markdown_row, plain, put, ratio,
};

/// The columns before the figures and the classes.
const COLUMNS: [&str; 9] = [
    "Run",
    "Network",
    "Weights",
    "Training time",
    "Best epoch",
    "Scored on",
    "Majority baseline",
    "Pixel accuracy",
    "Mean IoU",
];

impl FinalTable {
    /// The table as Markdown; differences to the pinned run stand in parentheses.
    pub fn to_markdown(&self) -> String {
        let classes = self
            .classes
            .iter()
            .map(|name| plain(&format!("IoU {name}")));
        let figures = self.figures.iter();
        let figures = figures.map(|figure| figure.definition().symbol);
        let columns = COLUMNS.into_iter().chain(figures).map(str::to_owned);
        let header = columns.chain(classes);
        let mut text = markdown_row(header);
        put!(
            &mut text,
            "|---|---|---:|---:|---:|---|{}\n",
            "---:|".repeat(3 + self.figures.len() + self.classes.len())
        );
        for (place, row) in self.rows.iter().enumerate() {
            let mut cells = facts(row).map(|fact| plain(&fact)).to_vec();
            if self.pinned == Some(place) {
                cells[0].push_str(" (baseline)");
            }
            for (score, difference) in self.compared(place) {
                cells.push(match difference {
                    Some(difference) => format!("{} ({difference})", ratio(score)),
                    None => ratio(score),
                });
            }
            text.push_str(&markdown_row(cells));
        }
        for note in self.warnings() {
            put!(&mut text, "\n{}.\n", plain(&note));
        }
        text
    }

    /// The table for programs: numbers in full, nothing for what does not exist, and a column
    /// `…_difference` behind each score when a run is pinned; the last says what leaks.
    pub fn to_csv(&self) -> String {
        let names = ["pixel_accuracy", "mean_iou"].map(str::to_owned);
        let figures = self.figures.iter();
        let figures = figures.map(|figure| figure.definition().key.to_owned());
        let classes = self.classes.iter().map(|name| format!("iou_{name}"));
        let mut header: Vec<String> = [
            "run",
            "network",
            "weights",
            "seconds",
            "best_epoch",
            "scored_on",
            "majority_baseline",
        ]
        .map(str::to_owned)
        .to_vec();
        for name in names.into_iter().chain(figures).chain(classes) {
            let difference = self.pinned.map(|_| format!("{name}_difference"));
            header.push(name);
            header.extend(difference);
        }
        header.push("leaks".to_owned());
        let mut text = csv_line(header);
        for (place, row) in self.rows.iter().enumerate() {
            text.push_str(&csv_line(self.csv_cells(place, row)));
        }
        text
    }

    fn csv_cells(&self, place: usize, row: &FinalRow) -> Vec<String> {
        let mut cells = vec![
            row.name.clone(),
            row.network.clone().unwrap_or_default(),
            row.num_weights
                .map_or_else(String::new, |weights| weights.to_string()),
            row.seconds
                .map_or_else(String::new, |seconds| format!("{seconds:.1}")),
            row.best_epoch
                .map_or_else(String::new, |epoch| epoch.to_string()),
            row.on.words().to_owned(),
            exact(row.majority_baseline),
        ];
        let baseline = self.baseline_of(place).map(FinalRow::scores);
        for (at, score) in row.scores().into_iter().enumerate() {
            cells.push(exact(score));
            if self.pinned.is_some() {
                let than = baseline.as_ref().and_then(|scores| scores[at]);
                cells.push(exact(score.zip(than).map(|(score, than)| score - than)));
            }
        }
        cells.push(row.leaks.clone().unwrap_or_default());
        cells
    }

    /// The table as a page of its own, in the look of the reports.
    pub fn to_html(&self) -> String {
        page("Runs compared", &self.html_body())
    }

    /// What the page holds.
    pub(super) fn html_body(&self) -> String {
        let mut body = String::from("<header><h1>Runs compared</h1></header>\n");
        push_notes(&mut body, &self.warnings());
        body.push_str("<div class=\"wide\"><table class=\"full runs\">\n<tr>");
        for (at, name) in COLUMNS.iter().enumerate() {
            let class = if is_text(at) { " class=\"name\"" } else { "" };
            put!(&mut body, "<th{class}>{name}</th>");
        }
        for figure in &self.figures {
            let definition = figure.definition();
            let help = escaped(&definition.words());
            put!(&mut body, "<th title=\"{help}\">{}</th>", definition.symbol);
        }
        for name in &self.classes {
            put!(&mut body, "<th>{}</th>", escaped(name));
        }
        body.push_str("</tr>\n");
        for (place, row) in self.rows.iter().enumerate() {
            self.push_html_row(&mut body, place, row);
        }
        body.push_str("</table></div>\n");
        body
    }

    fn push_html_row(&self, body: &mut String, place: usize, row: &FinalRow) {
        let is_pinned = self.pinned == Some(place);
        body.push_str(if is_pinned {
            "<tr class=\"pinned\">"
        } else {
            "<tr>"
        });
        for (at, fact) in facts(row).iter().enumerate() {
            let class = if is_text(at) { " class=\"name\"" } else { "" };
            put!(body, "<td{class}>{}</td>", escaped(fact));
        }
        for (score, difference) in self.compared(place) {
            let below = difference.map_or_else(String::new, |difference| {
                let side = match difference.chars().next() {
                    Some('+') => " up",
                    Some('−') => " down",
                    _ => "",
                };
                format!("<span class=\"delta{side}\">{difference}</span>")
            });
            put!(body, "<td>{}{below}</td>", ratio(score));
        }
        body.push_str("</tr>\n");
    }

    /// The scores of a row with their differences to the pinned one.
    pub fn compared(&self, place: usize) -> Vec<(Option<f64>, Option<String>)> {
        let scores = self.rows[place].scores();
        let than = self.baseline_of(place).map(FinalRow::scores);
        let than = than.unwrap_or_else(|| vec![None; scores.len()]);
        let pairs = scores.into_iter().zip(than);
        pairs
            .map(|(score, than)| (score, difference(score, than)))
            .collect()
    }
}

/// Whether the column at this place is read and not compared.
const fn is_text(column: usize) -> bool {
    matches!(column, 0 | 1 | 5)
}

/// The cells before the scores.
fn facts(row: &FinalRow) -> [String; 7] {
    let none = || NONE.to_owned();
    [
        row.name.clone(),
        row.network.clone().unwrap_or_else(none),
        row.num_weights.map_or_else(none, count),
        row.seconds.map_or_else(none, duration),
        row.best_epoch.map_or_else(none, |epoch| epoch.to_string()),
        row.scored_on(),
        ratio(row.majority_baseline),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::ScoredOn;
    use super::*;

    fn table() -> FinalTable {
        let row = |name: &str, mean_iou: Option<f64>, road: Option<f64>| FinalRow {
            name: name.to_owned(),
            network: Some("unet, plain".to_owned()),
            num_weights: Some(1_234_567),
            seconds: Some(125.0),
            best_epoch: Some(9),
            on: ScoredOn::Test,
            leaks: None,
            pixel_accuracy: Some(0.75),
            majority_baseline: Some(0.5),
            mean_iou,
            ranked: Vec::new(),
            per_class_iou: vec![road],
        };
        FinalTable {
            classes: vec!["road, <paved>".to_owned()],
            figures: Vec::new(),
            rows: vec![
                row("a", Some(0.5), Some(0.25)),
                row("b|c", Some(0.625), None),
            ],
            pinned: None,
            notes: Vec::new(),
        }
    }

    #[test]
    fn differences_are_to_the_pinned_run() {
        let text = table().pinned_to(0).to_markdown();
        let expected = "| b\\|c | unet, plain | 1\u{202f}234\u{202f}567 | 2 min 05 s | 9 | test | \
                        0.500 | 0.750 (±0.000) | 0.625 (+0.125) | – |\n";
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("| a (baseline) |") && text.contains("| IoU road, \\<paved\\> |"));
        assert!(!table().to_markdown().contains('+'));
    }

    #[test]
    fn programs_get_numbers_in_full() {
        assert_eq!(
            table().pinned_to(1).to_csv(),
            "run,network,weights,seconds,best_epoch,scored_on,majority_baseline,pixel_accuracy,\
             pixel_accuracy_difference,mean_iou,mean_iou_difference,\"iou_road, <paved>\",\
             \"iou_road, <paved>_difference\",leaks\n\
             a,\"unet, plain\",1234567,125.0,9,test,0.500000,0.750000,0.000000,0.500000,-0.125000,\
             0.250000,,\n\
             b|c,\"unet, plain\",1234567,125.0,9,test,0.500000,0.750000,,0.625000,,,,\n"
        );
        assert!(!table().to_csv().contains("difference"));
    }

    #[test]
    fn a_page_of_runs_is_escaped() {
        let html = table().pinned_to(0).to_html();
        assert!(html.contains("<th>road, &lt;paved&gt;</th>") && !html.contains("<paved>"));
        assert!(html.contains("<td>0.625<span class=\"delta up\">+0.125</span></td>"));
    }
}
