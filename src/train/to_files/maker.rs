use std::path::{Path, PathBuf, absolute};

use super::made_of::{MadeOf, bytes_and_time};
use super::plan::FileTask;
use super::run::{part_of, record_of};
use crate::train::RunRecord;

/// Which run predicted a file, and of which image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMaker {
    /// Its folder.
    pub run: PathBuf,
    /// The image.
    pub image: PathBuf,
}

impl FileMaker {
    /// What the record beside the mask at `out` says; `None` where there is none, where the mask was
    /// written since by something else, or where run or image are gone.
    pub fn of(out: &Path) -> Option<Self> {
        let record = record_of(out);
        let (_, written) = bytes_and_time(out).ok()?;
        let (_, told) = bytes_and_time(&record).ok()?;
        let made = MadeOf::load(&record).filter(|_| written <= told)?;
        let [model, image] = made.model_and_image();
        let maker = Self {
            run: run_of(model)?,
            image: image.to_owned(),
        };
        maker.image.exists().then_some(maker)
    }

    /// Whether there is a record beside the mask at `out` at all.
    pub fn has_record(out: &Path) -> bool {
        record_of(out).is_file()
    }
}

impl FileTask {
    /// The first file that this prediction would replace although no prediction wrote it, or
    /// something else wrote it since; `None` where there is none, or where the prediction was begun
    /// before.
    pub fn foreign_file(&self) -> Option<PathBuf> {
        if part_of(&self.out).exists() {
            return None;
        }
        let record = record_of(&self.out);
        let made = MadeOf::load(&record).zip(bytes_and_time(&record).ok());
        let is_own = |path: &Path| {
            let (made, (_, told)) = made.as_ref()?;
            let (_, written) = bytes_and_time(path).ok()?;
            (written <= *told).then(|| made.is_of(path))
        };
        let beside = [self.out.with_extension("classes.toml"), record.clone()];
        let mut foreign = (self.written())
            .filter(|path| path.exists() && is_own(path) != Some(true))
            .chain((beside.iter()).filter(|path| path.exists() && is_own(path).is_none()));
        foreign.next().cloned()
    }
}

/// The run that `model`, a run folder or the folder of one of its checkpoints, belongs to.
pub fn run_of(model: &Path) -> Option<PathBuf> {
    let model = absolute(model).ok()?;
    let mut folders = model.ancestors().take(3);
    let run = folders.find(|folder| RunRecord::is_run(folder))?;
    Some(run.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::replace_file;

    #[test]
    fn files_of_a_prediction_are_told_from_those_of_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let task = |out: &str, sure: &[&str]| FileTask {
            image: at("image.tif"),
            out: at(out),
            sure: sure.iter().map(|name| at(name)).collect(),
            areas: Vec::new(),
        };
        let put = |name: &str, text: &str| {
            replace_file(&at(name), text.as_bytes()).expect("written");
        };
        let (a, sure) = (task("a.tif", &[]), task("a.tif", &["sure.tif"]));
        assert_eq!(a.foreign_file(), None, "nothing is there");
        put("a.classes.toml", "");
        assert_eq!(a.foreign_file(), Some(at("a.classes.toml")));
        put("a.tif", "");
        assert_eq!(a.foreign_file(), Some(at("a.tif")));
        let of_ours = r#"{"schema":1,"model":"m","model_checksums":[0,0],"image":"i","image_bytes":0,
            "image_time":0,"image_size":{"width":1,"height":1},"areas":[],"flips":"none",
            "measures":[],"files":["a.tif"]}"#;
        put("sure.tif", "");
        put("a.png", "");
        put("a.prediction.json", of_ours);
        assert!(MadeOf::load(&at("a.prediction.json")).is_some(), "a record");
        assert_eq!(a.foreign_file(), None, "the record says that it is ours");
        assert_eq!(sure.foreign_file(), Some(at("sure.tif")));
        let png = task("a.png", &[]).foreign_file();
        assert_eq!(png, Some(at("a.png")), "the record is of a.tif");
        std::thread::sleep(std::time::Duration::from_millis(20));
        put("a.tif", "corrected");
        assert_eq!(a.foreign_file(), Some(at("a.tif")), "written since");
        std::fs::create_dir(at("a.tif.part")).expect("made");
        assert_eq!(a.foreign_file(), None, "begun before");
    }
}
