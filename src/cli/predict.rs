use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::args::PredictArgs;
use super::drive::Drive;
use super::say::refuse_to_overwrite;
use crate::disk::folder_of;
use crate::label::SaveAs;
use crate::session::{Command, LayerKind, Predicting};
use crate::train::Flips;

/// Predicts a whole image and writes the mask.
pub fn run(args: &PredictArgs) -> anyhow::Result<()> {
    let began = Instant::now();
    let inputs = [&args.image, &args.model];
    for out in [Some(&args.out), args.certainty.as_ref()]
        .into_iter()
        .flatten()
    {
        refuse_to_overwrite(out, inputs.into_iter().map(AsRef::as_ref))?;
        check_out(out)?;
    }
    ensure!(
        !args.image.is_dir(),
        "Name one image, not a folder: {}",
        args.image.display()
    );
    let mut drive = Drive::new("Predict");
    drive.finish(Command::Open {
        path: args.image.clone(),
    })?;
    if let Some(device) = args.device.clone() {
        drive.finish(Command::SetPredicting(Predicting::Device(device)))?;
    }
    if args.tta {
        drive.finish(Command::SetPredicting(Predicting::Flips(Flips::All)))?;
    }
    drive.finish(Command::SetPredicting(Predicting::Certainty(
        args.certainty_by,
    )))?;
    predict(&mut drive, &args.model, &args.out)?;
    if let Some(path) = args.certainty.clone() {
        let layer = LayerKind::Certainty;
        drive.finish(Command::SaveAs { layer, path })?;
    }
    let state = drive.session().prediction_state();
    let device = state.device.as_ref().map(|(name, _)| name.clone());
    if args.json {
        let seconds = began.elapsed().as_secs_f64();
        say!(
            "{}",
            json!({ "prediction": args.out, "device": device, "seconds": seconds })
        );
    } else {
        say!("{}", args.out.display());
    }
    Ok(())
}

/// Refuses before hours of work what could not be written after it.
fn check_out(out: &Path) -> anyhow::Result<()> {
    SaveAs::of_path(out)
        .with_context(|| format!("Masks are written as .tif or .png: {}", out.display()))?;
    tempfile::Builder::new()
        .prefix(".orthobrush-")
        .tempfile_in(folder_of(out))
        .map(drop)
        .with_context(|| format!("Nothing can be written there: {}", out.display()))
}

/// Predicts the open image with a run's best network and saves the mask.
pub fn predict(drive: &mut Drive, run: &Path, out: &Path) -> anyhow::Result<()> {
    drive.finish(Command::Predict {
        run: Some(run.to_owned()),
    })?;
    let path: PathBuf = out.to_owned();
    drive.finish(Command::SaveAs {
        layer: LayerKind::Prediction,
        path,
    })
}
