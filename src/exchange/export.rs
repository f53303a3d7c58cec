use std::path::Path;
use std::time::SystemTime;

use super::{
    CocoForm, CocoImage, CocoWriter, ExchangeError, Generalize, Region, generalize_mask, pam_path,
    polygonize, qml_path, write_geojson, write_geopackage, write_pam, write_qml, write_yolo,
};
use crate::disk::{ReplaceError, keep_version};
use crate::geom::Georef;
use crate::label::{ClassTable, Mask, SaveAs, UNLABELED, save_mask};

/// Files that are kept when another takes their place.
const OLD_VERSIONS: u32 = 3;

/// A form in which a label can leave the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportForm {
    /// A mask file.
    Mask(SaveAs),
    /// Polygons as text.
    GeoJson,
    /// Polygons as a database.
    GeoPackage,
    /// COCO instances of one image.
    Coco,
    /// YOLO segments of one image.
    Yolo,
}

/// A label that leaves the program.
#[derive(Clone, Debug)]
pub struct ExportWork<'a> {
    /// The label.
    pub mask: &'a Mask,
    /// Its classes.
    pub classes: &'a ClassTable,
    /// Where it lies on the map.
    pub georef: Option<&'a Georef>,
    /// The file name of the image that it lies on.
    pub image: &'a str,
    /// The time that a database says.
    pub at: SystemTime,
    /// How polygons are simplified; `None`: they are exact. Only `GeoJSON` and `GeoPackage` can
    /// be, since COCO and YOLO speak of pixels.
    pub generalize: Option<Generalize>,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Number of polygons, for forms that have some.
    pub num_regions: Option<usize>,
    /// What the person should know.
    pub notes: Vec<String>,
}

impl ExportForm {
    /// The endings that say the forms, for messages.
    pub const ENDINGS: &'static str =
        ".tif, .png, .rgb.png, .binary.png, .geojson, .gpkg, .coco.json, .yolo.txt";

    /// Whether its polygons can be simplified.
    pub const fn is_generalized(self) -> bool {
        matches!(self, Self::GeoJson | Self::GeoPackage)
    }

    /// The form that a file's name says.
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let endings = [
            (".geojson", Self::GeoJson),
            (".coco.json", Self::Coco),
            (".json", Self::GeoJson),
            (".gpkg", Self::GeoPackage),
            (".txt", Self::Yolo),
        ];
        let found = endings
            .into_iter()
            .find(|(ending, _)| name.ends_with(ending));
        let found = found.map(|(_, form)| form);
        found.or_else(|| SaveAs::of_path(path).map(Self::Mask))
    }
}

/// Writes a label for other programs, whole or not at all; `None` when cancelled.
///
/// A mask file gets its classes beside it (`.classes.toml`), and a `GeoTIFF` names and colors for
/// GDAL (`.aux.xml`) and QGIS (`.qml`) too.
///
/// # Errors
/// [`ExchangeError`] when the form cannot say the label or the disk refuses.
pub fn export(
    path: &Path,
    form: ExportForm,
    work: &ExportWork<'_>,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Exported>, ExchangeError> {
    if let ExportForm::Mask(save_as) = form {
        save_mask(path, work.mask, work.classes, work.georef, save_as)?;
        work.classes.save(&path.with_extension("classes.toml"))?;
        if save_as == SaveAs::GeoTiff {
            write_pam(&pam_path(path), work.classes)?;
            // Somebody may have made a style of that name.
            let style = qml_path(path);
            keep_old(&style)?;
            write_qml(&style, work.classes)?;
        }
        return Ok(Some(Exported::default()));
    }
    let bounds = work.mask.size().bounds();
    let keep = |class: u8| class != UNLABELED;
    if let Some(options) = work.generalize.as_ref().filter(|_| form.is_generalized()) {
        let regions = generalize_mask(work.mask, bounds, &keep, options, is_cancelled);
        let Some(regions) = regions else {
            return Ok(None);
        };
        keep_old(path)?;
        write_polygons(path, form, work, &regions)?;
        return Ok(Some(Exported {
            num_regions: Some(regions.len()),
            notes: placeless(form, work),
        }));
    }
    let regions = polygonize(work.mask, bounds, &keep, is_cancelled);
    let Some(regions) = regions else {
        return Ok(None);
    };
    keep_old(path)?;
    Ok(Some(Exported {
        num_regions: Some(regions.len()),
        notes: write_regions(path, form, work, &regions)?,
    }))
}

