use std::error::Error;
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::Path;

use super::{ExchangeError, write_registry_csv, write_registry_geojson};
use crate::disk::replace_with;
use crate::geom::Georef;
use crate::label::{ClassTable, StepRecord, VisitStep};

/// What a registry of changes says besides the steps.
#[derive(Clone, Copy, Debug)]
pub struct RegistryFrame<'a> {
    /// Names of the classes.
    pub classes: &'a ClassTable,
    /// Where the image lies on the map.
    pub georef: Option<&'a Georef>,
}

/// The text before the first step and after the last one.
pub(super) struct Ends {
    pub(super) head: String,
    pub(super) foot: &'static str,
}

/// Writes what was changed when, as the file's ending says: `.csv`, `.geojson` or `.json`; the number
/// of steps.
///
/// # Errors
/// As [`write_registry_csv`]; [`ExchangeError::Malformed`] for another ending.
pub fn write_registry<E: Into<Box<dyn Error + Send + Sync>>>(
    path: &Path,
    frame: RegistryFrame<'_>,
    steps: impl FnOnce(&mut VisitStep<'_>) -> Result<(), E>,
) -> Result<u64, ExchangeError> {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    match ending.to_lowercase().as_str() {
        "csv" => write_registry_csv(path, frame, steps),
        "geojson" | "json" => write_registry_geojson(path, frame, steps),
        _ => Err(ExchangeError::Ending {
            endings: ".csv or .geojson",
            path: path.to_owned(),
        }),
    }
}

/// Writes a line for each step that `steps` hands over, one at a time; their number. `add` appends the step's line, which is its number's, counted from 0.
pub(super) fn write_steps<E: Into<Box<dyn Error + Send + Sync>>>(
    path: &Path,
    ends: Ends,
    steps: impl FnOnce(&mut VisitStep<'_>) -> Result<(), E>,
    mut add: impl FnMut(u64, &StepRecord, &mut String) -> io::Result<()>,
) -> Result<u64, ExchangeError> {
    let (mut failed, mut count) = (None, 0);
    let written = replace_with(path, |file| {
        let (mut text, mut outcome) = (ends.head, Ok(()));
        let came = steps(&mut |step| {
            if outcome.is_ok() {
                outcome =
                    add(count, &step, &mut text).and_then(|()| file.write_all(text.as_bytes()));
                text.clear();
                count += 1;
            }
            match outcome {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
        outcome?;
        if let Err(error) = came {
            failed = Some(error.into());
            return Err(io::Error::other("the steps did not come"));
        }
        text.push_str(ends.foot);
        file.write_all(text.as_bytes())
    });
    if let Some(source) = failed {
        return Err(ExchangeError::Steps { source });
    }
    written?;
    Ok(count)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::geom::PixelRect;
    use crate::label::{Class, ClassChange, EditKind, StateMark, StepState};

    pub(in crate::exchange) fn classes() -> ClassTable {
        let classes = vec![
            Class::new(1, "field, bare", [0; 3]),
            Class::new(2, "road \"A\"", [1; 3]),
        ];
        ClassTable::new(None, classes).expect("valid")
    }

    /// A brush stroke over two classes, and one that was undone.
    pub(in crate::exchange) fn two_steps() -> [StepRecord; 2] {
        let change = |from, to, pixels| ClassChange { from, to, pixels };
        let step = StepRecord {
            mark: StateMark::from_number(4),
            time_ms: 1_700_000_000_123,
            kind: EditKind::Brush,
            state: StepState::Done,
            changes: vec![change(1, 2, 20), change(255, 2, 4)],
            bounds: PixelRect::new(4, 8, 12, 2),
        };
        let undone = StepRecord {
            mark: StateMark::from_number(6),
            kind: EditKind::Erase,
            state: StepState::Undone,
            changes: vec![change(2, 255, 1)],
            bounds: PixelRect::new(4, 8, 1, 1),
            ..step.clone()
        };
        [step, undone]
    }

    /// Hands over both.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the signature of a visit that may fail"
    )]
    pub(in crate::exchange) fn both(visit: &mut VisitStep<'_>) -> Result<(), io::Error> {
        for step in two_steps() {
            if visit(step).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn write(
        path: &Path,
        steps: impl FnOnce(&mut VisitStep<'_>) -> io::Result<()>,
        fail_at: u64,
    ) -> Result<u64, ExchangeError> {
        let ends = Ends {
            head: "<".to_owned(),
            foot: ">",
        };
        write_steps(path, ends, steps, |count, step, text| {
            text.push_str(&step.mark.number().to_string());
            if count == fail_at {
                Err(io::Error::other("no such line"))
            } else {
                Ok(())
            }
        })
    }

    #[test]
    fn the_old_file_stays_when_steps_or_lines_fail() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        assert_eq!(write(&path, both, 9).expect("written"), 2);
        let text = || std::fs::read_to_string(&path).expect("there");
        assert_eq!(text(), "<46>");
        let mut seen = 0;
        let error = write(
            &path,
            |visit| {
                // One that does not listen.
                seen = two_steps()
                    .map(|step| visit(step).is_break())
                    .iter()
                    .filter(|is| **is)
                    .count();
                Ok(())
            },
            0,
        );
        assert!(
            error
                .expect_err("a bad line")
                .to_string()
                .contains("no such line")
        );
        assert_eq!((seen, text()), (2, "<46>".to_owned()));
        let damaged = |visit: &mut VisitStep<'_>| {
            both(visit)?;
            Err(io::Error::other("the edit 7 was changed"))
        };
        let error = write(&path, damaged, 9).expect_err("damaged").to_string();
        assert!(error.contains("the edit 7 was changed"), "{error}");
        assert_eq!(text(), "<46>");
    }
}
