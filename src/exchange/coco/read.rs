use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::ExchangeError;
use super::super::text_file::read_limited;
use super::categories::table_of;
use super::document::{Annotation, Counts, Document, Segmentation};
use super::paint::paint_counts;
use super::rle::decompressed;
use crate::geom::{ImagePoint, ImageSize};
use crate::label::{ClassTable, Figure, Mask, rasterize};

/// A file is read whole before it is understood, so a larger one is refused.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// A COCO instances file.
pub struct CocoFile {
    path: PathBuf,
    /// File name and extent, in the order of the file.
    images: Vec<(String, ImageSize)>,
    classes: ClassTable,
    notes: Vec<String>,
    /// Annotations with the place of their image and their class, by image.
    annotations: Vec<(usize, u8, Annotation)>,
}

/// The annotations of one image as a mask.
#[derive(Clone, Debug)]
pub struct CocoMask {
    /// The pixels; what no annotation covers is unlabeled.
    pub mask: Mask,
    /// What was left out.
    pub notes: Vec<String>,
}

/// Reads a COCO instances file.
///
/// Class indices are what the categories' `class_index` says, as [`CocoWriter`](super::CocoWriter)
/// writes it; else the category ids less 1 when all of these are 0 to 254; else the ids themselves
/// when all are; else the categories are numbered in the order of the file, and the notes say so.
///
/// # Errors
/// [`ExchangeError`] when the disk does not give the file, it is larger than 1 GiB, it is not COCO,
/// or it has more than 255 categories.
pub fn read_coco(path: &Path) -> Result<CocoFile, ExchangeError> {
    let text = read_limited(path, MAX_FILE_BYTES)?;
    parse(&text, path).map_err(|reason| ExchangeError::Malformed {
        reason,
        path: path.to_owned(),
    })
}

fn parse(text: &[u8], path: &Path) -> Result<CocoFile, String> {
    let document: Document = serde_json::from_slice(text)
        .map_err(|error| format!("the file is not COCO instances: {error}"))?;
    let (classes, index_of, mut notes) = table_of(document.categories)?;
    let place_of: HashMap<_, _> = (0..)
        .zip(&document.images)
        .map(|(place, image)| (image.id.clone(), place))
        .collect();
    let all = document.annotations.len();
    let known = |annotation: Annotation| {
        let place: usize = *place_of.get(&annotation.image_id)?;
        let class = *index_of.get(&annotation.category_id)?;
        Some((place, class, annotation))
    };
    let mut annotations: Vec<_> = document.annotations.into_iter().filter_map(known).collect();
    if annotations.len() < all {
        notes.push(format!(
            "{} annotations are of an image or a category that the file does not list; \
             they are left out",
            all - annotations.len()
        ));
    }
    // Stable, so that those of one image stay in order.
    annotations.sort_by_key(|&(place, _, _)| place);
    let images = document.images.into_iter();
    Ok(CocoFile {
        path: path.to_owned(),
        images: images
            .map(|image| (image.file_name, ImageSize::new(image.width, image.height)))
            .collect(),
        classes,
        notes,
        annotations,
    })
}

impl CocoFile {
    /// File name and extent of each image, in the order of the file.
    pub fn images(&self) -> &[(String, ImageSize)] {
        &self.images
    }

    /// The categories as classes; colors are the file's where it has them.
    pub fn classes(&self) -> &ClassTable {
        &self.classes
    }

