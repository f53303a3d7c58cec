use super::reproject::meters_per_unit;
use super::{Crs, Region};
use crate::geom::{Georef, ImagePoint, ImageSize};

/// Systems made for measuring differ from the ground by less than this; what they say is kept, as
/// surveyors do.
const MEANT_FOR_MEASURING: f64 = 0.005;

/// Pixels of an unknown system that are smaller than this are likely in degrees.
const LEAST_UNIT_PIXEL: f64 = 1e-3;

/// How large the pixel at the middle of an image is on the ground, in meters; `None` without a place
/// on the map.
///
/// Map units of an unknown system are taken for meters, unless a pixel is so small that they are
/// likely degrees, whose length nobody knows then. Those of Web Mercator are shorter than a meter,
/// feet too, and degrees longer.
pub fn pixel_meters(size: ImageSize, georef: Option<&Georef>) -> Option<[f64; 2]> {
    let middle = ImagePoint::new(f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
    let georef = georef?;
    let [width, height] = georef.pixel_size();
    let taken = (width.min(height) >= LEAST_UNIT_PIXEL).then_some([1.0; 2]);
    let [east, north] = unit(georef, middle).or(taken)?;
    let [a, b, _, d, e, _] = georef.map_from_image;
    Some([(a * east).hypot(d * north), (b * east).hypot(e * north)])
}

/// The ground that a pixel at a place covers, in m²; `None` without a georeference, or when the
/// system is not known and a pixel is smaller than a thousandth of a unit, since units are likely
/// degrees then.
pub(super) fn pixel_area(georef: Option<&Georef>, at: ImagePoint) -> Option<f64> {
    let georef = georef?;
    let [a, b, _, d, e, _] = georef.map_from_image;
    let in_units = (a * e - b * d).abs();
    if let Some([east, north]) = unit(georef, at) {
        return Some(in_units * east * north);
    }
    let [width, height] = georef.pixel_size();
    (width.min(height) >= LEAST_UNIT_PIXEL).then_some(in_units)
}

/// Meters a map unit at a place of the image, to the east and to the north.
fn unit(georef: &Georef, at: ImagePoint) -> Option<[f64; 2]> {
    let (x, y) = georef.map_from_image(at);
    let unit = meters_per_unit(&Crs::Epsg(georef.epsg?), [x, y])?;
    let is_meter = |meters: f64| (meters - 1.0).abs() < MEANT_FOR_MEASURING;
    Some(unit.map(|meters| if is_meter(meters) { 1.0 } else { meters }))
}

/// The middle of the rectangle around the first corners of all regions, in level-0 pixels.
pub(super) fn middle_of<C: Copy + Into<f64>>(regions: &[Region<C>]) -> ImagePoint {
    let corners = regions
        .iter()
        .filter_map(|region| region.rings.first()?.first());
    let around = corners.fold(None, |around: Option<[f64; 4]>, &(x, y)| {
        let (x, y): (f64, f64) = (x.into(), y.into());
        Some(around.map_or([x, y, x, y], |[left, top, right, bottom]| {
            [left.min(x), top.min(y), right.max(x), bottom.max(y)]
        }))
    });
    let [left, top, right, bottom] = around.unwrap_or_default();
    ImagePoint::new(f64::midpoint(left, right), f64::midpoint(top, bottom))
}

/// The ground of a region in pixels², by the shoelace formula over its rings: its pixels, unless its
/// borders were simplified.
pub(super) fn ring_area<C: Copy + Into<f64>>(region: &Region<C>) -> f64 {
    let twice = |ring: &Vec<(C, C)>| -> f64 {
        let next = ring.iter().cycle().skip(1);
        let cross = |(from, to): (&(C, C), &(C, C))| {
            let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(Into::<f64>::into);
            x1 * y2 - x2 * y1
        };
        ring.iter().zip(next).map(cross).sum()
    };
    // Holes run the other way around.
    region.rings.iter().map(twice).sum::<f64>().abs() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: ImageSize = ImageSize::new(1_000, 1_000);

    #[track_caller]
    fn check(georef: &Georef, expected: [f64; 2]) {
        let found = pixel_meters(SIZE, Some(georef)).expect("a place");
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(
                (found / expected - 1.0).abs() < 0.01,
                "{found}, not {expected}"
            );
        }
        let area = pixel_area(Some(georef), ImagePoint::new(500.0, 500.0)).expect("a place");
        assert!((area / (found[0] * found[1]) - 1.0).abs() < 1e-9, "{area}");
    }

    #[test]
    fn a_pixel_is_as_large_as_it_is_on_the_ground() {
        // Easting and northing of 43.6 degrees north, where cos is 0.724.
        let mercator = Georef::north_up(729_936.0, 5_404_000.0, 0.149, Some(3857));
        check(&mercator, [0.149 * 0.724; 2]);
        check(
            &Georef::north_up(500_000.0, 480_000.0, 0.25, Some(2180)),
            [0.25; 2],
        );
        check(&Georef::north_up(0.0, 0.0, 0.5, None), [0.5; 2]);
        // North Carolina in feet.
        check(
            &Georef::north_up(2_000_000.0, 600_000.0, 0.5, Some(2264)),
            [0.1524; 2],
        );
        // At the equator a degree is 111.3 km to the east and 110.6 km to the north.
        check(
            &Georef::north_up(10.0, 0.0, 1e-6, Some(4326)),
            [0.1113, 0.1106],
        );
        assert_eq!(pixel_meters(SIZE, None), None);
    }

    #[test]
    fn systems_made_for_measuring_are_taken_at_their_word() {
        let poland = Georef::north_up(500_000.0, 480_000.0, 0.25, Some(2180));
        assert_eq!(pixel_meters(SIZE, Some(&poland)), Some([0.25; 2]));
        let degrees = Georef::north_up(10.0, 50.0, 1e-6, None);
        assert_eq!(pixel_area(Some(&degrees), ImagePoint::new(0.0, 0.0)), None);
        assert_eq!(pixel_meters(SIZE, Some(&degrees)), None);
    }
}
