use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use serde_json::{Value, json};

use super::args::PredictArgs;
use super::drive::Drive;
use super::predict_desk::Desk;
use super::predict_tasks::{Asked, asked, measures};
use crate::disk::path_text;
use crate::raster::is_tile_folder;
use crate::session::{Command, LayerKind};
use crate::train::{DecisionThreshold, FileEnd, FileTask, FilesPlan, Flips, IfBegun};

/// Predicts images into files. Blocks go to the disk as they are finished, whatever the size of
/// the image.
pub fn run(args: &PredictArgs) -> anyhow::Result<()> {
    let began = Instant::now();
    let is_many = |image: &&PathBuf| image.is_dir() && !is_tile_folder(image);
    if let Some(image) = args.image.as_ref().filter(is_many) {
        let image = image.display();
        bail!("Name one image, or a folder with --images: {image}");
    }
    let asked = asked(args)?;
    let can_begin = asked.iter().filter(|asked| asked.fault.is_none());
    let tasks: Vec<FileTask> = can_begin.map(|asked| asked.task.clone()).collect();
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
    let plan = match args.threshold {
        Some(probability) => plan.decided_at(DecisionThreshold::new(probability)?)?,
        None => plan,
    };
    let mut desk = Desk::new(&tasks).among_others(args.images.is_some());
    asked.iter().for_each(note_fault);
    desk.follow(plan)?;
    if args.images.is_some() {
        let ended = ended(&asked, std::mem::take(&mut desk.ends));
        return tell_many(args, desk.device.as_deref(), &ended, began.elapsed());
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

/// Says why an image of many is not even begun.
fn note_fault(asked: &Asked) {
    if let Some(why) = &asked.fault {
        let image = asked.task.image.display();
        eprintln!("note: {image} was not predicted: {why}");
    }
}

/// How each image ended: `ends` are those of the images that could begin.
fn ended(asked: &[Asked], ends: Vec<FileEnd>) -> Vec<(&FileTask, FileEnd)> {
    let mut ends = ends.into_iter();
    let mut all = Vec::new();
    for Asked { task, fault } in asked {
        let end = match fault {
            Some(why) => Some(FileEnd::Failed(why.clone())),
            None => ends.next(),
        };
        all.extend(end.map(|end| (task, end)));
    }
    all
}

/// A summary of many images. Fails when one of them failed.
fn tell_many(
    args: &PredictArgs,
    device: Option<&str>,
    ended: &[(&FileTask, FileEnd)],
    took: Duration,
) -> anyhow::Result<()> {
    let count = |wanted: fn(&FileEnd) -> bool| ended.iter().filter(|(_, end)| wanted(end)).count();
    let done = count(|end| matches!(end, FileEnd::Done(_)));
    let before = count(|end| matches!(end, FileEnd::DoneBefore));
    let failed = count(|end| matches!(end, FileEnd::Failed(_)));
    let seconds = took.as_secs_f64();
    if args.json {
        let images = ended.iter().map(|(task, end)| entry(task, end));
        say!(
            "{}",
            json!({
                "device": device,
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
        ended.len()
    );
    Ok(())
}

fn entry(task: &FileTask, end: &FileEnd) -> Value {
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
