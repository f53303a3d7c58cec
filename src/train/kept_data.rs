use std::path::Path;

use super::data::{DATA_FILE, LABEL_FILE};
use super::{TrainData, TrainError, opened_corrected};
use crate::dataset::{Ground, Watch};
use crate::disk::{is_same_file, replace_file};
use crate::label::{ClassTable, Mask, SaveAs, save_mask};

/// Name of the class table beside a label that is kept.
const CLASSES_FILE: &str = "classes.toml";

impl TrainData {
    /// Where the pixels are: the data set's folder, or the image.
    pub fn source(&self) -> &Path {
        match self {
            Self::Image { image } | Self::Finetune { image, .. } => image,
            Self::Folder { folder, .. } => folder,
        }
    }

    /// Whether its pixels are at `place`, however the path is written.
    pub(super) fn is_at(&self, place: &Path) -> bool {
        self.source() == place || is_same_file(self.source(), place)
    }

    /// Whether the trainings in `folder` were begun on this; not where nothing says on what.
    ///
    /// # Errors
    /// [`TrainError::OtherData`] when they were begun on something else.
    pub fn is_kept_in(&self, folder: &Path) -> Result<bool, TrainError> {
        let Ok(mut kept) = Self::of_run(folder) else {
            return Ok(false);
        };
        if kept.is_at(self.source()) {
            let place = match &mut kept {
                Self::Image { image } | Self::Finetune { image, .. } => image,
                Self::Folder { folder, .. } => folder,
            };
            self.source().clone_into(place);
        }
        if kept == *self {
            return Ok(true);
        }
        Err(TrainError::OtherData(folder.to_owned()))
    }

    /// Writes into the folder of a queue or a search what each of its trainings reads. Of an image
    /// that is the label as it is now, so that all learn from the same.
    ///
    /// # Errors
    /// When the disk refuses, or a path is no text.
    pub fn keep(
        &self,
        folder: &Path,
        label: Option<(&Mask, &ClassTable)>,
    ) -> Result<(), TrainError> {
        self.check_names()?;
        if let Some((mask, classes)) = label {
            classes.save(&folder.join(CLASSES_FILE))?;
            let path = folder.join(LABEL_FILE);
            save_mask(&path, mask, classes, None, SaveAs::GeoTiff)?;
        }
        let mut text = serde_json::to_string_pretty(self).expect("plain records become JSON");
        text.push('\n');
        // Last: what names data has it.
        Ok(replace_file(&folder.join(DATA_FILE), text.as_bytes())?)
    }

    /// Ground and classes as they were kept in `folder`.
    ///
    /// # Errors
    /// When image, label or data set cannot be read any more.
    pub(super) fn opened(
        &self,
        folder: &Path,
        cache_bytes: usize,
    ) -> Result<(Ground, ClassTable), TrainError> {
        if let Self::Folder {
            folder,
            corrections,
        } = self
        {
            return opened_corrected(folder, corrections, cache_bytes, &Watch::NOBODY);
        }
        let classes = ClassTable::load(&folder.join(CLASSES_FILE))?;
        Ok((self.ground(folder, cache_bytes)?, classes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Corrections;
    use crate::geom::ImageSize;

    #[test]
    fn an_image_is_learned_from_with_the_label_that_was_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("image.png");
        image::RgbImage::new(8, 8).save(&image).expect("saved");
        let (mask, classes) = (Mask::filled(ImageSize::new(8, 8), 1), ClassTable::road());
        let data = TrainData::Image {
            image: image.clone(),
        };
        data.keep(folder.path(), Some((&mask, &classes)))
            .expect("kept");
        let again = TrainData::of_run(folder.path()).expect("data");
        assert_eq!((&again, again.source()), (&data, image.as_path()));
        let (ground, found) = again.opened(folder.path(), 1 << 20).expect("ground");
        let names = |table: &ClassTable| -> Vec<String> {
            table
                .classes()
                .iter()
                .map(|class| class.name.clone())
                .collect()
        };
        assert_eq!((ground.num_scenes(), names(&found)), (1, names(&classes)));
    }

    #[test]
    fn other_data_and_other_corrections_are_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let [one, other, out] = ["one", "other", "out"].map(|name| folder.path().join(name));
        for data in [&one, &other] {
            std::fs::create_dir(data).expect("a folder");
        }
        let data = TrainData::folder(one.clone());
        assert!(!data.is_kept_in(&out).expect("nothing is there"));
        data.keep(&out, None).expect("kept");
        assert!(data.is_kept_in(&out).expect("the same"));
        let around = TrainData::folder(other.join("..").join("one"));
        assert!(around.is_kept_in(&out).expect("the same by another path"));
        let corrected = TrainData::Folder {
            folder: one,
            corrections: Corrections {
                threshold: Some(200),
                ..Corrections::default()
            },
        };
        for data in [corrected, TrainData::folder(other)] {
            let error = data.is_kept_in(&out).expect_err("a refusal").to_string();
            assert!(error.contains("other data"), "{error}");
        }
    }
}
