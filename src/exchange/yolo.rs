use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::keyhole::joined_ring;
use super::text_file::read_limited;
use super::{ExchangeError, Region};
use crate::disk::{ReplaceError, replace_file, replace_with};
use crate::geom::{ImagePoint, ImageSize};
use crate::label::{ClassTable, Figure, Mask, UNLABELED, rasterize};

/// A file is read whole before it is understood, so a larger one is refused.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// The labels of an image: `STEM.txt`, beside it or, when it is in a folder `images`, in the folder
/// `labels` beside that, where ultralytics looks for them.
pub fn yolo_path(image: &Path) -> PathBuf {
    let labels = image.with_extension("txt");
    let parts: Vec<_> = image.components().collect();
    let is_images = |part: &std::path::Component<'_>| part.as_os_str() == "images";
    match parts.iter().rposition(is_images) {
        Some(place) if place + 1 < parts.len() => labels
            .components()
            .enumerate()
            .map(|(index, part)| {
                if index == place {
                    "labels".as_ref()
                } else {
                    part.as_os_str()
                }
            })
            .collect(),
        _ => labels,
    }
}

/// Writes the regions of an image of `size` as YOLO segments, whole or not at all.
///
/// Each region is a line `class x1 y1 x2 y2 …`: the class index, and corners in shares of the
/// image's width and height with decimals enough for a hundredth of a pixel. Holes are joined to
/// the outer ring by bridges of no width, so both the even-odd and the nonzero rule give the
/// region's pixels. Unlabeled pixels are in no line.
///
/// # Errors
/// [`ReplaceError`] when the disk refuses; the old file is then untouched.
pub fn write_yolo(path: &Path, size: ImageSize, regions: &[Region]) -> Result<(), ReplaceError> {
    let labeled = || regions.iter().filter(|region| region.class != UNLABELED);
    replace_with(path, |file| {
        let mut text = String::new();
        for region in labeled() {
            text.clear();
            add_line(&mut text, region, size);
            file.write_all(text.as_bytes())?;
        }
        Ok(())
    })
}

fn add_line(text: &mut String, region: &Region, size: ImageSize) {
    let decimals = [decimals_for(size.width), decimals_for(size.height)];
    let share = |at: u32, side: u32| f64::from(at) / f64::from(side);
    text.push_str(&region.class.to_string());
    for (x, y) in joined_ring(region) {
        let (x, y) = (share(x, size.width), share(y, size.height));
        let [x_decimals, y_decimals] = decimals;
        write!(text, " {x:.x_decimals$} {y:.y_decimals$}")
            .expect("a string takes all that fits in memory");
    }
    text.push('\n');
}

/// Decimals of a share of `side` pixels that move a corner by at most a hundredth of a pixel.
fn decimals_for(side: u32) -> usize {
    let digits = (f64::from(side.max(1)) * 50.0).log10().ceil();
    (digits as usize).max(6)
}

/// Where the images of each part are, for `data.yaml`.
#[derive(Clone, Copy, Debug)]
pub struct YoloFolders<'a> {
    /// For training, as `images/train`.
    pub train: &'a str,
    /// For validation.
    pub validation: &'a str,
    /// For tests, when there are any.
    pub test: Option<&'a str>,
}

/// Writes a `data.yaml` with the folders of images and the names of classes, whole or not at all.
///
/// Ultralytics wants names for all indices up to the highest one; those without a class are called
/// `class N`.
///
/// # Errors
/// [`ReplaceError`] when the disk refuses; the old file is then untouched.
pub fn write_yolo_data(
    path: &Path,
    classes: &ClassTable,
    folders: &YoloFolders<'_>,
) -> Result<(), ReplaceError> {
    // A JSON string is a YAML string (YAML 1.2.2, 7.3.1).
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let mut yaml = format!(
        "train: {}\nval: {}\n",
        text(folders.train),
        text(folders.validation)
    );
    if let Some(test) = folders.test {
        yaml.extend(["test: ", &text(test), "\n"]);
    }
    yaml.push_str("names:\n");
    for index in 0..classes.num_classes() {
        let name = text(&classes.name_of(index as u8));
        yaml.extend(["  ", &index.to_string(), ": ", &name, "\n"]);
    }
    replace_file(path, yaml.as_bytes())
}

