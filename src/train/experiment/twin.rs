use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::train::report::{NONE, Records, csv_text, markdown_row, plain};

/// No such table is larger.
const MOST_BYTES: u64 = 1 << 20;
/// Nor has it more lines that are shown.
const MOST_LINES: usize = 64;
/// The columns that are known, and what the page calls them.
const COLUMNS: [(&str, &str); 10] = [
    ("fold", "Fold"),
    ("epochs", "Epochs"),
    ("best_epoch", "Best epoch"),
    ("seconds", "Seconds"),
    ("val_loss", "Validation loss"),
    ("majority", "Majority baseline"),
    ("accuracy", "Pixel accuracy"),
    ("mean_iou", "Mean IoU"),
    ("iou_salt", "IoU salt"),
    ("map", "Competition's score"),
];

/// The table in the CSV file `path` as Markdown, with the means over its lines below; `None` when
/// there is none.
pub(super) fn twin_table(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    let text = csv_text(&bytes);
    let mut lines = Records::new(&text);
    let header = lines.next()?;
    let places: Vec<(usize, &str)> = COLUMNS
        .iter()
        .filter_map(|(name, title)| {
            let place = header.iter().position(|field| field.trim() == *name)?;
            Some((place, *title))
        })
        .collect();
    let rows: Vec<Vec<String>> = lines.take(MOST_LINES).collect();
    if places.is_empty() || rows.is_empty() {
        return None;
    }
    let mut table = markdown_row(places.iter().map(|(_, title)| *title));
    table.push('|');
    table.push_str(&"---:|".repeat(places.len()));
    table.push('\n');
    let field = |row: &[String], place: usize| row.get(place).cloned().unwrap_or_default();
    for row in &rows {
        let cells = places.iter().map(|&(place, _)| shown(&field(row, place)));
        table.push_str(&markdown_row(cells));
    }
    let mean = |&(place, title): &(usize, &str)| {
        let numbers = rows
            .iter()
            .map(|row| field(row, place).trim().parse::<f64>());
        match numbers.collect::<Result<Vec<f64>, _>>() {
            Ok(numbers) if title != "Fold" => {
                format!("{:.3}", numbers.iter().sum::<f64>() / numbers.len() as f64)
            }
            _ if title == "Fold" => "mean".to_owned(),
            _ => NONE.to_owned(),
        }
    };
    table.push_str(&markdown_row(places.iter().map(mean)));
    Some(table)
}

/// Numbers with three digits, and whatever else is there as it is.
fn shown(field: &str) -> String {
    match field.trim().parse::<f64>() {
        Ok(number) if number.fract() != 0.0 => format!("{number:.3}"),
        _ => plain(field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_columns_are_shown_with_their_means() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("twin.csv");
        assert_eq!(twin_table(&path), None);
        let text = b"fold,odd,accuracy,map\n0,x,0.5,0.25\n1,y,0.75,<b>\n";
        crate::disk::replace_file(&path, text).expect("written");
        assert_eq!(
            twin_table(&path).as_deref(),
            Some(
                "| Fold | Pixel accuracy | Competition's score |\n|---:|---:|---:|\n\
                 | 0 | 0.500 | 0.250 |\n| 1 | 0.750 | \\<b\\> |\n| mean | 0.625 | – |\n"
            )
        );
    }
}
