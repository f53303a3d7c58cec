use super::{Discovery, OffPalette};
use crate::dataset::DatasetError;
use crate::label::{Class, ClassTable, Encoding, UNLABELED};

/// So many classes are named in an error.
const MOST_NAMED: usize = 12;

impl Discovery {
    /// The same with exactly these classes counting as unlabeled.
    ///
    /// # Errors
    /// [`DatasetError::Correction`] when there is no such class, or no other is left.
    pub(super) fn ignoring(mut self, ignored: &[u8]) -> Result<Self, DatasetError> {
        self.classes = self.all_classes();
        self.ignored.clear();
        let table = self.classes.clone().unwrap_or_default();
        for &index in ignored {
            if table.get(index).is_some() {
                self.ignore(index);
                continue;
            }
            // Numbers may occur that no list names.
            let is_number = matches!(self.encoding.form, Encoding::Index | Encoding::Auto);
            let unnamed = ClassTable::default().with_values([index]);
            match unnamed.get(index).filter(|_| is_number) {
                Some(class) => self.ignored.push(class.clone()),
                None => return Err(no_such_class(index, &table)),
            }
        }
        if !table.is_empty() && self.classes.as_ref().is_some_and(ClassTable::is_empty) {
            return Err(DatasetError::Correction(
                "All classes would count as unlabeled, so that nothing could be learned; leave at \
                 least one of them out"
                    .to_owned(),
            ));
        }
        Ok(self)
    }

    /// The same with another word about colors and numbers that are exactly no class's.
    ///
    /// # Errors
    /// [`DatasetError::Correction`] when nothing could be off a palette.
    pub(super) fn with_off_palette(mut self, stated: OffPalette) -> Result<Self, DatasetError> {
        let is_listed = self.classes.is_some() && !self.are_classes_made;
        let why = match self.encoding.form {
            Encoding::Binary => {
                "masks are read as black and white, where every grey is one of them; state the \
                 threshold between them, or another encoding"
            }
            Encoding::Rgb if self.classes.is_none() => {
                "nothing says which colors stand for classes; state a list of classes as well"
            }
            Encoding::Index if !is_listed => {
                "every number that occurs is a class; state a list of classes as well"
            }
            Encoding::Index | Encoding::Rgb | Encoding::Auto => {
                self.encoding.off_palette = stated;
                return Ok(self);
            }
        };
        Err(DatasetError::Correction(format!(
            "Colors or numbers that are no class's cannot become others: {why}"
        )))
    }
}

