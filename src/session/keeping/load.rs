use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::exchange::find_table;
use crate::geom::ImageSize;
use crate::label::{
    ClassTable, Encoding, KeptHistory, Mask, MaskError, MaskLevels, Origin, StateMark, load_mask,
};
use crate::project::{KeptLayer, LayerKey, Project, ProjectError, SourceFile};
use crate::session::labels::Areas;

/// A mask that was read, with what is derived from all its pixels.
#[derive(Debug)]
pub(in crate::session) struct ReadMask {
    pub mask: Mask,
    /// Who made it.
    pub origins: Mask,
    /// Its classes, when they are known.
    pub classes: Option<ClassTable>,
    /// What the person should know.
    pub notes: Vec<String>,
    pub areas: Areas,
    pub origin_areas: Areas,
    pub levels: MaskLevels,
    /// The file it came from, as it was.
    pub source: Option<SourceFile>,
}

/// The mask file that belongs to an image.
#[derive(Clone, Debug)]
pub(in crate::session) struct Companion {
    pub path: PathBuf,
    /// Its classes, where the data set it is of says them.
    pub classes: Option<Arc<ClassTable>>,
    /// Whether it was taken for a mask for the end of its name alone.
    pub is_guess: bool,
}

impl Companion {
    pub fn read(&self, size: ImageSize) -> ReadLabel {
        match ReadMask::from_file(&self.path, size, self.classes.as_deref()) {
            Ok(read) => ReadLabel::File(read),
            Err(error) if self.is_guess && error.is_of_no_mask() => ReadLabel::WrongGuess(format!(
                "A file beside the image is named like its label, and is none. {error}"
            )),
            Err(error) => ReadLabel::Refused(error.to_string()),
        }
    }
}

/// What there is of an image's label.
#[derive(Debug)]
pub(in crate::session) enum ReadLabel {
    /// Nobody has labeled the image.
    Nothing,
    /// A mask file.
    File(ReadMask),
    /// A label that the project kept.
    Kept(KeptLabel),
    /// A file that only looked like a mask by its name.
    WrongGuess(String),
    /// A mask file or a project that cannot be read.
    Refused(String),
}

/// A label that the project kept.
#[derive(Debug)]
pub(in crate::session) struct KeptLabel {
    pub key: LayerKey,
    pub read: ReadMask,
    pub history: KeptHistory,
    /// The state before the oldest step that was kept.
    pub oldest: StateMark,
    pub saved: Option<StateMark>,
    /// Whether some of its ground is in its mask file only.
    pub needs_source: bool,
}

/// Undo steps that are read back; older ones stay on the disk.
const HISTORY_IN_MEMORY: usize = 128 << 20;

impl ReadMask {
    /// The mask file at `path`, which must have the size of its image; its `classes` where they are
    /// known from elsewhere, else those of a list beside it or in the folder above.
    pub fn from_file(
        path: &Path,
        size: ImageSize,
        classes: Option<&ClassTable>,
    ) -> Result<Self, MaskError> {
        // Taken before reading: a file that is written meanwhile then looks changed.
        let source = SourceFile::now(path).ok();
        let found = find_table(path, classes)?;
        let classes = found.as_ref().map(|found| &found.classes);
        let loaded = load_mask(path, Some(size), Encoding::Auto, classes)?;
        Ok(Self {
            classes: Some(loaded.classes),
            notes: loaded.notes,
            source,
            ..Self::imported(loaded.mask)
        })
    }

    pub(in crate::session) fn imported(mask: Mask) -> Self {
        let origins = mask.origins_from(Origin::IMPORTED);
        Self::of(mask, origins)
    }

    fn of(mask: Mask, origins: Mask) -> Self {
        let mut levels = MaskLevels::new(mask.size());
        let root = levels.shape().root();
        levels.tile(&mask, root);
        Self {
            areas: Areas(mask.histogram()),
            origin_areas: Areas(origins.histogram()),
            levels,
            mask,
            origins,
            classes: None,
            notes: Vec::new(),
            source: None,
        }
    }
}

/// The label of an image: as it was kept, else from the mask file beside it.
pub(super) fn load(
    project: Option<&Project>,
    image: &Path,
    size: ImageSize,
    companion: Option<&Companion>,
) -> Result<ReadLabel, ProjectError> {
    let kept = match project {
        Some(project) => project.layer(image, HISTORY_IN_MEMORY)?,
        None => None,
    };
    if let (Some(project), Some(kept)) = (project, kept) {
        return Ok(restored(kept, size, project.classes()?));
    }
    Ok(companion.map_or(ReadLabel::Nothing, |companion| companion.read(size)))
}

fn restored(kept: KeptLayer, size: ImageSize, classes: Option<ClassTable>) -> ReadLabel {
    if kept.size != size {
        return ReadLabel::Refused(format!(
            "The image is {size} pixels now and the kept label {}; the image was replaced. Give \
             the new one another name",
            kept.size
        ));
    }
    let mut notes = Vec::new();
    let mut ground = Mask::new(size);
    if let Some(source) = &kept.source {
        let name = source.path.display();
        let is_same = SourceFile::now(&source.path)
            .is_ok_and(|now| (now.bytes, now.time) == (source.bytes, source.time));
        if kept.needs_source {
            match ReadMask::from_file(&source.path, size, None) {
                Ok(read) => ground = read.mask,
                Err(error) => notes.push(format!(
                    "Ground that was not painted on is unlabeled now: {error}"
                )),
            }
        }
        if !is_same && source.path.exists() {
            notes.push(format!(
                "Another program changed the mask file after this label was read or saved; what \
                 you see is the label as it was kept. File › Open label… takes the file's: {name}"
            ));
        }
    }
    let (mask, origins) = kept.masks_over(ground);
    let mut read = ReadMask::of(mask, origins);
    read.classes = classes;
    read.notes = notes;
    read.source = kept.source;
    ReadLabel::Kept(KeptLabel {
        key: kept.key,
        read,
        history: kept.history,
        oldest: kept.oldest,
        saved: kept.saved,
        needs_source: kept.needs_source,
    })
}
