use std::io::{self, Write as _};
use std::path::Path;

use super::Region;
use super::pixel_ground::{middle_of, pixel_area, ring_area};
use crate::disk::{ReplaceError, replace_with};
use crate::geom::{Georef, ImagePoint};
use crate::label::ClassTable;

/// Writes regions as `GeoJSON` (RFC 7946), one polygon feature each, whole or not at all; the
/// length of the file in bytes.
///
/// Coordinates are the map's, easting first, or without a georeference level-0 pixels with y down.
/// They have up to three decimals, more when a pixel is smaller than a hundredth of a map unit, as
/// with degrees. Outer rings run counterclockwise in the written coordinates when the second one
/// is taken to point up. Properties are `class`, the index; `name`; `pixels`, their number; and
/// with a georeference `area_m2`, on the ground at the regions' middle (map units of an unknown
/// system are taken for meters, unless a pixel is smaller than a thousandth of one). An EPSG code is told in a `crs`
/// member (`GeoJSON` 2008, 3), as GDAL writes and reads it.
///
/// # Errors
/// [`ReplaceError`] when the disk refuses or a coordinate is not finite; the old file is then
/// untouched.
pub fn write_geojson<C: Copy + Into<f64>>(
    path: &Path,
    regions: &[Region<C>],
    classes: &ClassTable,
    georef: Option<&Georef>,
) -> Result<u64, ReplaceError> {
    let features = Features::new(classes, georef, pixel_area(georef, middle_of(regions)));
    let mut bytes = 0;
    replace_with(path, |file| {
        let mut line = features.ground.head();
        for (index, region) in regions.iter().enumerate() {
            line.push_str(if index == 0 { "\n" } else { ",\n" });
            features.add(region, &mut line)?;
            file.write_all(line.as_bytes())?;
            bytes += line.len() as u64;
            line.clear();
        }
        line.push_str("\n]}\n");
        bytes += line.len() as u64;
        file.write_all(line.as_bytes())
    })?;
    Ok(bytes)
}

/// What all features of a file share.
struct Features<'a> {
    ground: Ground<'a>,
    /// The JSON string of each index.
    names: Vec<String>,
    /// In m².
    pixel_area: Option<f64>,
}

/// How the pixels of a file are written as coordinates.
pub(super) struct Ground<'a> {
    georef: Option<&'a Georef>,
    decimals: usize,
    /// Whether rings are to run the other way than in [`Region`].
    is_mirrored: bool,
}

impl<'a> Ground<'a> {
    pub(super) fn new(georef: Option<&'a Georef>) -> Self {
        let affine = georef.map_or([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], |georef| {
            georef.map_from_image
        });
        let [a, b, _, d, e, _] = affine;
        // Negative when north is up: the image's y points down, the map's points up.
        let determinant = a * e - b * d;
        let pixel = georef.map_or(1.0, |georef| {
            let [width, height] = georef.pixel_size();
            width.min(height)
        });
        Self {
            georef,
            decimals: decimals_for(pixel),
            is_mirrored: determinant > 0.0,
        }
    }

    /// All before the first feature.
    pub(super) fn head(&self) -> String {
        let mut head = "{\"type\":\"FeatureCollection\",\n".to_owned();
        if let Some(epsg) = self.georef.and_then(|georef| georef.epsg) {
            let name = format!("urn:ogc:def:crs:EPSG::{epsg}");
            let crs = serde_json::json!({"type": "name", "properties": {"name": name}});
            head.extend(["\"crs\":", &crs.to_string(), ",\n"]);
        }
        head.push_str("\"features\":[");
        head
    }

    /// Adds the corners of a ring as in [`Region`], the first one again at the end.
    pub(super) fn add_ring<C: Copy + Into<f64>>(
        &self,
        ring: &[(C, C)],
        line: &mut String,
    ) -> io::Result<()> {
        let count = ring.len();
        for step in 0..=count {
            let index = if self.is_mirrored { count - step } else { step } % count;
            let at = ImagePoint::new(ring[index].0.into(), ring[index].1.into());
            let (x, y) = self
                .georef
                .map_or((at.x, at.y), |georef| georef.map_from_image(at));
            line.push_str(if step == 0 { "[" } else { ",[" });
            push_number(line, x, self.decimals)?;
            line.push(',');
            push_number(line, y, self.decimals)?;
            line.push(']');
        }
        Ok(())
    }
}

impl<'a> Features<'a> {
    fn new(classes: &ClassTable, georef: Option<&'a Georef>, pixel_area: Option<f64>) -> Self {
        let name = |index| serde_json::Value::from(classes.name_of(index)).to_string();
        Self {
            ground: Ground::new(georef),
            names: (0..=u8::MAX).map(name).collect(),
            pixel_area,
        }
    }

    fn add<C: Copy + Into<f64>>(&self, region: &Region<C>, line: &mut String) -> io::Result<()> {
        let Region { class, pixels, .. } = region;
        let name = &self.names[usize::from(*class)];
        line.push_str("{\"type\":\"Feature\",\"properties\":{\"class\":");
        line.extend([
            &class.to_string(),
            ",\"name\":",
            name,
            ",\"pixels\":",
            &pixels.to_string(),
        ]);
        if let Some(pixel_area) = self.pixel_area {
            line.push_str(",\"area_m2\":");
            push_number(line, ring_area(region) * pixel_area, 3)?;
        }
        line.push_str("},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[");
        for (index, ring) in region.rings.iter().enumerate() {
            line.push_str(if index == 0 { "[" } else { ",[" });
            self.ground.add_ring(ring, line)?;
            line.push(']');
        }
        line.push_str("]}}");
        Ok(())
    }
}

