use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::Region;
use super::rle::{compressed, counts_of};
use crate::disk::{PendingFile, ReplaceError};
use crate::geom::ImageSize;
use crate::label::{ClassTable, UNLABELED};

/// How regions are said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CocoForm {
    /// Polygons where they are exact; run lengths for regions with holes.
    #[default]
    PolygonOrRle,
    /// Outer rings only, since COCO polygons have no holes: what is in a hole and is not labeled
    /// is lost, and the notes say so.
    Polygon,
    /// Run lengths in the string of pycocotools.
    Rle,
    /// Run lengths as a list of numbers.
    RleNumbers,
}

/// The regions of one image.
#[derive(Clone, Copy, Debug)]
pub struct CocoImage<'a> {
    /// The image's file name, as the file shall say it.
    pub name: &'a str,
    /// Its extent.
    pub size: ImageSize,
    /// Its regions, in level-0 pixels.
    pub regions: &'a [Region],
}

/// Writes a COCO instances file image by image, whole or not at all: dropped before
/// [`CocoWriter::finish`] it leaves nothing behind.
///
/// Memory is taken for one region's text and the list of images. A region is one annotation:
/// `area` is its number of pixels, `bbox` its `[x, y, width, height]`. `iscrowd` is 0 for run
/// lengths too: 1 would say that several objects are in one annotation, and trainers leave those
/// out (pycocotools and detectron2 read run lengths whatever `iscrowd` is).
///
/// `category_id` is the class index + 1, since many tools keep 0 for ground that is nothing;
/// each category also tells its `class_index` and, as in COCO panoptic files, its `color`.
/// Unlabeled pixels are in no annotation.
#[derive(Debug)]
pub struct CocoWriter {
    path: PathBuf,
    file: PendingFile,
    form: CocoForm,
    classes: ClassTable,
    /// Which indices occur.
    occurring: [bool; 256],
    /// The entries of the list of images, which comes last.
    images: String,
    num_images: u64,
    num_annotations: u64,
    num_filled: u64,
    num_too_large: u64,
    /// What is to be written next.
    text: String,
}

/// So many bytes are written at once.
const CHUNK_BYTES: usize = 1 << 20;

impl CocoWriter {
    /// A file that is to be at `path`, whose folder is made if needed.
    ///
    /// # Errors
    /// [`ReplaceError`] when the disk refuses.
    pub fn create(path: &Path, classes: &ClassTable, form: CocoForm) -> Result<Self, ReplaceError> {
        let file = PendingFile::create(path).map_err(|source| refused(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            form,
            classes: classes.clone(),
            occurring: [false; 256],
            images: String::new(),
            num_images: 0,
            num_annotations: 0,
            num_filled: 0,
            num_too_large: 0,
            text: "{\"annotations\":[".to_owned(),
        })
    }

