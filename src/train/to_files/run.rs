use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::made_of::MadeOf;
use super::plan::{FileEnd, FileTask, FilesEvent, FilesPlan, IfBegun};
use super::rows::PlaneRows;
use crate::dataset::Watch;
use crate::disk::FileLock;
use crate::geom::PixelRect;
use crate::job::{Cancelled, JobContext, told};
use crate::label::{ClassTable, IndexTiff, Mask, SaveAs, save_index_tiff, save_mask};
use crate::raster::open_raster;
use crate::train::block_file::BlockFile;
use crate::train::predict::{BlockOrder, Predicted, Predictor};
use crate::train::{PredictPlan, PredictReport, TrainError};

/// Predicts as `plan` says; what fails of one image is told and the others go on. `between` is
/// called between images, when no tensor is in use.
pub(in crate::train) fn run(
    plan: &FilesPlan,
    job: &JobContext<FilesEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<()> {
    let mut desk = Desk {
        plan,
        job,
        predictor: None,
    };
    for (at, task) in plan.tasks.iter().enumerate() {
        between();
        job.check()?;
        let end = match desk.one(at, task) {
            Ok(end) => end,
            Err(error) if error.is::<Cancelled>() => return Err(error),
            Err(error) => FileEnd::Failed(told(&error)),
        };
        job.tell(FilesEvent::Ended { at, end })?;
    }
    Ok(())
}

/// The folder that holds what there is of an unfinished prediction into `out`.
pub(super) fn part_of(out: &Path) -> PathBuf {
    let mut name: OsString = out.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

struct Desk<'a> {
    plan: &'a FilesPlan,
    job: &'a JobContext<FilesEvent>,
    /// Made for the first image that needs it.
    predictor: Option<Predictor>,
}

impl Desk<'_> {
    fn one(&mut self, at: usize, task: &FileTask) -> anyhow::Result<FileEnd> {
        let started = Instant::now();
        let source = open_raster(&task.image)?;
        let (model, device) = (self.plan.model.clone(), self.plan.device.clone());
        let predict = PredictPlan::with(model, source, device)?
            .flipped(self.plan.flips)
            .decided_at(self.plan.threshold)
            .measured_by(&self.plan.looked_by())
            .within_all(&task.areas)?;
        let made_of = MadeOf::of(self.plan, task, predict.image_size())?;
        let part = part_of(&task.out);
        if self.is_done(task, &part, &made_of)? {
            return Ok(FileEnd::DoneBefore);
        }
        let mut kept = self.begun(&part, &made_of)?;
        let known = kept.blocks.known();
        let predict = predict.without(known);
        let blocks = predict.all_blocks(BlockOrder::Rows);
        let missing = predict.blocks().len() as u64;
        self.job.tell(FilesEvent::Began {
            at,
            kept_blocks: blocks.len() as u64 - missing,
            total_blocks: blocks.len() as u64,
            part: part.clone(),
            notes: predict.notes().to_vec(),
        })?;
        let windows = self.predict(at, &predict, &mut kept)?;
        write(task, self.plan, &predict, &kept.blocks, &blocks)?;
        made_of.save(&record_of(&task.out))?;
        drop(kept);
        // What is left of it does no harm.
        drop(fs::remove_dir_all(&part));
        let device = self.predictor.as_ref().map(Predictor::device_name);
        Ok(FileEnd::Done(PredictReport {
            blocks: missing,
            windows,
            device: device.unwrap_or_default().to_owned(),
            seconds: started.elapsed().as_secs_f64(),
        }))
    }

    /// Whether the task's files were all written by the same prediction.
    fn is_done(&self, task: &FileTask, part: &Path, made_of: &MadeOf) -> Result<bool, TrainError> {
        if self.plan.if_begun == IfBegun::Refuse || part.exists() || !task.out.exists() {
            return Ok(false);
        }
        let what = match MadeOf::load(&record_of(&task.out)) {
            None => Some("what is there is"),
            Some(before) => made_of.difference(&before),
        };
        match what {
            Some(_) if self.plan.replaces => Ok(false),
            Some(what) => Err(TrainError::OtherPrediction {
                what,
                path: task.out.clone(),
            }),
            None => Ok(task.sure.iter().all(|path| path.exists())),
        }
    }

    /// The finished blocks in `part`, which is made when it is missing.
    fn begun(&self, part: &Path, made_of: &MadeOf) -> Result<Kept, TrainError> {
        let refused = |source| TrainError::Blocks {
            path: part.to_owned(),
            source,
        };
        let story = part.join("made-of.json");
        fs::create_dir_all(part).map_err(refused)?;
        let lock = FileLock::acquire(&part.join("lock"), Duration::ZERO).map_err(refused)?;
        let lock = lock.ok_or_else(|| TrainError::PredictedElsewhere(part.to_owned()))?;
        if story.exists() {
            if self.plan.if_begun == IfBegun::Refuse {
                return Err(TrainError::Unfinished(part.to_owned()));
            }
            let before = MadeOf::load(&story);
            let what = before.map_or(Some("what is there is"), |it| made_of.difference(&it));
            if let Some(what) = what {
                return Err(TrainError::OtherPrediction {
                    what,
                    path: part.to_owned(),
                });
            }
        } else {
            made_of.save(&story)?;
        }
        let path = part.join("blocks");
        let num_planes = 1 + self.plan.measures.len();
        let blocks = BlockFile::open(&path, num_planes).map_err(refused)?;
        Ok(Kept {
            blocks,
            path,
            _lock: lock,
        })
    }

    /// Predicts the blocks that are missing; the number of windows that were looked at.
    fn predict(&mut self, at: usize, plan: &PredictPlan, kept: &mut Kept) -> anyhow::Result<u64> {
        let total_blocks = plan.num_blocks();
        let missing = plan.blocks().len() as u64;
        if missing == 0 {
            return Ok(0);
        }
        let job = self.job;
        let num_planes = 1 + self.plan.measures.len();
        let predictor = self.predictor()?;
        let mut done_blocks = total_blocks - missing;
        let watch = Watch {
            is_cancelled: &|| job.cancel_token().is_cancelled(),
            ..Watch::NOBODY
        };
        predictor.each_block(plan, &watch, |rect, predicted| {
            let Predicted { classes, sure } = plan.decided(predicted);
            let planes: Vec<&[u8]> = std::iter::once(&classes)
                .chain(&sure)
                .take(num_planes)
                .map(Vec::as_slice)
                .collect();
            kept.blocks
                .put(rect, &planes)
                .map_err(|source| TrainError::Blocks {
                    path: kept.path.clone(),
                    source,
                })?;
            done_blocks += 1;
            job.mention(FilesEvent::Progress {
                at,
                done_blocks,
                total_blocks,
            });
            Ok(())
        })
    }

    fn predictor(&mut self) -> anyhow::Result<&Predictor> {
        let predictor = if let Some(predictor) = self.predictor.take() {
            predictor
        } else {
            let predictor = Predictor::of(&self.plan.model, &self.plan.device)?;
            let (name, reason) = predictor.chosen();
            let (name, reason) = (name.to_owned(), reason.to_owned());
            self.job.tell(FilesEvent::DeviceChosen { name, reason })?;
            predictor
        };
        Ok(self.predictor.insert(predictor))
    }
}