/// Keeps the file that is about to be replaced.
fn keep_old(path: &Path) -> Result<(), ReplaceError> {
    keep_version(path, OLD_VERSIONS).map_err(|source| ReplaceError {
        path: path.to_owned(),
        source,
    })
}

fn write_regions(
    path: &Path,
    form: ExportForm,
    work: &ExportWork<'_>,
    regions: &[Region],
) -> Result<Vec<String>, ExchangeError> {
    match form {
        ExportForm::Coco => {
            let mut file = CocoWriter::create(path, work.classes, CocoForm::default())?;
            file.add(&CocoImage {
                name: work.image,
                size: work.mask.size(),
                regions,
            })?;
            return Ok(file.finish()?);
        }
        ExportForm::Yolo => {
            write_yolo(path, work.mask.size(), regions)?;
            work.classes.save(&path.with_extension("classes.toml"))?;
        }
        ExportForm::GeoJson | ExportForm::GeoPackage | ExportForm::Mask(_) => {
            write_polygons(path, form, work, regions)?;
        }
    }
    Ok(placeless(form, work))
}

/// What is to be known of `GeoJSON` without a coordinate system.
fn placeless(form: ExportForm, work: &ExportWork<'_>) -> Vec<String> {
    let is_known = work.georef.is_some_and(|georef| georef.epsg.is_some());
    let note = "Other programs take GeoJSON without a known coordinate system for degrees; a .gpkg \
                file says that there is none";
    let is_told = form == ExportForm::GeoJson && !is_known;
    is_told.then(|| note.to_owned()).into_iter().collect()
}

fn write_polygons<C: Copy + Into<f64>>(
    path: &Path,
    form: ExportForm,
    work: &ExportWork<'_>,
    regions: &[Region<C>],
) -> Result<(), ExchangeError> {
    if form == ExportForm::GeoPackage {
        write_geopackage(path, regions, work.classes, work.georef, work.at)?;
    } else {
        write_geojson(path, regions, work.classes, work.georef)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::version_path;
    use crate::exchange::{read_coco, read_pam, read_yolo};
    use crate::geom::{ImageSize, PixelRect};

    #[test]
    fn names_say_forms() {
        for (name, form) in [
            ("a.GeoJSON", Some(ExportForm::GeoJson)),
            ("a.coco.json", Some(ExportForm::Coco)),
            ("a.gpkg", Some(ExportForm::GeoPackage)),
            ("a.yolo.txt", Some(ExportForm::Yolo)),
            ("a.rgb.png", Some(ExportForm::Mask(SaveAs::RgbPng))),
            ("a.doc", None),
        ] {
            assert_eq!(ExportForm::of_path(Path::new(name)), form, "{name}");
        }
    }

    #[test]
    fn each_form_is_written_and_those_with_pixels_come_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let size = ImageSize::new(70, 50);
        let mut mask = Mask::new(size);
        mask.set_rect(PixelRect::new(5, 5, 30, 20), &[3; 600]);
        mask.set_rect(PixelRect::new(10, 10, 4, 4), &[1; 16]);
        let classes = ClassTable::landcover_ai();
        let work = ExportWork {
            mask: &mask,
            classes: &classes,
            georef: None,
            image: "north.tif",
            at: SystemTime::UNIX_EPOCH,
            generalize: None,
        };
        let written = |name: &str| {
            let path = folder.path().join(name);
            let form = ExportForm::of_path(&path).expect("a form");
            let done = export(&path, form, &work, &|| false).expect("written");
            (path, done.expect("not cancelled"))
        };
        let (tiff, _) = written("a.tif");
        assert_eq!(
            read_pam(&pam_path(&tiff)).expect("names").name_of(3),
            classes.name_of(3)
        );
        assert!(qml_path(&tiff).is_file());
        let (coco, done) = written("a.coco.json");
        assert_eq!(done.num_regions, Some(2));
        let coco = read_coco(&coco).expect("our own");
        let read = coco.mask("north.tif", size, &|| false).expect("whole");
        assert_eq!(read.expect("there").mask, mask);
        let (yolo, _) = written("a.yolo.txt");
        assert_eq!(read_yolo(&yolo, size).expect("our own").mask, mask);
        for name in ["a.gpkg", "a.geojson"] {
            let (path, _) = written(name);
            let first = std::fs::read(&path).expect("written");
            written(name);
            let kept = std::fs::read(version_path(&path, 1)).expect("the one before");
            assert_eq!(kept, first);
        }
        let path = folder.path().join("b.geojson");
        let stopped = export(&path, ExportForm::GeoJson, &work, &|| true);
        assert_eq!(stopped.expect("no error"), None);
        assert!(!path.exists());
    }
}
