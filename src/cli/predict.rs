use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use serde_json::{Value, json};

use super::args::PredictArgs;
use super::drive::Drive;
use super::predict_desk::Desk;
use super::predict_tasks::{measures, tasks};
use crate::disk::path_text;
use crate::raster::is_tile_folder;
use crate::session::{Command, LayerKind};
use crate::train::{FileEnd, FileTask, FilesPlan, Flips, IfBegun};

/// Predicts images into files. Blocks go to the disk as they are finished, whatever the size of
/// the image.
pub fn run(args: &PredictArgs) -> anyhow::Result<()> {
    let began = Instant::now();
    let is_many = |image: &&PathBuf| image.is_dir() && !is_tile_folder(image);
    if let Some(image) = args.image.as_ref().filter(is_many) {
        let image = image.display();
        bail!("Name one image, or a folder with --images: {image}");
    }
    let tasks = tasks(args)?;
    let device = args.device.clone().unwrap_or_default();
    let plan = FilesPlan::new(&args.model, device, tasks.clone())?
        .flipped(if args.tta { Flips::All } else { Flips::None })
        .measured_by(&measures(args))
        .replacing(args.overwrite)
        .if_begun(if args.resume {
            IfBegun::GoOn
        } else {
            IfBegun::Refuse
        });
    let mut desk = Desk::new(&tasks);
    desk.follow(plan)?;
    if args.images.is_some() {
        return tell_many(args, &desk, &tasks, began.elapsed());
    }
    let (task, end) = (&tasks[0], desk.ends.remove(0));
    if let FileEnd::Failed(why) = end {
        bail!(why);
    }
    if args.json {
        let seconds = began.elapsed().as_secs_f64();
        let sure = task.sure.iter().map(|path| path_text(path));
        say!(
            "{}",
            json!({
                "prediction": path_text(&task.out),
                "certainty": sure.collect::<Vec<_>>(),
                "device": desk.device,
                "seconds": seconds,
                "done_before": end == FileEnd::DoneBefore,
            })
        );
    } else {
        say!("{}", task.out.display());
    }
    Ok(())
}

/// A summary of many images. Fails when one of them failed.
fn tell_many(
    args: &PredictArgs,
    desk: &Desk<'_>,
    tasks: &[FileTask],
    took: Duration,
) -> anyhow::Result<()> {
    let count = |wanted: fn(&FileEnd) -> bool| desk.ends.iter().filter(|end| wanted(end)).count();
    let done = count(|end| matches!(end, FileEnd::Done(_)));
    let before = count(|end| matches!(end, FileEnd::DoneBefore));
    let failed = count(|end| matches!(end, FileEnd::Failed(_)));
    let seconds = took.as_secs_f64();
    if args.json {
        let images = tasks.iter().zip(&desk.ends).map(entry);
        say!(
            "{}",
            json!({
                "device": desk.device,
                "seconds": seconds,
                "done": done,
                "done_before": before,
                "failed": failed,
                "images": images.collect::<Vec<_>>(),
            })
        );
    } else {
        let out = args.out.display();
        say!("{done} predicted, {before} done before, {failed} failed, {seconds:.0} s: {out}");
    }
    ensure!(
        failed == 0,
        "{failed} of {} images were not predicted; correct them and go on with --resume",
        desk.ends.len()
    );
    Ok(())
}

fn entry((task, end): (&FileTask, &FileEnd)) -> Value {
    let (image, prediction) = (path_text(&task.image), path_text(&task.out));
    let mut entry = json!({ "image": image, "prediction": prediction });
    match end {
        FileEnd::Done(report) => {
            entry["status"] = json!("done");
            entry["seconds"] = json!(report.seconds);
        }
        FileEnd::DoneBefore => entry["status"] = json!("done before"),
        FileEnd::Failed(why) => {
            entry["status"] = json!("failed");
            entry["reason"] = json!(why);
        }
    }
    entry
}

/// Predicts the open image with a run's best network and saves the mask.
pub fn predict(drive: &mut Drive, run: &Path, out: &Path) -> anyhow::Result<()> {
    drive.finish(Command::predict(Some(run.to_owned())))?;
    let path: PathBuf = out.to_owned();
    drive.finish(Command::SaveAs {
        layer: LayerKind::Prediction,
        path,
    })
}