    /// What the user should know about the file as a whole.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The annotations of an image of `size` as a mask; `None` when cancelled.
    ///
    /// The image is the first whose file name is `name`, else the first whose file name without
    /// folders is. Later annotations lie over earlier ones, and all lie over those that are
    /// crowds. The polygons of one annotation are painted each by itself, so what several of them
    /// hold is inside; one that crosses itself is inside by the even-odd rule. Pixels belong to a
    /// polygon by their centers, (0, 0) being the outer corner of the upper-left pixel.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`] when there is no such image, it has another extent, or run
    /// lengths are damaged.
    pub fn mask(
        &self,
        name: &str,
        size: ImageSize,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<CocoMask>, ExchangeError> {
        let place = self.place_of(name, size)?;
        let start = self.annotations.partition_point(|entry| entry.0 < place);
        let end = self.annotations.partition_point(|entry| entry.0 <= place);
        let mine = &self.annotations[start..end];
        let mut paint = Paint {
            mask: Mask::new(size),
            shapes: Vec::new(),
            num_without_ground: 0,
            num_short: 0,
        };
        let crowds = mine.iter().filter(|entry| entry.2.is_crowd());
        let others = mine.iter().filter(|entry| !entry.2.is_crowd());
        for (index, (_, class, annotation)) in crowds.chain(others).enumerate() {
            if is_cancelled() {
                return Ok(None);
            }
            paint
                .add(&annotation.segmentation, *class)
                .map_err(|reason| {
                    self.malformed(format!("annotation {} of {name:?}: {reason}", index + 1))
                })?;
        }
        Ok(Some(paint.finish()))
    }

    fn place_of(&self, name: &str, size: ImageSize) -> Result<usize, ExchangeError> {
        let bare = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned();
        let find = |is_it: &dyn Fn(&str) -> bool| self.images.iter().position(|it| is_it(&it.0));
        let place = find(&|other| other == name)
            .or_else(|| find(&|other| bare(other) == bare(name)))
            .ok_or_else(|| self.malformed(format!("it has no image named {name:?}")))?;
        let found = self.images[place].1;
        if found != size {
            return Err(self.malformed(format!(
                "it says that {name:?} has {found} pixels, but the image has {size}"
            )));
        }
        Ok(place)
    }

    fn malformed(&self, reason: String) -> ExchangeError {
        ExchangeError::Malformed {
            reason,
            path: self.path.clone(),
        }
    }
}

/// A mask while annotations are painted on it.
struct Paint {
    mask: Mask,
    /// Polygons that are not painted yet, since many at once cost little more than one.
    shapes: Vec<(Figure, u8)>,
    num_without_ground: u64,
    num_short: u64,
}

impl Paint {
    fn add(&mut self, ground: &Segmentation, class: u8) -> Result<(), String> {
        match ground {
            Segmentation::None => self.num_without_ground += 1,
            Segmentation::Polygons(polygons) => {
                self.num_without_ground += u64::from(polygons.is_empty());
                for polygon in polygons {
                    self.add_polygon(polygon, class);
                }
            }
            Segmentation::Rle { size, counts } => {
                let of = ImageSize::new(size[1], size[0]);
                if of != self.mask.size() {
                    return Err(format!("its run lengths are of an image of {of} pixels"));
                }
                self.flush();
                match counts {
                    Counts::List(counts) => paint_counts(&mut self.mask, counts, class)?,
                    Counts::Text(text) => {
                        paint_counts(&mut self.mask, &decompressed(text)?, class)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn add_polygon(&mut self, polygon: &[f64], class: u8) {
        let (points, rest) = polygon.as_chunks::<2>();
        if points.len() < 3 || !rest.is_empty() {
            self.num_short += 1;
            return;
        }
        let ring = points.iter().map(|&[x, y]| ImagePoint::new(x, y)).collect();
        self.shapes.push((Figure::Area(vec![ring]), class));
    }

    fn flush(&mut self) {
        if !self.shapes.is_empty() {
            rasterize(&mut self.mask, &self.shapes);
            self.shapes.clear();
        }
    }

    fn finish(mut self) -> CocoMask {
        self.flush();
        let counted = [
            (self.num_without_ground, "annotations have only a box"),
            (self.num_short, "polygons have no three points"),
        ];
        let notes = counted.into_iter().filter(|&(count, _)| count > 0);
        CocoMask {
            mask: self.mask,
            notes: notes
                .map(|(count, what)| format!("{count} {what}; they are left out"))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::test_masks::any_case;
    use super::super::{CocoForm, CocoImage, CocoWriter};
    use super::*;
    use crate::exchange::{Region, polygonize};
    use crate::label::UNLABELED;

    const NEVER: &dyn Fn() -> bool = &|| false;

    fn regions_of(mask: &Mask) -> Vec<Region> {
        let labeled = |class| class != UNLABELED;
        polygonize(mask, mask.size().bounds(), &labeled, NEVER).expect("not cancelled")
    }

    fn written(mask: &Mask, form: CocoForm, regions: &[Region]) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("instances.json");
        let mut writer =
            CocoWriter::create(&path, &ClassTable::landcover_ai(), form).expect("created");
        let image = |name, regions| CocoImage {
            name,
            size: mask.size(),
            regions,
        };
        writer.add(&image("other.png", &[])).expect("written");
        writer.add(&image("a.png", regions)).expect("written");
        writer.finish().expect("written");
        std::fs::read(&path).expect("written")
    }

    fn mask_of(text: &str) -> Result<CocoMask, String> {
        let file = parse(text.as_bytes(), Path::new("x.json"))?;
        let size = ImageSize::new(5, 4);
        let mask = file.mask("a.png", size, NEVER);
        mask.map(|mask| mask.expect("not cancelled"))
            .map_err(|error| error.to_string())
    }

    fn with_annotations(annotations: &str) -> String {
        format!(
            "{{\"images\": [{{\"id\": 3, \"file_name\": \"d/a.png\", \"width\": 5, \"height\": 4}}],
              \"categories\": [{{\"id\": 1, \"name\": \"a\"}}, {{\"id\": 2, \"name\": \"b\"}}],
              \"annotations\": [{annotations}]}}"
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_written_mask_reads_back(case in any_case(), form in 0..4) {
            let mask = &case.mask;
            let mut regions = regions_of(mask);
            let mut expected = mask.clone();
            let form = match form {
                0 => CocoForm::Rle,
                1 => CocoForm::RleNumbers,
                2 => CocoForm::PolygonOrRle,
                _ => {
                    regions.retain(|region| region.rings.len() == 1);
                    expected = Mask::new(mask.size());
                    CocoForm::Polygon
                }
            };
            let text = written(mask, form, &regions);
            let file = parse(&text, Path::new("x.json")).expect("our own");
            let read = file.mask("a.png", mask.size(), NEVER).expect("there").expect("all");
            prop_assert_eq!(read.notes, Vec::<String>::new());
            if form == CocoForm::Polygon {
                let point = |&(x, y): &(u32, u32)| ImagePoint::new(f64::from(x), f64::from(y));
                let ring = |ring: &Vec<(u32, u32)>| ring.iter().map(point).collect();
                let shapes: Vec<_> = regions
                    .iter()
                    .map(|region| (Figure::Area(region.rings.iter().map(ring).collect()), region.class))
                    .collect();
                rasterize(&mut expected, &shapes);
            }
            prop_assert!(read.mask == expected);
            let names = |table: &ClassTable| -> Vec<_> {
                table.classes().iter().map(|class| (class.index, class.name.clone(), class.color)).collect()
            };
            prop_assert_eq!(names(file.classes()), names(&ClassTable::landcover_ai()));
        }

        #[test]
        fn damaged_files_never_panic(case in any_case(), form in 0..2, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            prop_assume!(case.mask.size().num_pixels() < 10_000);
            let form = if form == 0 { CocoForm::Rle } else { CocoForm::PolygonOrRle };
            let mut text = written(&case.mask, form, &regions_of(&case.mask));
            let at = at.index(text.len());
            text[at] = byte;
            for text in [&text[..], &text[..cut.index(text.len())]] {
                if let Ok(file) = parse(text, Path::new("x.json")) {
                    let _either_is_fine = file.mask("a.png", case.mask.size(), NEVER);
                }
            }
        }
    }

    #[test]
    fn later_annotations_lie_over_earlier_ones_and_all_over_crowds() {
        let read = mask_of(&with_annotations(
            "{\"image_id\": 3, \"category_id\": 1, \"segmentation\": [[0,0, 3,0, 3,4, 0,4]]},
             {\"image_id\": 3, \"category_id\": 2, \"segmentation\": [[2,0, 4,0, 4,1, 2,1]]},
             {\"image_id\": 3, \"category_id\": 2, \"iscrowd\": 1,
              \"segmentation\": {\"size\": [4, 5], \"counts\": [0, 20]}},
             {\"image_id\": 3, \"category_id\": 1, \"bbox\": [0, 0, 1, 1]},
             {\"image_id\": 3, \"category_id\": 1, \"segmentation\": [[0,0, 1,1]]},
             {\"image_id\": 4, \"category_id\": 1, \"segmentation\": []}",
        ));
        let read = read.expect("valid");
        let row = |y| (0..5).map(|x| read.mask.get(x, y)).collect::<Vec<_>>();
        assert_eq!((row(0), row(3)), (vec![0, 0, 1, 1, 1], vec![0, 0, 0, 1, 1]));
        assert_eq!(read.notes.len(), 2, "{:?}", read.notes);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let rle = |inside: &str| {
            with_annotations(&format!(
                "{{\"image_id\": 3, \"category_id\": 1, \"segmentation\": {{{inside}}}}}"
            ))
        };
        for (text, expected) in [
            ("[]".to_owned(), "not COCO"),
            ("{\"images\": []}".to_owned(), "no image named"),
            (
                with_annotations("").replace("\"width\": 5", "\"width\": 6"),
                "6 × 4",
            ),
            (
                rle("\"size\": [5, 4], \"counts\": [20]"),
                "image of 4 × 5 pixels",
            ),
            (
                rle("\"size\": [4, 5], \"counts\": [1, 20]"),
                "annotation 1 of \"a.png\": its run lengths are more",
            ),
            (rle("\"size\": [4, 5], \"counts\": \"o\""), "too early"),
        ] {
            let error = mask_of(&text).expect_err("does not fit");
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn cancelling_gives_nothing() {
        let text = with_annotations("{\"image_id\": 3, \"category_id\": 1}");
        let file = parse(text.as_bytes(), Path::new("x.json")).expect("valid");
        let mask = file.mask("a.png", ImageSize::new(5, 4), &|| true);
        assert!(mask.expect("no error").is_none());
    }
}
