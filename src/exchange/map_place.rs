use super::crs_names::crs_name;
use super::reproject::is_geographic;
use super::{Crs, Reprojection};
use crate::geom::{Georef, ImagePoint};

/// Longitude and latitude of WGS 84.
const DEGREES: Crs = Crs::Epsg(4326);

const UNSAID: &str = "The file does not say its coordinate system";

/// Says where on the map the pixels of an image are, in the file's own coordinates and in longitude
/// and latitude. Made once for an image, as it is asked with each move of the pointer.
#[derive(Clone, Debug)]
pub struct MapPlace {
    georef: Georef,
    is_in_degrees: bool,
    degrees: Result<Degrees, String>,
}

/// The ways between the file's coordinates and degrees; none where these are the file's.
#[derive(Clone, Debug)]
struct Degrees {
    there: Option<Reprojection>,
    back: Option<Reprojection>,
}

impl MapPlace {
    /// The place of an image with this georeference.
    pub fn new(georef: &Georef) -> Self {
        let system = georef.epsg.map(Crs::Epsg);
        Self {
            georef: Georef {
                keys: None,
                ..georef.clone()
            },
            is_in_degrees: system.as_ref().is_some_and(is_geographic),
            degrees: match &system {
                Some(system) => Degrees::new(system),
                None => Err(match &georef.system {
                    Some(_) => "The coordinate system of the file has no EPSG code".to_owned(),
                    None => UNSAID.to_owned(),
                }),
            },
        }
    }

    /// The EPSG code of the file's coordinate system.
    pub const fn epsg(&self) -> Option<u32> {
        self.georef.epsg
    }

    /// The name of the file's coordinate system, or that it is not known.
    pub fn system(&self) -> String {
        match self.georef.epsg {
            Some(code) => match crs_name(code) {
                Some(name) => format!("{name} (EPSG:{code})"),
                None => format!("EPSG:{code}, which is not known here"),
            },
            None => match &self.georef.system {
                Some(name) => format!("{name}, a system without an EPSG code"),
                None => UNSAID.to_owned(),
            },
        }
    }

    /// The code of the file's coordinate system, and its name where it is known: `EPSG:2180` and
    /// `ETRS89 / Poland CS92`.
    pub fn short_system(&self) -> (String, Option<String>) {
        match (self.georef.epsg, &self.georef.system) {
            (Some(code), _) => (format!("EPSG:{code}"), crs_name(code).map(str::to_owned)),
            (None, Some(name)) => ("a system without a code".to_owned(), Some(name.clone())),
            (None, None) => ("no coordinate system".to_owned(), None),
        }
    }

    /// Whether the file's own coordinates are longitude and latitude.
    pub const fn is_in_degrees(&self) -> bool {
        self.is_in_degrees
    }

    /// Easting and northing, in the file's coordinates.
    pub fn map_from_image(&self, at: ImagePoint) -> (f64, f64) {
        self.georef.map_from_image(at)
    }

    /// The pixel at an easting and a northing of the file's coordinates.
    pub fn image_from_map(&self, at: (f64, f64)) -> Option<ImagePoint> {
        self.georef.image_from_map(at)
    }

    /// Why there is no way to longitude and latitude; `None` where there is one.
    pub fn why_no_degrees(&self) -> Option<&str> {
        self.degrees.as_ref().err().map(String::as_str)
    }

    /// Longitude and latitude on WGS 84; `None` where there is no way to them.
    pub fn degrees_from_image(&self, at: ImagePoint) -> Option<[f64; 2]> {
        let (x, y) = self.map_from_image(at);
        match &self.degrees.as_ref().ok()?.there {
            Some(way) => way.point([x, y]),
            None => Some([x, y]),
        }
    }

    /// The pixel at a longitude and latitude.
    pub fn image_from_degrees(&self, at: [f64; 2]) -> Option<ImagePoint> {
        let [x, y] = match &self.degrees.as_ref().ok()?.back {
            Some(way) => way.point(at)?,
            None => at,
        };
        self.image_from_map((x, y))
    }
}

impl Degrees {
    fn new(system: &Crs) -> Result<Self, String> {
        let way =
            |from: &Crs, to: &Crs| Reprojection::new(from, to).map_err(|error| error.to_string());
        Ok(Self {
            there: way(system, &DEGREES)?,
            back: way(&DEGREES, system)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_lead_to_the_pixel_that_has_them() {
        // 15.2° E, 51° N by gdaltransform.
        let georef = Georef::north_up(514_033.913_824, 5_649_843.923_548, 0.5, Some(32_633));
        let place = MapPlace::new(&georef);
        assert!(!place.is_in_degrees());
        assert_eq!(place.system(), "WGS 84 / UTM zone 33N (EPSG:32633)");
        let [east, north] = place
            .degrees_from_image(ImagePoint::new(0.0, 0.0))
            .expect("degrees");
        assert!((east - 15.2).abs() < 1e-8 && (north - 51.0).abs() < 1e-8);
        let at = ImagePoint::new(1_234.5, 678.25);
        let degrees = place.degrees_from_image(at).expect("degrees");
        let back = place.image_from_degrees(degrees).expect("a pixel");
        assert!((back.x - at.x).abs() < 0.01 && (back.y - at.y).abs() < 0.01);
    }

    #[test]
    fn degrees_of_the_file_are_taken_as_they_are() {
        let place = MapPlace::new(&Georef::north_up(20.0, 52.0, 1e-5, Some(4_326)));
        assert!(place.is_in_degrees());
        let degrees = place.degrees_from_image(ImagePoint::new(0.0, 0.0));
        assert_eq!(degrees, Some([20.0, 52.0]));
    }

    #[test]
    fn what_is_not_known_is_said() {
        let place = MapPlace::new(&Georef::north_up(0.0, 0.0, 1.0, None));
        assert!(place.system().contains("does not say"));
        assert!(place.why_no_degrees().is_some());
        assert_eq!(place.degrees_from_image(ImagePoint::new(0.0, 0.0)), None);
        assert_eq!(place.map_from_image(ImagePoint::new(2.0, 3.0)), (2.0, -3.0));
        let mut named = Georef::north_up(0.0, 0.0, 1.0, None);
        named.system = Some("Site grid".to_owned());
        let named = MapPlace::new(&named);
        assert!(named.system().starts_with("Site grid"));
        assert_ne!(named.short_system(), place.short_system());
        assert_ne!(named.why_no_degrees(), place.why_no_degrees());
        let place = MapPlace::new(&Georef::north_up(0.0, 0.0, 1.0, Some(60_001)));
        assert!(place.system().contains("not known"), "{}", place.system());
        assert!(
            place
                .why_no_degrees()
                .is_some_and(|why| why.contains("60001"))
        );
        assert_eq!(place.image_from_degrees([0.0, 0.0]), None);
    }
}
