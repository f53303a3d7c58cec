use proj4rs::Proj;
use proj4rs::transform::transform;

use super::datum::{Shift, shift_between};
use super::{Crs, ExchangeError};

/// Moves points from one coordinate system to another, easting (or longitude) first in both.
///
/// Projections are those of PROJ 4 with the parameters of the EPSG registry. Datums are joined by
/// their three or seven parameters to WGS 84; grids of shifts are not known. ETRS89, NAD83, and
/// other datums that move with a continent are taken for WGS 84, as everywhere with PROJ 4: that is
/// a meter or two by now. Edges stay straight: their ends alone are moved.
#[derive(Clone, Debug)]
pub struct Reprojection {
    from: Proj,
    to: Proj,
    note: Option<String>,
}

impl Reprojection {
    /// The way from one coordinate system to another; `None` when they are the same.
    ///
    /// # Errors
    /// [`ExchangeError::Reprojection`] when one of them is not known here, its projection is not
    /// supported, or the way leads over a grid of shifts.
    pub fn new(from: &Crs, to: &Crs) -> Result<Option<Self>, ExchangeError> {
        if from == to {
            return Ok(None);
        }
        let refused = |reason: String| ExchangeError::Reprojection {
            from: from.clone(),
            to: to.clone(),
            reason,
        };
        let known = |crs: &Crs| {
            definition(crs).ok_or_else(|| refused(format!("{crs} is not a system known here")))
        };
        let (source, target) = (known(from)?, known(to)?);
        let shift = shift_between(&source, &target).map_err(refused)?;
        let (source, target, note) = match shift {
            Shift::None => (source, target, None),
            Shift::SameDatum(source, target) => (source, target, None),
            Shift::Rough(note) => (source, target, Some(note)),
        };
        let proj = |crs: &Crs, text: &str| {
            Proj::from_proj_string(text)
                .map_err(|error| refused(format!("{crs} is not supported here ({error})")))
        };
        Ok(Some(Self {
            from: proj(from, &source)?,
            to: proj(to, &target)?,
            note,
        }))
    }

    /// How far the result may be off, when that is more than a meter or two.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The point in the other coordinate system; `None` when it has no place there.
    pub fn point(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let mut at = (x, y, 0.0);
        if self.from.is_latlong() {
            if !(x.abs() <= 360.0 && y.abs() <= 90.0) {
                return None;
            }
            at = (x.to_radians(), y.to_radians(), 0.0);
        }
        if !(at.0.is_finite() && at.1.is_finite()) {
            return None;
        }
        transform(&self.from, &self.to, &mut at).ok()?;
        let moved = if self.to.is_latlong() {
            [at.0.to_degrees(), at.1.to_degrees()]
        } else {
            [at.0, at.1]
        };
        moved.iter().all(|value| value.is_finite()).then_some(moved)
    }
}

/// How many meters on the ground one unit of a coordinate system is at a place, to the east and to
/// the north: 1 and about 1 for most, less for Web Mercator, degrees being longer.
///
/// From the radii of curvature of the WGS 84 ellipsoid. `None` when the system is not known.
pub fn meters_per_unit(crs: &Crs, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
    let degrees = Crs::Epsg(4326);
    let way = Reprojection::new(crs, &degrees).ok()?;
    let place = |at: [f64; 2]| match &way {
        Some(way) => way.point(at),
        None => Some(at),
    };
    // Long enough for the digits of large coordinates, short enough for a line.
    definition(crs)?;
    let step = if is_geographic(crs) { 1e-4 } else { 10.0 };
    let from = place([x, y])?;
    let length = |to: [f64; 2]| {
        let latitude = from[1].to_radians();
        let (a, e2) = (6_378_137.0_f64, 6.694_379_990_14e-3);
        let w = 1.0 - e2 * latitude.sin().powi(2);
        let north = (to[1] - from[1]).to_radians() * a * (1.0 - e2) / w.powf(1.5);
        let east = (to[0] - from[0]).to_radians() * a / w.sqrt() * latitude.cos();
        north.hypot(east) / step
    };
    let lengths = [length(place([x + step, y])?), length(place([x, y + step])?)];
    lengths
        .iter()
        .all(|length| length.is_normal())
        .then_some(lengths)
}

/// Whether coordinates are longitude and latitude, as far as the system is known here.
pub(super) fn is_geographic(crs: &Crs) -> bool {
    definition(crs).is_some_and(|definition| definition.contains("+proj=longlat"))
}

