use super::html::{page, push_curves, push_pictures};
use super::words::{escaped, put};
use super::{FinalTable, RunRecord};

/// Runs beyond these are in the table alone, so that the page can be opened.
const MOST_SHOWN: usize = 24;

/// The table of several runs with the curves and the pictures of each, as one page that needs no
/// other file.
pub fn comparison_html(table: &FinalTable, runs: &[RunRecord]) -> String {
    let mut body = table.html_body();
    for record in runs.iter().take(MOST_SHOWN) {
        put!(
            &mut body,
            "<header><h1>{}</h1>\n<p class=\"lead\">{}</p></header>\n",
            escaped(&record.name()),
            escaped(&record.lead())
        );
        push_curves(&mut body, record);
        push_pictures(&mut body, record, &record.best_pictures());
    }
    page("Runs compared", &body)
}

#[cfg(test)]
mod tests {
    use super::super::test_run::{hostile_run, plain_run};
    use super::*;

    #[test]
    fn a_page_has_the_table_and_each_run() {
        let records = [plain_run().record(), hostile_run().record()];
        let page = comparison_html(&FinalTable::of(&records), &records);
        assert!(page.starts_with("<!DOCTYPE html>"));
        assert!(page.contains("class=\"full runs\""));
        assert_eq!(page.matches("<h1>").count(), 3);
        assert!(!page.contains("<script"), "names from files are no markup");
    }
}
