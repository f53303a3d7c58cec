use std::path::{Path, PathBuf};

use super::{KeptLayer, Project, ProjectError};
use crate::geom::ImageSize;
use crate::label::{ClassTable, Mask};

/// Somebody else's label of an image that we have as well.
#[derive(Debug)]
pub struct TheirLabel {
    /// What they call the image; on this machine there may be nothing there.
    pub image: PathBuf,
    /// The label as it was kept, with its newest steps only.
    pub layer: KeptLayer,
    /// Their classes, once some were kept.
    pub classes: Option<ClassTable>,
    /// How many other images of their project would do as well, having the same name, size and
    /// as many folders in common; somebody has to tell them apart when it is not 0.
    pub num_twins: usize,
}

impl TheirLabel {
    /// Their mask; `None` while parts of its ground are in their mask file only, which is to be
    /// read then and given to [`KeptLayer::masks_over`].
    pub fn mask(&self) -> Option<Mask> {
        let is_whole = !self.layer.needs_source;
        is_whole.then(|| self.layer.masks_over(Mask::new(self.layer.size)).0)
    }
}

impl Project {
    /// Their label of `image`, which has `size`, where this project is somebody else's, opened
    /// with [`Project::open_read_only`]; `None` when it has none.
    ///
    /// Folders may be others on their machine: the image is the one with the same file name, upper
    /// and lower case being the same, and the same size. Of several it is the one with the most
    /// folders in common, counted from the file up.
    ///
    /// # Errors
    /// [`ProjectError::Damaged`] when a row is not what was written.
    pub fn label_elsewhere(
        &self,
        image: &Path,
        size: ImageSize,
    ) -> Result<Option<TheirLabel>, ProjectError> {
        let ours = parts(&image.to_string_lossy());
        let mut best: Option<(usize, String)> = None;
        let mut num_twins = 0;
        let mut query = self.db.prepare(
            "SELECT image.path FROM image JOIN layer ON layer.image = image.id \
             WHERE width = ?1 AND height = ?2 ORDER BY image.path",
        )?;
        let mut rows = query.query([size.width, size.height])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let theirs = parts(&name);
            let common = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
            let before = best.as_ref().map_or(0, |(common, _)| *common);
            if common > before {
                (best, num_twins) = (Some((common, name)), 0);
            } else if common > 0 && common == before {
                num_twins += 1;
            }
        }
        let Some((_, name)) = best else {
            return Ok(None);
        };
        let layer = self.layer_named(&name, 0)?;
        // The file may have been written since.
        let Some(layer) = layer.filter(|layer| layer.size == size) else {
            return Ok(None);
        };
        Ok(Some(TheirLabel {
            image: self.found(&name),
            layer,
            classes: self.classes()?,
            num_twins,
        }))
    }
}

/// The parts of a path of any system in lower case, the file's name first.
fn parts(path: &str) -> Vec<String> {
    let parts = path.rsplit(['/', '\\']).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::super::SourceFile;
    use super::super::tests::{Painter, SIZE, roads};
    use super::*;
    use crate::geom::PixelRect;
    use crate::label::StateMark;

    const MARK: StateMark = StateMark::from_number(0);

    #[test]
    fn an_image_is_found_by_name_size_and_folders() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("theirs.orthobrush");
        let mut painter = Painter::new(&path, &folder.path().join("north/1.tif"));
        painter.paint(PixelRect::new(9, 9, 300, 300), 1);
        let project = &mut painter.project;
        project.keep_classes(&roads()).expect("kept");
        let small = ImageSize::new(10, 10);
        for (name, size) in [
            ("south/1.tif", SIZE),
            ("D:\\photos\\east\\1.TIF", SIZE),
            ("west/1.tif", small),
        ] {
            project
                .begin_layer(Path::new(name), size, None, MARK)
                .expect("kept");
        }
        let theirs = Project::open_read_only(&path).expect("a project");
        let found = |name: &str, size| {
            let label = theirs
                .label_elsewhere(Path::new(name), size)
                .expect("whole");
            label.map(|label| {
                let name = theirs.named(&label.image);
                (name, label.num_twins)
            })
        };
        for (name, size, expected) in [
            ("/photos/me/north/1.tif", SIZE, Some(("north/1.tif", 0))),
            ("C:\\me\\South\\1.tif", SIZE, Some(("south/1.tif", 0))),
            (
                "/photos/east/1.tif",
                SIZE,
                Some(("D:\\photos\\east\\1.TIF", 0)),
            ),
            (
                "/elsewhere/1.tif",
                SIZE,
                Some(("D:\\photos\\east\\1.TIF", 2)),
            ),
            ("/elsewhere/1.tif", small, Some(("west/1.tif", 0))),
            ("/north/2.tif", SIZE, None),
            ("/north/1.tif", ImageSize::new(10, 11), None),
        ] {
            let expected = expected.map(|(name, twins)| (name.to_owned(), twins));
            assert_eq!(found(name, size), expected, "{name}");
        }
        let label = theirs.label_elsewhere(Path::new("/x/north/1.tif"), SIZE);
        let label = label.expect("whole").expect("kept");
        assert_eq!(label.mask(), Some(painter.mask.clone()));
        assert_eq!(label.classes, Some(ClassTable::road()));
    }

    #[test]
    fn ground_in_a_mask_file_is_not_taken_for_unlabeled() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("theirs.orthobrush");
        let mut project = Project::open(&path).expect("a project");
        let source = SourceFile {
            path: folder.path().join("1.png"),
            bytes: 5,
            time: 6,
        };
        project
            .begin_layer(Path::new("1.tif"), SIZE, Some(&source), MARK)
            .expect("kept");
        let label = project.label_elsewhere(Path::new("/a/1.tif"), SIZE);
        let label = label.expect("whole").expect("kept");
        assert_eq!((label.mask(), label.layer.source), (None, Some(source)));
    }
}
