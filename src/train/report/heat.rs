use super::words::{count, escaped, put};

/// Wider tables cannot be read; `confusion.csv` has all counts.
const MOST_CLASSES: usize = 40;

/// A confusion matrix as a table of shares of each true class, the darker the more. Rows are the
/// truth, columns the prediction. `support` has the true pixels of each class; where some were not
/// predicted, the shares of a row add up to less than all.
pub(super) fn heat_table(counts: &[Vec<u64>], support: &[u64], names: &[String]) -> String {
    let shown: Vec<usize> = (0..counts.len())
        .filter(|&class| is_used(counts, support, class))
        .collect();
    if shown.is_empty() {
        return "<p class=\"quiet\">No pixel was scored.</p>\n".to_owned();
    }
    if shown.len() > MOST_CLASSES {
        return format!(
            "<p class=\"quiet\">{} classes are too many for a table; see confusion.csv.</p>\n",
            shown.len()
        );
    }
    let name = |class: usize| {
        names
            .get(class)
            .map_or_else(|| class.to_string(), |name| escaped(name))
    };
    let mut html = String::from(
        "<div class=\"wide\"><table class=\"heat\">\n<tr><th class=\"corner\">truth ↓ prediction →</th>",
    );
    for &class in &shown {
        put!(
            &mut html,
            "<th class=\"col\" title=\"{0}\">{0}</th>",
            name(class)
        );
    }
    html.push_str("<th class=\"col\">true pixels</th></tr>\n");
    for &truth in &shown {
        let total = support.get(truth).copied().unwrap_or(0);
        put!(
            &mut html,
            "<tr><th class=\"row\" title=\"{0}\">{0}</th>",
            name(truth)
        );
        for &predicted in &shown {
            let pixels = at(counts, truth, predicted);
            push_cell(&mut html, pixels, total, [&name(truth), &name(predicted)]);
        }
        put!(&mut html, "<td class=\"sum\">{}</td></tr>\n", count(total));
    }
    html.push_str("</table></div>\n");
    html
}

fn push_cell(html: &mut String, pixels: u64, total: u64, [truth, predicted]: [&str; 2]) {
    if total == 0 {
        html.push_str("<td class=\"cell\" style=\"--v:0\">–</td>");
        return;
    }
    let share = (pixels as f64 / total as f64).min(1.0);
    let text = match share {
        _ if pixels == 0 => "·".to_owned(),
        ..0.001 => "&lt; 0.1".to_owned(),
        _ => format!("{:.1}", 100.0 * share),
    };
    put!(
        html,
        "<td class=\"cell\" style=\"--v:{share:.3}\" title=\"{truth} predicted as \
         {predicted}: {} pixels\">{text}</td>",
        count(pixels)
    );
}

/// Counts come from a file, whose rows may be of any length.
fn at(counts: &[Vec<u64>], truth: usize, predicted: usize) -> u64 {
    let row = counts.get(truth);
    row.and_then(|row| row.get(predicted)).copied().unwrap_or(0)
}

fn is_used(counts: &[Vec<u64>], support: &[u64], class: usize) -> bool {
    support.get(class).is_some_and(|&pixels| pixels > 0)
        || counts
            .iter()
            .any(|row| row.get(class).is_some_and(|&pixels| pixels > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_true_class() {
        let names = ["a".to_owned(), "<b>".to_owned(), "never".to_owned()];
        let counts = vec![vec![3, 1, 0], vec![0, 0, 0], vec![0, 0, 0]];
        let html = heat_table(&counts, &[4, 0, 0], &names);
        assert!(html.contains("style=\"--v:0.750\" title=\"a predicted as a: 3 pixels\">75.0<"));
        assert!(html.contains("a predicted as &lt;b&gt;: 1 pixels\">25.0<"));
        assert!(!html.contains("never") && !html.contains("<b>"));
        assert_eq!(html.matches(">–<").count(), 2);
    }

    #[test]
    fn ragged_and_empty_counts_are_no_panic() {
        assert!(heat_table(&[], &[], &[]).contains("No pixel"));
        let html = heat_table(&[vec![1], vec![]], &[u64::MAX, 1], &[]);
        assert!(html.contains("&lt; 0.1"), "{html}");
        let many: Vec<Vec<u64>> = (0..50).map(|_| vec![1; 50]).collect();
        assert!(heat_table(&many, &[], &[]).contains("50 classes"));
    }
}