/// The PROJ string of a coordinate system.
fn definition(crs: &Crs) -> Option<String> {
    match crs {
        Crs::Epsg(code) => {
            let code = u16::try_from(*code).ok()?;
            crs_definitions::from_code(code).map(|known| known.proj4.to_owned())
        }
        Crs::Proj(text) => Some(text.clone()),
        Crs::Wkt(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn way(from: u32, to: u32) -> Reprojection {
        let way = Reprojection::new(&Crs::Epsg(from), &Crs::Epsg(to));
        way.expect("supported").expect("another system")
    }

    /// By gdaltransform 3.6 from longitude and latitude: code, degrees, coordinates, tolerance in
    /// meters.
    const REFERENCE: [(u32, [f64; 2], [f64; 2], f64); 10] = [
        (
            32633,
            [15.2, 51.0],
            [514_033.913_824, 5_649_843.923_548],
            1e-4,
        ),
        (
            32633,
            [19.5, 52.1],
            [808_160.874_852, 5_781_718.306_353],
            1e-4,
        ),
        (
            25832,
            [7.45, 46.95],
            [382_051.429_813, 5_200_773.811_406],
            1e-4,
        ),
        (2180, [15.2, 51.0], [233_476.111_642, 355_002.419_186], 1e-4),
        (2180, [19.5, 52.1], [534_238.350_236, 470_546.135_869], 1e-4),
        (
            2178,
            [19.5, 52.1],
            [7_397_223.464_290, 5_775_087.440_511],
            1e-4,
        ),
        (
            3857,
            [19.5, 52.1],
            [2_170_730.070_469, 6_818_226.972_328],
            1e-4,
        ),
        (
            3035,
            [7.45, 46.95],
            [4_126_750.124_353, 2_651_839.087_919],
            1e-3,
        ),
        (
            2154,
            [7.45, 46.95],
            [1_038_273.748_421, 6_659_511.824_183],
            1e-4,
        ),
        (
            2056,
            [7.45, 46.95],
            [2_600_865.384_623, 1_199_879.680_833],
            1e-2,
        ),
    ];

    #[test]
    fn points_are_where_proj_puts_them() {
        for (to, degrees, expected, tolerance) in REFERENCE {
            let there = way(4326, to);
            let moved = there.point(degrees).expect("on the map");
            let off = (moved[0] - expected[0]).hypot(moved[1] - expected[1]);
            assert!(off < tolerance, "{to}: {moved:?} is off by {off}");
            let back = way(to, 4326).point(moved).expect("on the globe");
            let off = (back[0] - degrees[0]).hypot(back[1] - degrees[1]);
            assert!(off < 2e-8, "{to}: back is off by {off} degrees");
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        for (from, to, expected) in [
            (
                Crs::Epsg(4326),
                Crs::Epsg(99_999),
                "EPSG:99999 is not a system known",
            ),
            (
                Crs::Epsg(4326),
                Crs::Epsg(70_000),
                "EPSG:70000 is not a system known",
            ),
            (
                Crs::Wkt("PROJCS[\"mine\"]".to_owned()),
                Crs::Epsg(2180),
                "“mine” is not",
            ),
            (Crs::Epsg(4267), Crs::Epsg(4326), "grid"),
            (
                Crs::Proj("+proj=nothing +datum=WGS84".to_owned()),
                Crs::Epsg(2180),
                "not supported",
            ),
        ] {
            let error = Reprojection::new(&from, &to)
                .expect_err("unknown")
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
        let same = Reprojection::new(&Crs::Epsg(99_999), &Crs::Epsg(99_999));
        assert!(same.expect("nothing to do").is_none());
    }

    #[test]
    fn shifts_by_parameters_are_noted_and_equal_datums_are_not() {
        assert!(
            way(31467, 25832)
                .note()
                .is_some_and(|note| note.contains("meters"))
        );
        assert_eq!(way(2180, 3857).note(), None);
        assert_eq!(way(31466, 31467).note(), None);
        let nad27 = way(26718, 4267).point([500_000.0, 4_400_000.0]);
        assert!(
            nad27.is_some_and(|[x, _]| (x + 75.0).abs() < 1e-9),
            "{nad27:?}"
        );
    }

    #[test]
    fn units_are_measured_on_the_ground() {
        for (epsg, at, expected) in [
            (25833, [500_000.0, 5_800_000.0], [1.0 / 0.9996; 2]),
            // 1/cos 60° less 0.3 % for the ellipsoid is the scale of Web Mercator at 60°.
            (3857, [0.0, 8_399_737.89], [0.501_258, 0.500_417]),
            (4326, [20.0, 60.0], [55_799.98, 111_412.24]),
            // North Carolina in feet of the US survey; the scale is within 0.02 % there.
            (2264, [2_000_000.0, 600_000.0], [0.304_8; 2]),
        ] {
            let found = meters_per_unit(&Crs::Epsg(epsg), at).expect("known");
            for (found, expected) in found.into_iter().zip(expected) {
                let tolerance = if epsg == 2264 { 2e-4 } else { 2e-5 };
                assert!(
                    (found / expected - 1.0).abs() < tolerance,
                    "{epsg}: {found}"
                );
            }
        }
        assert_eq!(meters_per_unit(&Crs::Epsg(99_999), [0.0; 2]), None);
    }

    proptest! {
        #[test]
        fn any_point_does_no_harm(x: f64, y: f64, pair in prop::sample::select(vec![
            (4326, 2180), (2180, 4326), (3857, 25833), (2056, 3857), (31467, 4326), (5514, 32633),
            (3035, 28992),
        ])) {
            let moved = way(pair.0, pair.1).point([x, y]);
            prop_assert!(moved.is_none_or(|moved| moved.iter().all(|value| value.is_finite())));
        }
    }
}
