use std::fmt::Write as _;

use super::inspection::{DepthCount, Inspection};
use super::problem::{Problem, Severity};
use crate::label::{grouped, subject_of};

/// Why writing cannot fail.
const FITS: &str = "a string takes any text";

/// Most lines of a table.
const MOST_LINES: usize = 40;
/// Most files of a problem that are named.
const MOST_FILES: usize = 8;

impl Inspection {
    /// The report as plain text: short tables with aligned columns, problems with their files. That
    /// there are none is for the caller to say, who knows what else was looked for.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.folder.display(), self.layout);
        if self.is_cancelled {
            text.push_str("Stopped before all was read; the numbers are of what was.\n");
        }
        if self.num_looked < self.num_samples {
            let [looked, all] = [self.num_looked, self.num_samples].map(|n| grouped(n as u64));
            writeln!(text, "Read {looked} of {all} samples.").expect(FITS);
        }
        self.add_images(&mut text);
        self.add_classes(&mut text);
        for note in &self.notes {
            writeln!(text, "Note: {note}.").expect(FITS);
        }
        if !self.problems.is_empty() {
            text.push_str("\nProblems, the worst first\n");
        }
        for problem in &self.problems {
            add_problem(&mut text, problem);
        }
        text
    }

    fn add_images(&self, text: &mut String) {
        let row = |name: &str, images: usize, masks: String| {
            vec![name.to_owned(), grouped(images as u64), masks]
        };
        let head = ["Part", "Images", "Masks"];
        let parts = self.parts.iter();
        let rows = parts.map(|part| {
            row(
                part.part.unwrap_or("none"),
                part.images,
                grouped(part.masks as u64),
            )
        });
        add_table(text, &head, rows.collect());
        let sizes = self.sizes.iter().map(|size| {
            let extent = format!("{} × {}", size.width, size.height);
            vec![extent, grouped(size.images as u64)]
        });
        add_table(text, &["Size", "Images"], sizes.collect());
        let sizes = self.pixel_sizes.iter();
        let sizes = sizes.map(|size| vec![size.words(), grouped(size.images as u64)]);
        add_table(text, &["Pixel size", "Images"], sizes.collect());
        let line = |name: &str, depths: &[DepthCount]| {
            let depths = depths
                .iter()
                .map(|depth| (grouped(depth.files as u64), depth.bands, depth.sample))
                .map(|(files, bands, sample)| format!("{files} of {bands} × {sample}"));
            (name.to_owned(), depths.collect::<Vec<_>>().join(", "))
        };
        let depths = [
            line("Images", &self.image_depths),
            line("Masks", &self.mask_depths),
        ];
        let depths = depths.into_iter().filter(|(_, depths)| !depths.is_empty());
        let depths = depths.map(|(name, depths)| vec![name, depths]);
        add_table(text, &["Stored", "As"], depths.collect());
        let rows = self.channels.iter().map(|channel| {
            let [mean, deviation] = channel.words();
            let images = grouped(channel.images as u64);
            vec![channel.name.clone(), mean, deviation, images]
        });
        let head = ["Channel", "Mean", "Deviation", "Images"];
        add_table(text, &head, rows.collect());
        if self.nodata_share > 0.0 {
            let share = percent(self.nodata_share);
            writeln!(text, "\n{share} of the ground is transparent or missing.").expect(FITS);
        }
    }

    fn add_classes(&self, text: &mut String) {
        let rows = self.classes.iter().map(|class| {
            vec![
                class.name.clone(),
                class.index.to_string(),
                percent(class.share),
                grouped(class.images as u64),
            ]
        });
        add_table(text, &["Class", "Index", "Pixels", "Masks"], rows.collect());
        if let Some(majority) = &self.majority {
            let share = percent(majority.share);
            let name = &majority.name;
            writeln!(
                text,
                "\nAnswering “{name}” everywhere is right on {share} of the labeled pixels."
            )
            .expect(FITS);
        }
        if self.unlabeled_pixels > 0 {
            let pixels = subject_of(self.unlabeled_pixels as usize, "pixel", "is", "are");
            writeln!(text, "{pixels} unlabeled.").expect(FITS);
        }
    }
}

impl Problem {
    /// The problem with some of its files, a line each.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        add_problem(&mut text, self);
        text
    }
}

fn add_problem(text: &mut String, problem: &Problem) {
    let severity = match problem.severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
        Severity::Info => "Info",
    };
    writeln!(text, "  {severity:<8}{}.", problem.sentence).expect(FITS);
    for path in problem.examples.iter().take(MOST_FILES) {
        writeln!(text, "          {}", path.display()).expect(FITS);
    }
    let more = problem.count.max(problem.examples.len());
    let more = more.saturating_sub(MOST_FILES);
    if more > 0 && !problem.examples.is_empty() {
        let more = grouped(more as u64);
        let named = problem.examples.len();
        let named = if problem.count > named {
            grouped(named as u64)
        } else {
            "them".to_owned()
        };
        writeln!(text, "          and {more} more; --json names {named}").expect(FITS);
    }
}

/// Adds a table whose first column is aligned to the left and the others to the right, when it has
/// lines.
fn add_table(text: &mut String, head: &[&str], mut rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let more = rows.len().saturating_sub(MOST_LINES);
    rows.truncate(MOST_LINES);
    rows.insert(0, head.iter().map(|&word| word.to_owned()).collect());
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    text.push('\n');
    for row in &rows {
        let mut line = String::new();
        for (column, (field, &width)) in row.iter().zip(&widths).enumerate() {
            let written = if column == 0 {
                write!(line, "{field:<width$}")
            } else {
                write!(line, "  {field:>width$}")
            };
            written.expect(FITS);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if more > 0 {
        writeln!(text, "and {more} more").expect(FITS);
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::super::problem::ProblemKind;
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut text = String::new();
        let rows = [["Building", "4.25 %"], ["Way", "95.75 %"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        add_table(&mut text, &["Class", "Pixels"], rows.to_vec());
        let expected = "\nClass      Pixels\nBuilding   4.25 %\nWay       95.75 %\n";
        assert_eq!(text, expected);
        add_table(&mut text, &["Class"], Vec::new());
        assert_eq!(text, expected);
    }

    #[test]
    fn some_files_of_a_problem_are_named() {
        let told = |count: usize| {
            let files = (0..count).map(|n| format!("{n}.png").into());
            let kind = ProblemKind::Unreadable;
            let problem = Problem::of(kind, count, files, "Why".to_owned()).expect("a problem");
            (problem.examples.len(), problem.to_text())
        };
        let (named, text) = told(12);
        assert_eq!((named, text.lines().count()), (12, 10));
        assert!(text.ends_with(" and 4 more; --json names them\n"), "{text}");
        assert_eq!(told(8).1.lines().count(), 9);
        let (named, text) = told(10_001);
        assert_eq!(named, 10_000);
        let end = format!("; --json names {}\n", grouped(10_000));
        assert!(text.ends_with(&end), "{text}");
    }
}