fn no_such_class(index: u8, table: &ClassTable) -> DatasetError {
    if index == UNLABELED {
        let what = "255 counts as unlabeled anyway; leave it out";
        return DatasetError::Correction(what.to_owned());
    }
    let name = |class: &Class| format!("{} {}", class.index, class.name);
    let all = table.classes();
    let mut names: Vec<String> = all.iter().take(MOST_NAMED).map(name).collect();
    if all.len() > MOST_NAMED {
        names.push(format!("{} more", all.len() - MOST_NAMED));
    }
    let names = names.join(", ");
    DatasetError::Correction(format!(
        "There is no class {index} that could count as unlabeled; choose among {names}"
    ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::test_folders::write;
    use super::super::twins::{grey, picture, rgb};
    use super::*;
    use crate::dataset::{Corrections, discover_corrected};
    use crate::raster::MadeBands;

    const LIST: &[u8] = b"name,r,g,b\nwater,0,0,200\nwood,0,200,0\nunknown,0,0,0\n";

    fn ignoring(indices: &[u8]) -> Corrections {
        Corrections {
            ignored: Some(indices.to_vec()),
            ..Corrections::default()
        }
    }

    /// The pixels of the only mask, with these corrections.
    fn read(folder: &Path, corrections: &Corrections) -> Result<[u8; 4], String> {
        let found = discover_corrected(folder, corrections).map_err(|error| error.to_string())?;
        let (mask, _) = found.samples[0].load_mask(&found).expect("a mask");
        let pixels = mask.read_rect(mask.size().bounds());
        Ok(pixels.try_into().expect("2 × 2 pixels"))
    }

    fn numbers(pixels: [u8; 4]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        picture(folder.path(), "images/a.png");
        grey(folder.path(), "masks/a.png", pixels);
        folder
    }

    fn colors(pixels: [[u8; 3]; 4]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        picture(folder.path(), "images/a.png");
        rgb(folder.path(), "masks/a.png", pixels);
        folder
    }

    #[test]
    fn any_class_can_be_stated_to_be_unlabeled() {
        let folder = numbers([0, 1, 2, 3]);
        let none = Corrections::default();
        assert_eq!(read(folder.path(), &none), Ok([0, 1, 2, 3]));
        assert_eq!(read(folder.path(), &ignoring(&[0])), Ok([255, 1, 2, 3]));
        assert_eq!(
            read(folder.path(), &ignoring(&[0, 3])),
            Ok([255, 1, 2, 255])
        );
        // Other masks may hold numbers that this one does not.
        assert_eq!(read(folder.path(), &ignoring(&[9])), Ok([0, 1, 2, 3]));
        let found = discover_corrected(folder.path(), &ignoring(&[0, 9])).expect("found");
        let classes = found.classes.expect("classes");
        assert_eq!((classes.classes().len(), classes.background()), (3, None));
        assert_eq!(found.ignored.len(), 2);
        let error = read(folder.path(), &ignoring(&[0, 1, 2, 3])).expect_err("refused");
        assert!(error.contains("nothing could be learned"), "{error}");
    }

    #[test]
    fn a_recognized_void_can_be_a_class_and_another_class_a_void() {
        let folder = colors([[0, 0, 200], [0, 200, 0], [0; 3], [0; 3]]);
        write(folder.path(), "class_dict.csv", LIST);
        let read = |corrections: &Corrections| read(folder.path(), corrections);
        assert_eq!(read(&Corrections::default()), Ok([0, 1, 255, 255]));
        assert_eq!(read(&ignoring(&[])), Ok([0, 1, 2, 2]));
        assert_eq!(read(&ignoring(&[1])), Ok([0, 255, 2, 2]));
        let error = read(&ignoring(&[7])).expect_err("refused");
        assert!(error.ends_with("0 water, 1 wood, 2 unknown"), "{error}");
    }

    #[test]
    fn dark_ground_of_black_and_white_masks_can_be_unlabeled() {
        let folder = numbers([0, 255, 255, 0]);
        assert_eq!(read(folder.path(), &ignoring(&[0])), Ok([255, 1, 1, 255]));
        assert!(read(folder.path(), &ignoring(&[2])).is_err());
    }

    fn with(off_palette: OffPalette) -> Corrections {
        Corrections {
            off_palette: Some(off_palette),
            ..Corrections::default()
        }
    }

    const NEAR: OffPalette = OffPalette::Nearest { max_distance: 40 };

    #[test]
    fn colors_that_are_no_class_are_unlabeled_or_the_nearest() {
        let folder = colors([[0, 0, 200], [10, 180, 9], [120, 160, 90], [0; 3]]);
        write(folder.path(), "class_dict.csv", LIST);
        for (how, expected) in [
            (OffPalette::Middle, [0, 255, 255, 255]),
            (OffPalette::Unlabeled, [0, 255, 255, 255]),
            (NEAR, [0, 1, 255, 255]),
            (OffPalette::NEAREST, [0, 1, 1, 255]),
        ] {
            assert_eq!(read(folder.path(), &with(how)), Ok(expected), "{how}");
        }
        assert_eq!(
            read(folder.path(), &Corrections::default()),
            Ok([0, 255, 255, 255])
        );
        let pure = b"name,r,g,b\nwater,0,0,255\nwood,0,255,0\nunknown,0,0,0\n";
        write(folder.path(), "class_dict.csv", pure);
        for (how, expected) in [
            (OffPalette::Middle, [0, 1, 1, 255]),
            (OffPalette::Unlabeled, [255; 4]),
            (NEAR, [255; 4]),
            (OffPalette::NEAREST, [0, 1, 1, 255]),
        ] {
            assert_eq!(read(folder.path(), &with(how)), Ok(expected), "{how}");
        }
    }

    #[test]
    fn numbers_that_are_no_class_are_unlabeled_or_the_nearest() {
        let folder = numbers([0, 1, 2, 5]);
        let error = read(folder.path(), &with(NEAR)).expect_err("refused");
        assert!(error.contains("state a list of classes"), "{error}");
        let list = "schema = 1\n[[class]]\nindex = 0\nname = \"land\"\ncolor = \"#000000\"\n\
                    [[class]]\nindex = 2\nname = \"water\"\ncolor = \"#0000ff\"\n";
        let list = write(folder.path(), "mine.toml", list.as_bytes());
        for (how, expected) in [
            (OffPalette::Middle, [0, 1, 2, 5]),
            (OffPalette::Unlabeled, [0, 255, 2, 255]),
            (OffPalette::NEAREST, [0, 0, 2, 2]),
        ] {
            let corrections = Corrections {
                classes: Some(list.clone()),
                ..with(how)
            };
            assert_eq!(read(folder.path(), &corrections), Ok(expected), "{how}");
        }
        let folder = numbers([0, 255, 255, 0]);
        let error = read(folder.path(), &with(NEAR)).expect_err("refused");
        assert!(error.contains("black and white"), "{error}");
    }

    #[test]
    fn nodata_that_is_no_class_is_unlabeled_whatever_becomes_of_other_numbers() {
        let folder = tempfile::tempdir().expect("a folder");
        picture(folder.path(), "images/a.png");
        let made = MadeBands {
            nodata: "0",
            ..MadeBands::new(2, 2, 1, 8)
        };
        let file = made.file(|x, y, _| [0.0, 1.0, 2.0, 5.0][(2 * y + x) as usize]);
        write(folder.path(), "masks/a.tif", &file);
        let list = "schema = 1\n[[class]]\nindex = 1\nname = \"land\"\ncolor = \"#000000\"\n\
                    [[class]]\nindex = 2\nname = \"water\"\ncolor = \"#0000ff\"\n";
        let list = write(folder.path(), "mine.toml", list.as_bytes());
        for (how, expected) in [
            (OffPalette::Middle, [255, 1, 2, 5]),
            (OffPalette::Unlabeled, [255, 1, 2, 255]),
            (OffPalette::NEAREST, [255, 1, 2, 2]),
        ] {
            let corrections = Corrections {
                classes: Some(list.clone()),
                ..with(how)
            };
            assert_eq!(read(folder.path(), &corrections), Ok(expected), "{how}");
        }
    }
}
