use std::error::Error;
use std::io;
use std::path::Path;

use super::geojson_write::push_number;
use super::pixel_ground::pixel_area;
use super::records::quoted;
use super::registry::{Ends, write_steps};
use super::{ExchangeError, RegistryFrame};
use crate::disk::utc;
use crate::geom::ImagePoint;
use crate::label::{ClassChange, StepRecord, VisitStep};

const HEAD: &str =
    "number,time,tool,state,from,from_name,to,to_name,pixels,area_m2,x,y,width,height\n";

/// Writes the steps of a label's history as CSV (RFC 4180, UTF-8), whole or not at all; their
/// number.
///
/// A step has one line for each pair of classes that pixels went `from` and `to`: its `number`,
/// the `time` in UTC as in ISO 8601, the `tool`, the `state` (`done` or `undone`), indices and
/// names of the classes, the number of `pixels`, `area_m2` on the same terms as
/// [`write_geojson`](super::write_geojson) and otherwise nothing, and the rectangle around all
/// that the step changed, in level-0 pixels. Steps are read and written one at a time.
///
/// # Errors
/// [`ExchangeError::Steps`] when `steps` fails, [`ExchangeError::Write`] when the disk refuses; the
/// old file is then untouched.
pub fn write_registry_csv<E: Into<Box<dyn Error + Send + Sync>>>(
    path: &Path,
    frame: RegistryFrame<'_>,
    steps: impl FnOnce(&mut VisitStep<'_>) -> Result<(), E>,
) -> Result<u64, ExchangeError> {
    let names: Vec<String> = (0..=u8::MAX)
        .map(|index| quoted(&frame.classes.name_of(index)))
        .collect();
    let ends = Ends {
        head: HEAD.to_owned(),
        foot: "",
    };
    // Found out once, where the first step is.
    let mut area = None;
    write_steps(path, ends, steps, |_, step, text| {
        let pixel_area = *area.get_or_insert_with(|| {
            let bounds = step.bounds;
            pixel_area(
                frame.georef,
                ImagePoint::new(f64::from(bounds.x), f64::from(bounds.y)),
            )
        });
        for change in &step.changes {
            add_line(step, *change, &names, pixel_area, text)?;
        }
        Ok(())
    })
}

fn add_line(
    step: &StepRecord,
    ClassChange { from, to, pixels }: ClassChange,
    names: &[String],
    pixel_area: Option<f64>,
    text: &mut String,
) -> io::Result<()> {
    let [from_name, to_name] = [from, to].map(|class| names[usize::from(class)].clone());
    let fields = [
        step.mark.number().to_string(),
        utc(step.time_ms),
        quoted(step.kind.label()),
        step.state.word().to_owned(),
        from.to_string(),
        from_name,
        to.to_string(),
        to_name,
        pixels.to_string(),
        String::new(),
    ];
    text.push_str(&fields.join(","));
    if let Some(pixel_area) = pixel_area {
        push_number(text, pixels as f64 * pixel_area, 3)?;
    }
    let bounds = step.bounds;
    for number in [bounds.x, bounds.y, bounds.width, bounds.height] {
        text.extend([",", &number.to_string()]);
    }
    text.push('\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::{both, classes};
    use super::*;
    use crate::geom::Georef;

    fn written(georef: Option<&Georef>) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("registry.csv");
        let classes = classes();
        let frame = RegistryFrame {
            classes: &classes,
            georef,
        };
        let count = write_registry_csv(&path, frame, both).expect("written");
        let text = std::fs::read_to_string(&path).expect("written");
        assert_eq!(count, 2);
        text
    }

    #[test]
    fn each_pair_of_classes_has_a_line() {
        let georef = Georef::north_up(500_000.0, 250_000.0, 0.25, Some(2180));
        let time = "2023-11-14T22:13:20.123Z";
        let expected = [
            HEAD.trim_end().to_owned(),
            format!(
                "4,{time},Brush stroke,done,1,\"field, bare\",2,\"road \"\"A\"\"\",20,1.25,4,8,12,2"
            ),
            format!(
                "4,{time},Brush stroke,done,255,unlabeled,2,\"road \"\"A\"\"\",4,0.25,4,8,12,2"
            ),
            format!("6,{time},Erase,undone,2,\"road \"\"A\"\"\",255,unlabeled,1,0.063,4,8,1,1"),
        ];
        assert_eq!(written(Some(&georef)).lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn without_meters_the_area_is_left_out() {
        let degrees = Georef::north_up(21.0, 52.0, 2.5e-6, None);
        for georef in [None, Some(&degrees)] {
            let text = written(georef);
            assert!(text.contains(",20,,4,8,12,2\n"), "{text}");
        }
    }
}