/// Decimals that move a corner by at most a twentieth of a pixel, which is `pixel` map units wide.
fn decimals_for(pixel: f64) -> usize {
    (-pixel.log10()).ceil().clamp(2.0, 14.0) as usize + 1
}

/// Adds a number with up to so many decimals, without zeros at the end.
pub(super) fn push_number(text: &mut String, value: f64, decimals: usize) -> io::Result<()> {
    /// Up to here a scaled value says all its digits.
    const EXACT: f64 = (1_u64 << 53) as f64;
    let scaled = (value * 10_f64.powi(decimals as i32)).round();
    if !value.is_finite() {
        let reason = "a coordinate is not finite; check the georeference";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    if scaled.abs() >= EXACT {
        text.push_str(&value.to_string());
        return Ok(());
    }
    if scaled < 0.0 {
        text.push('-');
    }
    let mut digits = [b'0'; 20];
    let (mut rest, mut at, mut end) = (scaled.abs() as u64, digits.len(), digits.len());
    while rest > 0 || digits.len() - at <= decimals {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let point = digits.len() - decimals;
    while end > point && digits[end - 1] == b'0' {
        end -= 1;
    }
    text.extend(digits[at..point].iter().map(|&digit| char::from(digit)));
    if end > point {
        text.push('.');
        text.extend(digits[point..end].iter().map(|&digit| char::from(digit)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::label::Class;

    fn number(value: f64, decimals: usize) -> String {
        let mut text = String::new();
        push_number(&mut text, value, decimals).expect("finite");
        text
    }

    fn regions() -> [Region; 1] {
        let outer = vec![(0, 0), (0, 3), (3, 3), (3, 0)];
        let hole = vec![(1, 1), (2, 1), (2, 2), (1, 2)];
        [Region {
            class: 1,
            pixels: 8,
            rings: vec![outer, hole],
        }]
    }

    fn written(georef: Option<&Georef>) -> String {
        let classes = vec![Class::new(1, "road \"A\"", [0; 3])];
        let classes = ClassTable::new(None, classes).expect("valid");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("regions.geojson");
        let bytes = write_geojson(&path, &regions(), &classes, georef).expect("written");
        let text = fs::read_to_string(&path).expect("written");
        assert_eq!(bytes, text.len() as u64);
        text
    }

    #[test]
    fn a_georeferenced_file_is_as_documented() {
        let georef = Georef::north_up(500_000.0, 250_000.0, 0.25, Some(2180));
        assert_eq!(
            written(Some(&georef)),
            concat!(
                "{\"type\":\"FeatureCollection\",\n",
                "\"crs\":{\"properties\":{\"name\":\"urn:ogc:def:crs:EPSG::2180\"},\"type\":\"name\"},\n",
                "\"features\":[\n",
                "{\"type\":\"Feature\",\"properties\":{\"class\":1,\"name\":\"road \\\"A\\\"\",",
                "\"pixels\":8,\"area_m2\":0.5},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[",
                "[[500000,250000],[500000,249999.25],[500000.75,249999.25],[500000.75,250000],",
                "[500000,250000]],[[500000.25,249999.75],[500000.5,249999.75],",
                "[500000.5,249999.5],[500000.25,249999.5],[500000.25,249999.75]]]}}\n]}\n",
            )
        );
    }

    #[test]
    fn pixel_coordinates_run_the_other_way_since_y_is_down() {
        let text = written(None);
        assert!(
            text.contains("[[[0,0],[3,0],[3,3],[0,3],[0,0]],[[1,1],[1,2]"),
            "{text}"
        );
        assert!(!text.contains("crs") && !text.contains("area_m2"), "{text}");
    }

    #[test]
    fn degrees_have_enough_decimals_and_areas_of_the_ground() {
        let georef = Georef::north_up(21.0, 52.0, 2.5e-6, Some(4326));
        let text = written(Some(&georef));
        assert!(text.contains("[21.0000025,51.9999975]"), "{text}");
        // A pixel is 0.1717 by 0.2782 m there, and the region has 8.
        assert!(text.contains("\"area_m2\":0.382"), "{text}");
    }

    #[test]
    fn no_region_is_an_empty_collection() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("none.geojson");
        write_geojson::<u32>(&path, &[], &ClassTable::default(), None).expect("written");
        let text = fs::read_to_string(&path).expect("written");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["features"], serde_json::json!([]));
    }

    #[test]
    fn a_broken_georeference_leaves_the_old_file() {
        let georef = Georef::north_up(f64::NAN, 0.0, 1.0, None);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("regions.geojson");
        let failed = write_geojson(&path, &regions(), &ClassTable::default(), Some(&georef));
        assert!(
            failed
                .expect_err("not finite")
                .to_string()
                .contains("georeference")
        );
        assert!(!path.exists());
    }

    #[test]
    fn numbers_are_short() {
        for (value, decimals, expected) in [
            (0.0, 3, "0"),
            (-0.0004, 3, "0"),
            (-0.0005, 3, "-0.001"),
            (0.05, 3, "0.05"),
            (-12.3456, 3, "-12.346"),
            (100.0, 3, "100"),
            (487_350.999_7, 3, "487351"),
            (1e15, 3, "1000000000000000"),
            (0.25, 0, "0"),
        ] {
            assert_eq!(number(value, decimals), expected);
        }
        for (pixel, decimals) in [(0.25, 3), (0.02, 3), (1000.0, 3), (0.005, 4), (2.5e-6, 7)] {
            assert_eq!(decimals_for(pixel), decimals, "{pixel}");
        }
        assert_eq!(decimals_for(0.0), 15);
    }
}
