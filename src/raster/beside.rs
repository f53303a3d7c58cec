use std::path::{Path, PathBuf};

use roxmltree::{Document, ParsingOptions};

use super::tiff::{from_centers, is_usable};
use crate::geom::{Georef, shown_system};

/// A world file is six short lines; more is something else.
const MOST_BYTES: u64 = 4_096;
/// A coordinate system is some lines of text.
const MOST_PRJ_BYTES: u64 = 1 << 16;
/// GDAL's notes have statistics and class names too.
const MOST_PAM_BYTES: u64 = 16 << 20;
/// The most elements and texts of GDAL's notes.
const MOST_PAM_NODES: u32 = 1 << 20;

/// What is said of a coordinate system: its EPSG code, or without one its name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct System {
    pub epsg: Option<u32>,
    pub name: Option<String>,
}

/// The place of `image` on the map, out of what the file itself says (`inside`, and where that is no
/// place, its system `own` at least) and what lies beside it. As in GDAL, its notes (`.aux.xml`) go
/// before the file and the file before a world file.
pub(super) fn placed(image: &Path, inside: Option<Georef>, own: System) -> Option<Georef> {
    let (transform, noted) = read_pam(image).unwrap_or_default();
    let georef = match (transform, inside) {
        (Some(map_from_image), inside) => Georef {
            map_from_image,
            ..inside.unwrap_or_default()
        },
        (None, Some(inside)) => inside,
        (None, None) => Georef {
            map_from_image: read_world_file(image)?,
            epsg: own.epsg,
            system: own.name,
            ..Georef::default()
        },
    };
    let mut epsg = noted.epsg.or(georef.epsg);
    let mut name = noted.name.or(georef.system);
    if epsg.is_none() {
        let beside = read_prj(image);
        epsg = beside.epsg;
        name = name.or(beside.name);
    }
    Some(Georef {
        epsg,
        system: name.filter(|_| epsg.is_none()),
        ..georef
    })
}

/// Transform and coordinate system out of GDAL's notes beside `image`.
fn read_pam(image: &Path) -> Option<(Option<[f64; 6]>, System)> {
    let mut name = image.as_os_str().to_owned();
    name.push(".aux.xml");
    let text = small_text(&PathBuf::from(name), MOST_PAM_BYTES)?;
    let options = ParsingOptions {
        nodes_limit: MOST_PAM_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&text, options).ok()?;
    let child = |name: &str| {
        let root = document.root_element();
        let found = root.children().find(|node| node.has_tag_name(name))?;
        found.text()
    };
    let transform = child("GeoTransform").and_then(transform_of_gdal);
    let system = child("SRS").map_or_else(System::default, System::of_srs);
    Some((transform, system))
}

/// The transform that GDAL writes as six numbers, offsets first.
pub(super) fn transform_of_gdal(text: &str) -> Option<[f64; 6]> {
    let numbers = text.split(',').map(|word| word.trim().parse().ok());
    match numbers.collect::<Option<Vec<f64>>>()?[..] {
        [c, a, b, f, d, e] => Some([a, b, c, d, e, f]).filter(is_usable),
        _ => None,
    }
}

impl System {
    /// The coordinate system that is stated as `EPSG:2180` or in WKT.
    pub(super) fn of_srs(text: &str) -> Self {
        let text = text.trim();
        let code = text.strip_prefix("EPSG:");
        let epsg = code.map_or_else(|| epsg_of_wkt(text), |code| code.trim().parse().ok());
        let is_named = epsg.is_none() && !text.is_empty();
        Self {
            epsg,
            // In WKT the first word in quotes is the name of the whole.
            name: is_named.then(|| shown_system(text.split('"').nth(1).unwrap_or_default())),
        }
    }
}

/// The coordinate system in the `.prj` file beside `image`.
fn read_prj(image: &Path) -> System {
    let text = small_text(&image.with_extension("prj"), MOST_PRJ_BYTES);
    text.map_or_else(System::default, |text| System::of_srs(&text))
}

/// The EPSG code that a coordinate system in WKT states of itself, as its last word.
fn epsg_of_wkt(wkt: &str) -> Option<u32> {
    let at = wkt
        .rfind("AUTHORITY[\"EPSG\"")
        .or_else(|| wkt.rfind("ID[\"EPSG\""))?;
    let rest = wkt[at..].split_once(',')?.1;
    let (code, behind) = rest.split_once(']')?;
    // An earlier one is that of a part, such as its datum.
    let is_last = behind.trim().trim_matches(']').trim().is_empty() && behind.contains(']');
    is_last.then(|| code.trim().trim_matches('"').parse().ok())?
}

/// A file of at most `most` bytes.
pub(super) fn small_text(path: &Path, most: u64) -> Option<String> {
    let about = path.metadata().ok()?;
    let is_small = about.is_file() && about.len() <= most;
    is_small.then(|| std::fs::read_to_string(path).ok())?
}

/// The transform of the world file beside `image`, from outer corners (not pixel centers).
///
/// Tried are the three-letter form (`.tfw`), the long form (`.tifw`) and `.wld`, in small and
/// capital letters.
fn read_world_file(image: &Path) -> Option<[f64; 6]> {
    let extension = image.extension()?.to_str()?.to_ascii_lowercase();
    let mut names = vec![format!("{extension}w"), "wld".to_owned()];
    if let (Some(first), Some(last)) = (extension.chars().next(), extension.chars().last()) {
        names.insert(0, format!("{first}{last}w"));
    }
    let names = names
        .iter()
        .flat_map(|name| [name.clone(), name.to_ascii_uppercase()]);
    let text = names
        .map(|name| image.with_extension(name))
        .find_map(|path| small_text(&path, MOST_BYTES))?;
    parse(&text)
}

