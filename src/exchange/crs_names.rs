use super::Crs;

/// Numbers of one range: (name without zone, first code, zones). Zones count from 1.
const ZONED: [(&str, u32, std::ops::RangeInclusive<u32>); 10] = [
    ("wgs1984utmzone#n", 32600, 1..=60),
    ("wgs84utmzone#n", 32600, 1..=60),
    ("wgs1984utmzone#s", 32700, 1..=60),
    ("wgs84utmzone#s", 32700, 1..=60),
    ("etrs1989utmzone#n", 25800, 28..=38),
    ("etrs89utmzone#n", 25800, 28..=38),
    ("nad1983utmzone#n", 26900, 1..=23),
    ("nad83utmzone#n", 26900, 1..=23),
    ("etrs1989polandcs2000zone#", 2171, 5..=8),
    ("etrs89polandcs2000zone#", 2171, 5..=8),
];

/// Names that files without codes give their coordinate system.
const NAMED: [(&str, u32); 23] = [
    ("gcswgs1984", 4326),
    ("wgs84", 4326),
    ("wgs1984", 4326),
    ("gcsetrs1989", 4258),
    ("etrs89", 4258),
    ("gcsnorthamerican1983", 4269),
    ("wgs1984webmercatorauxiliarysphere", 3857),
    ("wgs1984webmercator", 3857),
    ("wgs84pseudomercator", 3857),
    ("etrs1989polandcs92", 2180),
    ("etrf2000plcs92", 2180),
    ("etrs89polandcs92", 2180),
    ("etrs1989laea", 3035),
    ("etrs1989laeaeurope", 3035),
    ("etrs89laeaeurope", 3035),
    ("etrs89extendedlaeaeurope", 3035),
    ("ch1903lv95", 2056),
    ("rgf1993lambert93", 2154),
    ("rgf93lambert93", 2154),
    ("britishnationalgrid", 27700),
    ("osgb1936britishnationalgrid", 27700),
    ("rdnew", 28992),
    ("amersfoortrdnew", 28992),
];

/// The code of a coordinate system by its usual name, in the spelling of the EPSG registry, of GDAL
/// or of Esri.
pub(super) fn by_name(name: &str) -> Option<Crs> {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let key: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    let named = NAMED.iter().find(|(name, _)| *name == key);
    let code = named
        .map(|&(_, code)| code)
        .or_else(|| ZONED.iter().find_map(|zoned| zoned_code(&key, zoned)))?;
    Some(Crs::Epsg(code))
}

/// The name of a coordinate system of the EPSG registry, for example `WGS 84 / UTM zone 31N`.
pub fn crs_name(epsg: u32) -> Option<&'static str> {
    let known = crs_definitions::from_code(u16::try_from(epsg).ok()?)?;
    known.wkt.split('"').nth(1).filter(|name| !name.is_empty())
}

fn zoned_code(
    key: &str,
    (pattern, first, zones): &(&str, u32, std::ops::RangeInclusive<u32>),
) -> Option<u32> {
    let (before, after) = pattern.split_once('#')?;
    let zone = key.strip_prefix(before)?.strip_suffix(after)?;
    let zone: u32 = zone.parse().ok()?;
    zones.contains(&zone).then_some(first + zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_names() {
        assert_eq!(crs_name(32_631), Some("WGS 84 / UTM zone 31N"));
        assert_eq!(crs_name(4_326), Some("WGS 84"));
        assert_eq!(crs_name(60_001), None);
        assert_eq!(crs_name(1 << 20), None);
    }

    #[test]
    fn usual_names_have_their_codes() {
        for (name, expected) in [
            ("WGS_1984_UTM_Zone_33N", Some(32633)),
            ("WGS 84 / UTM zone 19S", Some(32719)),
            ("ETRS89 / UTM zone 32N", Some(25832)),
            ("ETRS_1989_UTM_Zone_5N", None),
            ("NAD_1983_UTM_Zone_10N", Some(26910)),
            ("ETRS_1989_Poland_CS92", Some(2180)),
            ("ETRF2000-PL / CS92", Some(2180)),
            ("ETRS_1989_Poland_CS2000_Zone_7", Some(2178)),
            ("WGS_1984_Web_Mercator_Auxiliary_Sphere", Some(3857)),
            ("GCS_WGS_1984", Some(4326)),
            ("CH1903+ / LV95", Some(2056)),
            ("WGS_1984_UTM_Zone_99999999999N", None),
            ("my own grid", None),
            ("", None),
        ] {
            assert_eq!(by_name(name), expected.map(Crs::Epsg), "{name}");
        }
    }
}