    /// Adds an image and an annotation for each of its regions.
    ///
    /// # Errors
    /// [`ReplaceError`] when the disk refuses.
    pub fn add(&mut self, image: &CocoImage<'_>) -> Result<(), ReplaceError> {
        self.num_images += 1;
        let entry = json!({
            "id": self.num_images,
            "file_name": image.name,
            "width": image.size.width,
            "height": image.size.height,
        });
        self.images
            .push_str(if self.num_images == 1 { "\n" } else { ",\n" });
        self.images.push_str(&entry.to_string());
        self.num_too_large += u64::from(image.size.num_pixels() > u64::from(u32::MAX));
        let labeled = image.regions.iter();
        for region in labeled.filter(|region| region.class != UNLABELED) {
            self.add_region(region, image.size);
            if self.text.len() >= CHUNK_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Puts the file in its place. The answer is what the user should know about what it cannot
    /// say.
    ///
    /// # Errors
    /// [`ReplaceError`] when the disk refuses; the old file is then untouched.
    pub fn finish(mut self) -> Result<Vec<String>, ReplaceError> {
        self.text.push_str("\n],\n\"images\":[");
        self.text.push_str(&self.images);
        self.text.push_str("\n],\n\"categories\":[");
        for (index, category) in self.categories().iter().enumerate() {
            self.text.push_str(if index == 0 { "\n" } else { ",\n" });
            self.text.push_str(&category.to_string());
        }
        self.text.push_str("\n]}\n");
        self.flush()?;
        let notes = self.notes();
        let Self { path, file, .. } = self;
        file.commit().map_err(|source| refused(&path, source))?;
        Ok(notes)
    }

    fn add_region(&mut self, region: &Region, size: ImageSize) {
        self.occurring[usize::from(region.class)] = true;
        self.num_annotations += 1;
        let (id, image_id) = (self.num_annotations, self.num_images);
        let begin = if id == 1 { "\n" } else { ",\n" };
        let [x, y, width, height] = bounds(region);
        self.push(format_args!(
            "{begin}{{\"id\":{id},\"image_id\":{image_id},\"category_id\":{},\"iscrowd\":0,\
             \"area\":{},\"bbox\":[{x},{y},{width},{height}],\"segmentation\":",
            u16::from(region.class) + 1,
            region.pixels,
        ));
        let has_holes = region.rings.len() > 1;
        match self.form {
            CocoForm::PolygonOrRle if !has_holes => self.add_polygon(region),
            CocoForm::Polygon => {
                self.num_filled += u64::from(has_holes);
                self.add_polygon(region);
            }
            CocoForm::RleNumbers => self.add_rle(region, size, &|counts| json!(counts)),
            CocoForm::PolygonOrRle | CocoForm::Rle => {
                self.add_rle(region, size, &|counts| Value::from(compressed(counts)));
            }
        }
        self.text.push('}');
    }

    fn add_polygon(&mut self, region: &Region) {
        let outer = region.rings.first().into_iter().flatten();
        for (index, &(x, y)) in outer.enumerate() {
            let begin = if index == 0 { "[[" } else { "," };
            self.push(format_args!("{begin}{x},{y}"));
        }
        self.text.push_str("]]");
    }

    fn add_rle(&mut self, region: &Region, size: ImageSize, say: &dyn Fn(&[u64]) -> Value) {
        let counts = say(&counts_of(region, size));
        let ImageSize { width, height } = size;
        self.push(format_args!(
            "{{\"size\":[{height},{width}],\"counts\":{counts}}}"
        ));
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        self.text
            .write_fmt(text)
            .expect("a string takes all that fits in memory");
    }

    /// Those of the table and those that occur without being in it.
    fn categories(&self) -> Vec<Value> {
        let occurring = (0..UNLABELED).filter(|&index| self.occurring[usize::from(index)]);
        let all = self.classes.with_values(occurring);
        let category = |class: &crate::label::Class| {
            json!({
                "id": u16::from(class.index) + 1,
                "name": class.name,
                "supercategory": "",
                "class_index": class.index,
                "color": class.color,
            })
        };
        all.classes().iter().map(category).collect()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.num_filled > 0 {
            notes.push(format!(
                "COCO polygons have no holes: those of {} regions are filled. \
                 Choose run lengths to keep them",
                self.num_filled
            ));
        }
        if self.num_too_large > 0 {
            notes.push(format!(
                "{} images have more than 4,294,967,295 pixels, which pycocotools cannot count. \
                 Write tiles for it",
                self.num_too_large
            ));
        }
        notes
    }

    fn flush(&mut self) -> Result<(), ReplaceError> {
        let written = self.file.append(self.text.as_bytes());
        self.text.clear();
        written.map_err(|source| refused(&self.path, source))
    }
}

fn refused(path: &Path, source: io::Error) -> ReplaceError {
    ReplaceError {
        path: path.to_owned(),
        source,
    }
}

/// The `[x, y, width, height]` that a region's outer ring reaches.
fn bounds(region: &Region) -> [u32; 4] {
    let outer = || region.rings.first().into_iter().flatten();
    let (xs, ys) = (|| outer().map(|at| at.0), || outer().map(|at| at.1));
    let (x, y) = (xs().min().unwrap_or(0), ys().min().unwrap_or(0));
    let (right, bottom) = (xs().max().unwrap_or(0), ys().max().unwrap_or(0));
    [x, y, right - x, bottom - y]
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::label::Class;

    fn written(form: CocoForm) -> (String, Vec<String>) {
        let ring = Region {
            class: 1,
            pixels: 8,
            rings: vec![
                vec![(1, 0), (1, 3), (4, 3), (4, 0)],
                vec![(2, 1), (3, 1), (3, 2), (2, 2)],
            ],
        };
        let pixel = Region {
            class: 7,
            pixels: 1,
            rings: vec![vec![(0, 3), (0, 4), (1, 4), (1, 3)]],
        };
        let classes = vec![Class::new(1, "road \"A\"", [1, 2, 3])];
        let classes = ClassTable::new(None, classes).expect("valid");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("coco/instances.json");
        let mut writer = CocoWriter::create(&path, &classes, form).expect("created");
        for (name, regions) in [("a.png", vec![ring, pixel]), ("b.png", Vec::new())] {
            let image = CocoImage {
                name,
                size: ImageSize::new(5, 4),
                regions: &regions,
            };
            writer.add(&image).expect("written");
        }
        let notes = writer.finish().expect("written");
        (fs::read_to_string(&path).expect("written"), notes)
    }

    #[test]
    fn a_file_is_as_documented() {
        let (text, notes) = written(CocoForm::PolygonOrRle);
        assert_eq!(notes, Vec::<String>::new());
        let file: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            file["images"][1],
            json!({"id": 2, "file_name": "b.png", "width": 5, "height": 4})
        );
        assert_eq!(
            file["annotations"],
            json!([
                {"id": 1, "image_id": 1, "category_id": 2, "iscrowd": 0, "area": 8,
                 "bbox": [1, 0, 3, 3],
                 "segmentation": {"size": [4, 5], "counts": "431N00024"}},
                {"id": 2, "image_id": 1, "category_id": 8, "iscrowd": 0, "area": 1,
                 "bbox": [0, 3, 1, 1], "segmentation": [[0, 3, 0, 4, 1, 4, 1, 3]]},
            ])
        );
        assert_eq!(
            file["categories"][0],
            json!({"id": 2, "name": "road \"A\"", "supercategory": "", "class_index": 1,
                   "color": [1, 2, 3]})
        );
        assert_eq!(file["categories"][1]["name"], "class 7");
    }

    #[test]
    fn other_forms_are_as_asked_and_filled_holes_are_told() {
        let (text, notes) = written(CocoForm::Polygon);
        assert!(text.contains("[[1,0,1,3,4,3,4,0]]"), "{text}");
        assert!(notes[0].contains("1 regions are filled"), "{notes:?}");
        let (text, _) = written(CocoForm::RleNumbers);
        assert!(text.contains("\"counts\":[4,3,1,1,1,1,1,3,5]"), "{text}");
        assert!(text.contains("\"counts\":[3,1,16]"), "{text}");
    }

    #[test]
    fn a_writer_that_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("instances.json");
        let writer = CocoWriter::create(&path, &ClassTable::default(), CocoForm::Rle);
        drop(writer.expect("created"));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
