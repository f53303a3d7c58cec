use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::args::PredictArgs;
use super::drive::Drive;
use crate::session::{Command, LayerKind};

/// Predicts a whole image and writes the mask.
pub fn run(args: &PredictArgs) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut drive = Drive::new("Predict");
    drive.finish(Command::Open {
        path: args.image.clone(),
    })?;
    if let Some(device) = args.device.clone() {
        drive.finish(Command::SetPredictionDevice(device))?;
    }
    predict(&mut drive, &args.model, &args.out)?;
    let state = drive.session().prediction_state();
    let device = state.device.as_ref().map(|(name, _)| name.clone());
    if args.json {
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{}",
            json!({ "prediction": args.out, "device": device, "seconds": seconds })
        );
    } else {
        println!("{}", args.out.display());
    }
    Ok(())
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