/// What is kept of an unfinished prediction.
struct Kept {
    blocks: BlockFile,
    path: PathBuf,
    /// Held so that nobody else writes there.
    _lock: FileLock,
}

/// Says what the finished file at `out` is made of.
pub(super) fn record_of(out: &Path) -> PathBuf {
    out.with_extension("prediction.json")
}

/// Writes the files of a task from its finished blocks.
fn write(
    task: &FileTask,
    plan: &FilesPlan,
    predict: &PredictPlan,
    kept: &BlockFile,
    blocks: &[PixelRect],
) -> anyhow::Result<()> {
    let classes = plan.model.classes();
    let grey = ClassTable::default();
    for (plane, out) in task.written().enumerate() {
        let classes = if plane == 0 { classes } else { &grey };
        let measure = plane.checked_sub(1).and_then(|at| plan.measures.get(at));
        let num_classes = plan.model.card().num_classes;
        let meaning = measure.map(|measure| measure.meaning(Some(num_classes)));
        let mut rows = PlaneRows::new(kept, blocks, plane);
        match SaveAs::of_path(out) {
            Some(SaveAs::GeoTiff) | None => {
                let file = IndexTiff {
                    size: predict.image_size(),
                    classes: (plane == 0).then_some(classes),
                    georef: predict.georef(),
                    meaning: meaning.as_ref(),
                };
                save_index_tiff(out, &file, |rect| -> anyhow::Result<_> {
                    Ok(rows.read(rect)?)
                })?;
            }
            Some(format) => {
                let mut mask = Mask::new(predict.image_size());
                for &block in blocks {
                    mask.set_rect(block, &rows.read(block)?);
                }
                save_mask(out, &mask, classes, predict.georef(), format)?;
            }
        }
    }
    Ok(classes.save(&task.out.with_extension("classes.toml"))?)
}
