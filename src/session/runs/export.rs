use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::jobs::Report;
use super::super::state::Session;
use super::super::{CommandError, Notice};
use crate::disk::{replace_file, replace_with};
use crate::raster::RgbaTile;
use crate::train::{FinalTable, RunRecord, comparison_html, report_html, report_markdown};

/// What a table of runs can be written as.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Csv,
    Markdown,
    Html,
}

impl Form {
    fn of(path: &Path) -> Result<Self, CommandError> {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        match ending.to_str() {
            Some("csv") => Ok(Self::Csv),
            Some("md") => Ok(Self::Markdown),
            Some("html" | "htm") => Ok(Self::Html),
            _ => Err(CommandError::Refused(format!(
                "The ending must say the form: .csv, .md, .html, or .png for the curves: {}",
                path.display()
            ))),
        }
    }

    /// One run has a report with pictures; several have a table.
    fn text(self, records: &[RunRecord], pinned: Option<&Path>) -> String {
        let table = || {
            let place = |run: &Path| records.iter().position(|record| record.folder == run);
            let table = FinalTable::of(records);
            match pinned.and_then(place) {
                Some(place) => table.pinned_to(place),
                None => table,
            }
        };
        match (self, records) {
            (Self::Csv, _) => table().to_csv(),
            (Self::Markdown, [one]) => report_markdown(one, &one.best_pictures()),
            (Self::Markdown, _) => table().to_markdown(),
            (Self::Html, [one]) => report_html(one, &one.best_pictures()),
            (Self::Html, _) => comparison_html(&table(), records),
        }
    }
}

impl Session {
    pub(super) fn export_runs(
        &mut self,
        runs: &[PathBuf],
        pinned: Option<&Path>,
        to: PathBuf,
    ) -> Result<(), CommandError> {
        let form = Form::of(&to)?;
        let records = runs.iter().filter_map(|run| self.study.runs.entry(run));
        let records: Vec<RunRecord> = records.map(|entry| (*entry.record).clone()).collect();
        if records.is_empty() {
            let why = "No run is chosen. Tick runs in the list and try again";
            return Err(CommandError::Refused(why.to_owned()));
        }
        let pinned = pinned.map(Path::to_owned);
        self.start_job("Writing the table of runs", move |job| {
            replace_file(&to, form.text(&records, pinned.as_deref()).as_bytes())?;
            job.tell(Report::Note(saved(&to)))?;
            Ok(())
        });
        Ok(())
    }

    pub(super) fn save_picture(&mut self, picture: Arc<RgbaTile>, to: PathBuf) {
        self.start_job("Writing the picture", move |job| {
            replace_with(&to, |file| encoded(file, &picture))?;
            job.tell(Report::Note(saved(&to)))?;
            Ok(())
        });
    }
}

fn encoded(file: impl std::io::Write, picture: &RgbaTile) -> std::io::Result<()> {
    let mut encoder = png::Encoder::new(file, picture.size.width, picture.size.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.pixels)?;
    Ok(writer.finish()?)
}

fn saved(to: &Path) -> Notice {
    Notice::info(format!("The runs were written to {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_the_form() {
        let form = |name: &str| Form::of(Path::new(name)).ok();
        assert_eq!(form("a/b.csv"), Some(Form::Csv));
        assert_eq!(form("b.HTML"), Some(Form::Html));
        assert_eq!(form("runs.md"), Some(Form::Markdown));
        assert_eq!((form("runs"), form("runs.xlsx")), (None, None));
    }
}
