use std::error::Error;
use std::io;
use std::path::Path;

use serde::Serialize;

use super::geojson_write::Ground;
use super::pixel_ground::pixel_area;
use super::registry::{Ends, write_steps};
use super::{ExchangeError, RegistryFrame};
use crate::disk::utc;
use crate::geom::{ImagePoint, PixelRect};
use crate::label::{ClassTable, StepRecord, VisitStep};

/// Writes the steps of a label's history as `GeoJSON` (RFC 7946), whole or not at all; their
/// number.
///
/// A step is one feature: the rectangle around all it changed, as a polygon in the coordinates of
/// [`write_geojson`](super::write_geojson). Its properties are `number`, `time` in UTC as in
/// ISO 8601, `tool`, `state` (`done` or `undone`), `pixels`, `area_m2` on the same terms as there,
/// `bounds` (x, y, width and height in level-0 pixels) and `changes`, a list with `from`,
/// `from_name`, `to`, `to_name`, `pixels` and `area_m2` for each pair of classes. Steps are read
/// and written one at a time.
///
/// # Errors
/// [`ExchangeError::Steps`] when `steps` fails, [`ExchangeError::Write`] when the disk refuses or a
/// coordinate is not finite; the old file is then untouched.
pub fn write_registry_geojson<E: Into<Box<dyn Error + Send + Sync>>>(
    path: &Path,
    frame: RegistryFrame<'_>,
    steps: impl FnOnce(&mut VisitStep<'_>) -> Result<(), E>,
) -> Result<u64, ExchangeError> {
    let ground = Ground::new(frame.georef);
    let ends = Ends {
        head: ground.head(),
        foot: "\n]}\n",
    };
    // Found out once, where the first step is.
    let mut area = None;
    write_steps(path, ends, steps, |count, step, text| {
        let pixel_area = *area.get_or_insert_with(|| {
            let bounds = step.bounds;
            pixel_area(
                frame.georef,
                ImagePoint::new(f64::from(bounds.x), f64::from(bounds.y)),
            )
        });
        text.push_str(if count == 0 { "\n" } else { ",\n" });
        text.push_str("{\"type\":\"Feature\",\"properties\":");
        let properties = Properties::new(step, frame.classes, pixel_area);
        text.push_str(&serde_json::to_string(&properties).map_err(io::Error::from)?);
        text.push_str(",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[");
        ground.add_ring(&corners(step.bounds), text)?;
        text.push_str("]]}}");
        Ok(())
    })
}

#[derive(Serialize)]
struct Properties {
    number: u64,
    time: String,
    tool: &'static str,
    state: &'static str,
    pixels: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_m2: Option<f64>,
    bounds: [u32; 4],
    changes: Vec<Change>,
}

#[derive(Serialize)]
struct Change {
    from: u8,
    from_name: String,
    to: u8,
    to_name: String,
    pixels: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_m2: Option<f64>,
}

impl Properties {
    fn new(step: &StepRecord, classes: &ClassTable, pixel_area: Option<f64>) -> Self {
        let area = |pixels: u64| pixel_area.map(|area| thousandths(pixels as f64 * area));
        let changes = step.changes.iter().map(|change| Change {
            from: change.from,
            from_name: classes.name_of(change.from),
            to: change.to,
            to_name: classes.name_of(change.to),
            pixels: change.pixels,
            area_m2: area(change.pixels),
        });
        let bounds = step.bounds;
        Self {
            number: step.mark.number(),
            time: utc(step.time_ms),
            tool: step.kind.label(),
            state: step.state.word(),
            pixels: step.num_pixels(),
            area_m2: area(step.num_pixels()),
            bounds: [bounds.x, bounds.y, bounds.width, bounds.height],
            changes: changes.collect(),
        }
    }
}

fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// The corners in the order of [`Region`](super::Region)'s outer rings.
fn corners(rect: PixelRect) -> [(u32, u32); 4] {
    let (left, top, right, bottom) = (rect.x, rect.y, rect.right(), rect.bottom());
    [(left, top), (left, bottom), (right, bottom), (right, top)]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::registry::tests::{both, classes};
    use super::*;
    use crate::geom::Georef;

    fn written(georef: Option<&Georef>) -> Value {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("registry.geojson");
        let classes = classes();
        let frame = RegistryFrame {
            classes: &classes,
            georef,
        };
        let count = write_registry_geojson(&path, frame, both).expect("written");
        let text = std::fs::read_to_string(&path).expect("written");
        assert_eq!(count, 2);
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn a_step_is_a_feature_on_the_map() {
        let georef = Georef::north_up(500_000.0, 250_000.0, 0.25, Some(2180));
        let value = written(Some(&georef));
        assert_eq!(
            value["crs"]["properties"]["name"],
            "urn:ogc:def:crs:EPSG::2180"
        );
        let [first, second] = &value["features"].as_array().expect("a list")[..] else {
            panic!("two steps");
        };
        assert_eq!(
            first["properties"],
            json!({
                "number": 4, "time": "2023-11-14T22:13:20.123Z", "tool": "Brush stroke",
                "state": "done", "pixels": 24, "area_m2": 1.5, "bounds": [4, 8, 12, 2],
                "changes": [
                    {"from": 1, "from_name": "field, bare", "to": 2, "to_name": "road \"A\"",
                     "pixels": 20, "area_m2": 1.25},
                    {"from": 255, "from_name": "unlabeled", "to": 2, "to_name": "road \"A\"",
                     "pixels": 4, "area_m2": 0.25},
                ],
            })
        );
        assert_eq!(
            first["geometry"]["coordinates"],
            json!([[
                [500_001, 249_998],
                [500_001, 249_997.5],
                [500_004, 249_997.5],
                [500_004, 249_998],
                [500_001, 249_998],
            ]])
        );
        assert_eq!(second["properties"]["state"], "undone");
    }

    #[test]
    fn without_a_georeference_coordinates_are_pixels() {
        let value = written(None);
        let first = &value["features"][0];
        assert_eq!(
            first["geometry"]["coordinates"],
            json!([[[4, 8], [16, 8], [16, 10], [4, 10], [4, 8]]])
        );
        assert!(first["properties"].get("area_m2").is_none());
        assert!(first["properties"]["changes"][0].get("area_m2").is_none());
    }

    #[test]
    fn a_history_without_steps_is_an_empty_collection() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("registry.geojson");
        let frame = RegistryFrame {
            classes: &ClassTable::default(),
            georef: None,
        };
        write_registry_geojson(&path, frame, |_| Ok::<_, io::Error>(())).expect("written");
        let text = std::fs::read_to_string(&path).expect("written");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["features"], json!([]));
    }
}