/// The segments of one image as a mask.
#[derive(Clone, Debug)]
pub struct YoloMask {
    /// The pixels; what no segment covers is unlabeled.
    pub mask: Mask,
    /// What was left out.
    pub notes: Vec<String>,
}

/// Reads the YOLO segments of an image of `size`; an empty file has none.
///
/// Later lines lie over earlier ones. Pixels belong to a segment by their centers and the even-odd
/// rule. Lines of boxes (four numbers) are left out, and the notes say so.
///
/// # Errors
/// [`ExchangeError`] when the disk does not give the file, it is larger than 1 GiB, or a line is not
/// a class from 0 to 254 and pairs of numbers.
pub fn read_yolo(path: &Path, size: ImageSize) -> Result<YoloMask, ExchangeError> {
    let bytes = read_limited(path, MAX_FILE_BYTES)?;
    parse(&bytes, size).map_err(|reason| ExchangeError::Malformed {
        reason,
        path: path.to_owned(),
    })
}

fn parse(bytes: &[u8], size: ImageSize) -> Result<YoloMask, String> {
    let text = str::from_utf8(bytes).map_err(|error| format!("it is not text: {error}"))?;
    let mut shapes = Vec::new();
    let mut num_boxes = 0_u64;
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |reason: String| format!("line {number}: {reason}");
        let Some(segment) = segment(line, size).map_err(wrong)? else {
            continue;
        };
        match segment {
            Segment::Ring(ring, class) => shapes.push((Figure::Area(vec![ring]), class)),
            Segment::Box => num_boxes += 1,
        }
    }
    let mut mask = Mask::new(size);
    rasterize(&mut mask, &shapes);
    let note = format!("{num_boxes} lines are boxes without an outline; they are left out");
    Ok(YoloMask {
        mask,
        notes: (num_boxes > 0).then_some(note).into_iter().collect(),
    })
}

enum Segment {
    Ring(Vec<ImagePoint>, u8),
    Box,
}