fn parse(text: &str) -> Option<[f64; 6]> {
    let numbers = text
        .split_whitespace()
        .map(|word| word.replace(',', ".").parse::<f64>());
    let numbers: Vec<f64> = numbers.take(6).collect::<Result<_, _>>().ok()?;
    // The file lists the columns' effects first, and the center of the upper-left pixel.
    let in_order = [0, 2, 4, 1, 3, 5].map(|index: usize| numbers.get(index).copied());
    let transform = in_order.map(|number| number.unwrap_or(f64::NAN));
    is_usable(&transform).then(|| from_centers(transform))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_moves_from_the_center_to_the_corner() {
        let found = parse("0.25\n0\n0\n-0.25\n500000.125\n249999.875\n");
        assert_eq!(found, Some([0.25, 0.0, 500_000.0, 0.0, -0.25, 250_000.0]));
    }

    #[test]
    fn other_texts_are_no_world_files() {
        for text in [
            "",
            "1 2 3",
            "0\n0\n0\n0\n1\n1",
            "1 0 0 nan 1 1",
            "hello world of six whole words",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn it_is_found_beside_the_image() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("ortho.tif");
        assert_eq!(read_world_file(&image), None);
        crate::disk::replace_file(&folder.path().join("ortho.tfw"), b"2\n0\n0\n-2\n1\n-1\n")
            .unwrap();
        assert_eq!(
            read_world_file(&image),
            Some([2.0, 0.0, 0.0, 0.0, -2.0, 0.0])
        );
    }

    #[test]
    fn a_code_is_that_of_the_whole_system_not_of_a_part() {
        let datum = "GEOGCS[\"WGS 84\",AUTHORITY[\"EPSG\",\"4326\"]]";
        assert_eq!(epsg_of_wkt(datum), Some(4_326));
        let projected = format!("PROJCS[\"mine\",{datum},UNIT[\"metre\",1]]");
        assert_eq!(epsg_of_wkt(&projected), None);
        let known = format!("PROJCS[\"Poland\",{datum},AUTHORITY[\"EPSG\",\"2180\"]]\n");
        assert_eq!(epsg_of_wkt(&known), Some(2_180));
        assert_eq!(epsg_of_wkt("PROJCRS[\"x\",ID[\"EPSG\",2180]]"), Some(2_180));
        assert_eq!(epsg_of_wkt("LOCAL_CS[\"x\"]"), None);
    }

    #[test]
    fn notes_go_before_the_file_and_the_file_before_a_world_file() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("ortho.tif");
        let write = |name: &str, text: &str| {
            crate::disk::replace_file(&folder.path().join(name), text.as_bytes()).unwrap();
        };
        write("ortho.tfw", "2\n0\n0\n-2\n1\n-1\n");
        write(
            "ortho.prj",
            "GEOGCS[\"WGS 84\",AUTHORITY[\"EPSG\",\"4326\"]]",
        );
        let found = placed(&image, None, System::default()).unwrap();
        assert_eq!(found.map_from_image, [2.0, 0.0, 0.0, 0.0, -2.0, 0.0]);
        assert_eq!(found.epsg, Some(4_326));
        let inside = Georef::north_up(7.0, 8.0, 1.0, Some(2_180));
        assert_eq!(
            placed(&image, Some(inside.clone()), System::default()),
            Some(inside.clone())
        );
        write(
            "ortho.tif.aux.xml",
            "<PAMDataset><GeoTransform> 1, 2, 3, 4, 5, 7</GeoTransform></PAMDataset>",
        );
        let found = placed(&image, Some(inside), System::default()).unwrap();
        assert_eq!(found.map_from_image, [2.0, 3.0, 1.0, 5.0, 7.0, 4.0]);
        assert_eq!(found.epsg, Some(2_180));
    }

    #[test]
    fn a_system_without_a_code_has_its_name() {
        let named = System::of_srs("LOCAL_CS[\"Site grid\",UNIT[\"metre\",1]]");
        assert_eq!(
            (named.epsg, named.name.as_deref()),
            (None, Some("Site grid"))
        );
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("ortho.tif");
        let place = || Some(Georef::north_up(7.0, 8.0, 1.0, None));
        let found = placed(&image, place(), System::default()).unwrap();
        assert_eq!(found.system, None, "nothing says a system");
        let mine = b"PROJCS[\"My strip\",GEOGCS[\"WGS 84\",AUTHORITY[\"EPSG\",\"4326\"]],\
            UNIT[\"metre\",1]]";
        crate::disk::replace_file(&folder.path().join("ortho.prj"), mine).unwrap();
        let found = placed(&image, place(), System::default()).unwrap();
        assert_eq!(
            (found.epsg, found.system.as_deref()),
            (None, Some("My strip"))
        );
        let coded = Some(Georef::north_up(7.0, 8.0, 1.0, Some(2_180)));
        let found = placed(&image, coded, System::default()).unwrap();
        assert_eq!((found.epsg, found.system), (Some(2_180), None));
    }
}
