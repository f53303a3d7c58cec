use crate::exchange::{Crs, meters_per_unit};
use crate::geom::{Georef, ImagePoint, ImageSize};

/// How large the middle pixel is on the ground. Map units of an unknown system are taken for meters;
/// those of Web Mercator are shorter than that, and degrees longer.
pub(super) fn pixel_meters(size: ImageSize, georef: Option<&Georef>) -> Option<[f64; 2]> {
    let georef = georef?;
    let middle = ImagePoint::new(f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
    let (x, y) = georef.map_from_image(middle);
    let unit = georef
        .epsg
        .and_then(|epsg| meters_per_unit(&Crs::Epsg(epsg), [x, y]));
    let [east, north] = unit.unwrap_or([1.0; 2]);
    let [a, b, _, d, e, _] = georef.map_from_image;
    Some([(a * east).hypot(d * north), (b * east).hypot(e * north)])
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
        // At the equator a degree is 111.3 km to the east and 110.6 km to the north.
        check(
            &Georef::north_up(10.0, 0.0, 1e-6, Some(4326)),
            [0.1113, 0.1106],
        );
        assert_eq!(pixel_meters(SIZE, None), None);
    }
}