/// What a line says; `None` for a blank one.
fn segment(line: &str, size: ImageSize) -> Result<Option<Segment>, String> {
    let mut words = line.split_whitespace();
    let Some(class) = words.next() else {
        return Ok(None);
    };
    let class: Option<u8> = class.parse().ok().filter(|&class| class != UNLABELED);
    let class = class.ok_or("it does not begin with a class from 0 to 254")?;
    let number = |word: &str| {
        let number = word.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| format!("{word:?} is not a number"))
    };
    let numbers = words.map(number).collect::<Result<Vec<f64>, _>>()?;
    if numbers.len() == 4 {
        return Ok(Some(Segment::Box));
    }
    let (points, rest) = numbers.as_chunks::<2>();
    if points.len() < 3 || !rest.is_empty() {
        return Err(format!(
            "{} numbers are no pairs of x and y of three points or more",
            numbers.len()
        ));
    }
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let point = |&[x, y]: &[f64; 2]| ImagePoint::new(x * width, y * height);
    let ring = points.iter().map(point).collect();
    Ok(Some(Segment::Ring(ring, class)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::polygonize;
    use super::super::test_masks::any_case;
    use super::*;
    use crate::geom::PixelRect;
    use crate::label::Class;

    fn lines(mask: &Mask) -> String {
        let labeled = |class| class != UNLABELED;
        let regions = polygonize(mask, mask.size().bounds(), &labeled, &|| false);
        let mut text = String::new();
        for region in regions.expect("not cancelled") {
            add_line(&mut text, &region, mask.size());
        }
        text
    }

    #[test]
    fn a_file_is_as_documented() {
        let square = |class| Region {
            class,
            pixels: 1,
            rings: vec![vec![(1, 1), (1, 2), (2, 2), (2, 1)]],
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("labels/a.txt");
        let size = ImageSize::new(4, 10);
        write_yolo(&path, size, &[square(3), square(UNLABELED)]).expect("written");
        assert_eq!(
            fs::read_to_string(&path).expect("written"),
            "3 0.250000 0.100000 0.250000 0.200000 0.500000 0.200000 0.500000 0.100000\n"
        );
        let read = read_yolo(&path, size).expect("our own");
        assert_eq!((read.mask.get(1, 1), read.mask.histogram()[3]), (3, 1));
    }

    #[test]
    fn names_have_no_gaps() {
        let classes = vec![
            Class::new(0, "it's \"a\": b", [0; 3]),
            Class::new(2, "c", [1; 3]),
        ];
        let classes = ClassTable::new(None, classes).expect("valid");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data.yaml");
        let folders = YoloFolders {
            train: "images/train",
            validation: "images/val",
            test: None,
        };
        write_yolo_data(&path, &classes, &folders).expect("written");
        assert_eq!(
            fs::read_to_string(&path).expect("written"),
            "train: \"images/train\"\nval: \"images/val\"\nnames:\n  \
             0: \"it's \\\"a\\\": b\"\n  1: \"class 1\"\n  2: \"c\"\n"
        );
    }

    #[test]
    fn labels_lie_where_ultralytics_looks() {
        for (image, expected) in [
            ("d/a.b.png", "d/a.b.txt"),
            ("d/images/train/a.png", "d/labels/train/a.txt"),
            ("/images/images/a.png", "/images/labels/a.txt"),
            ("d/images", "d/images.txt"),
        ] {
            assert_eq!(yolo_path(Path::new(image)), Path::new(expected));
        }
    }

    #[test]
    fn wrong_lines_are_told_and_boxes_counted() {
        let size = ImageSize::new(10, 10);
        let read = parse(b"1 .5 .5 .1 .1\n\n 2 0 0 1 0 1 1 0 1 \r\n", size).expect("valid");
        assert_eq!((read.notes.len(), read.mask.get(9, 9)), (1, 2));
        assert!(parse(b"", size).expect("none is fine").notes.is_empty());
        for (text, expected) in [
            (
                &b"1 0 0 1 0 1 1\n255 0 0 1 0 1 1"[..],
                "line 2: it does not begin",
            ),
            (b"-1 0 0", "does not begin"),
            (b"1", "0 numbers"),
            (b"1 0 0 1 0 1 1 0", "7 numbers"),
            (b"1 0 0 1 0 1 nan", "\"nan\""),
            (b"1 0 0 1 0 1 1e999", "\"1e999\""),
            (b"\xff", "not text"),
        ] {
            let error = parse(text, size).expect_err("wrong");
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn corners_of_a_large_image_are_exact() {
        for (width, height) in [(100_000, 300), (99_991, 300), (300, 99_991)] {
            let mut mask = Mask::new(ImageSize::new(width, height));
            for (n, class) in (0_u32..40).zip(0..) {
                let (x, y) = (n * (width / 41), n * (height / 41));
                mask.set_rect(PixelRect::new(x, y, 3, 3), &[class; 9]);
                mask.set_rect(PixelRect::new(x + 1, y + 1, 1, 1), &[UNLABELED]);
            }
            let read = parse(lines(&mask).as_bytes(), mask.size()).expect("our own");
            assert!(read.mask == mask);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_mask_reads_back(case in any_case()) {
            let read = parse(lines(&case.mask).as_bytes(), case.mask.size()).expect("our own");
            prop_assert!(read.mask == case.mask);
            prop_assert!(read.notes.is_empty());
        }

        #[test]
        fn damaged_files_never_panic(case in any_case(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = lines(&case.mask).into_bytes();
            bytes.truncate(4_000);
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _either_is_fine = parse(&bytes, case.mask.size());
        }
    }
}
