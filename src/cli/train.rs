use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::json;

use super::args::TrainArgs;
use super::drive::Drive;
use super::folds;
use crate::dataset::Corrections;
use crate::disk::path_text;
use crate::label::{Encoding, MaskDecisions};
use crate::session::{
    Command, FoldsOrder, ImportCommand, LayerKind, Session, TrainOn, TrainingPhase,
};
use crate::train::{EpochRow, Preset, Recipe, TrainError, VerdictPlan};

/// Trains and prints a line an epoch.
pub fn run(args: TrainArgs) -> anyhow::Result<()> {
    let recipe = recipe_of(&args)?;
    if let Some(data) = args.data.clone()
        && (args.folds.is_some() || !args.seeds.is_empty())
    {
        let out = args.out.context("Say where the runs go with --out DIR")?;
        let order = FoldsOrder {
            recipe,
            on: TrainOn::Corrected(data.clone(), args.corrections.given(Some(&data))?),
            folds: args.folds,
            seeds: args.seeds,
            folder: Some(out),
        };
        return folds::run(order, args.json);
    }
    let mut drive = Drive::new("Train");
    let corrections = args.corrections.given(args.data.as_deref())?;
    let own = Corrections {
        encoding: corrections.encoding,
        ..Corrections::default()
    };
    if args.data.is_none() && (corrections != own || args.resume.is_some() && !own.is_none()) {
        bail!(
            "--classes, --ignore-classes, --off-palette, --image-folder, --mask-folder, \
             --image-suffix, --mask-suffix, --mask-threshold and --voids-are-nodata go with --data"
        );
    }
    let on = match (&args.image, &args.data, &args.resume) {
        (_, _, Some(run)) => TrainOn::Resume(run.clone()),
        (Some(image), ..) => {
            open_labelled(&mut drive, image, &args)?;
            TrainOn::OpenImage
        }
        (None, Some(data), None) => TrainOn::Corrected(data.clone(), corrections),
        (None, None, None) => bail!("Give --image with --label, or --data, or --resume"),
    };
    let resumed = args.resume.clone();
    let out = args.out.or(args.resume);
    let out = out.context("Say where the run goes with --out DIR")?;
    if args.find_rate {
        return find_rate(&mut drive, recipe, on, out, args.json);
    }
    let report = train(&mut drive, recipe, on, out, args.json)?;
    if args.json {
        say!("{report}");
    }
    if let Some(run) = resumed.filter(|run| VerdictPlan::is_due(run)) {
        eprintln!("note: {}", TrainError::NotJudged(run));
    }
    Ok(())
}

/// Opens the image with its label, whose encoding may be stated.
fn open_labelled(drive: &mut Drive, image: &Path, args: &TrainArgs) -> anyhow::Result<()> {
    match &args.label {
        Some(label) if args.corrections.mask_encoding != Encoding::Auto => {
            open_pair(drive, image, None)?;
            drive.finish(Command::Import(ImportCommand::Take {
                path: label.clone(),
                decisions: MaskDecisions {
                    encoding: args.corrections.mask_encoding,
                    ..MaskDecisions::default()
                },
            }))
        }
        label => open_pair(drive, image, label.as_deref()),
    }
}

/// Opens an image with its label and nothing else.
pub fn open_pair(drive: &mut Drive, image: &Path, label: Option<&Path>) -> anyhow::Result<()> {
    drive.finish(Command::Open {
        path: image.to_owned(),
    })?;
    if let Some(path) = label {
        let path = path.to_owned();
        drive.finish(Command::OpenMask {
            layer: LayerKind::Label,
            path,
        })?;
    }
    Ok(())
}

/// Trains, printing epochs as they end, and gives the last JSON line.
pub fn train(
    drive: &mut Drive,
    recipe: Recipe,
    on: TrainOn,
    out: PathBuf,
    is_json: bool,
) -> anyhow::Result<serde_json::Value> {
    let mut printer = RowPrinter::new(is_json);
    let command = Command::StartTraining {
        recipe: Box::new(recipe),
        on,
        out: Some(out),
    };
    drive.finish_with(command, |session| printer.look(session))?;
    last_line(drive.session())
}

/// Prints the epochs of a training as they end.
pub struct RowPrinter {
    is_json: bool,
    printed: usize,
    has_forecast: bool,
}

impl RowPrinter {
    /// Nothing printed yet; lines of JSON or for people.
    pub const fn new(is_json: bool) -> Self {
        Self {
            is_json,
            printed: 0,
            has_forecast: false,
        }
    }

    /// Prints what is new.
    pub fn look(&mut self, session: &Session) {
        for row in session.training().rows.iter().skip(self.printed) {
            print_row(row, session, self.is_json);
            self.printed += 1;
        }
        if let Some(forecast) = &session.training().forecast
            && !self.has_forecast
            && !self.is_json
        {
            say!("{forecast}");
            self.has_forecast = true;
        }
    }
}

/// Searches a learning rate, and prints the table and what it says.
fn find_rate(
    drive: &mut Drive,
    recipe: Recipe,
    on: TrainOn,
    out: PathBuf,
    is_json: bool,
) -> anyhow::Result<()> {
    let recipe = Box::new(recipe);
    drive.finish(Command::FindRate {
        recipe,
        on,
        out: Some(out),
    })?;
    let search = drive.session().rate_search();
    let Some(report) = &search.report else {
        let why = search.failure.as_deref();
        bail!("{}", why.unwrap_or("The search ended early"));
    };
    if is_json {
        say!("{}", serde_json::to_string(report)?);
        return Ok(());
    }
    say!("{}", report.csv().trim_end());
    match &report.verdict {
        Some(verdict) => say!(
            "suggested learning rate: {:.1e} (the loss falls most steeply at {:.1e})",
            verdict.suggestion(),
            verdict.steepest
        ),
        None => say!("no learning rate is suggested: the loss did not fall at any"),
    }
    Ok(())
}

/// The recipe of a file, or else of a preset; without either the balanced one.
pub fn chosen_recipe(file: Option<&Path>, preset: Option<Preset>) -> anyhow::Result<Recipe> {
    let read = file.map(Recipe::load).transpose()?;
    Ok(read.unwrap_or_else(|| preset.unwrap_or(Preset::Balanced).recipe()))
}

fn recipe_of(args: &TrainArgs) -> anyhow::Result<Recipe> {
    let mut recipe = chosen_recipe(args.recipe.as_deref(), args.preset)?;
    recipe.epochs = args.epochs.unwrap_or(recipe.epochs);
    recipe.batch = args.batch.unwrap_or(recipe.batch);
    recipe.patch = args.patch.unwrap_or(recipe.patch);
    recipe.steps_per_epoch = args.steps.unwrap_or(recipe.steps_per_epoch);
    recipe.learning_rate = args.lr.unwrap_or(recipe.learning_rate);
    recipe.seed = args.seed.unwrap_or(recipe.seed);
    recipe.bands = args.bands.clone().unwrap_or(recipe.bands);
    recipe.device = args.device.clone().unwrap_or(recipe.device);
    Ok(recipe)
}

fn print_row(row: &EpochRow, session: &Session, is_json: bool) {
    if is_json {
        match serde_json::to_string(row) {
            Ok(line) => say!("{line}"),
            Err(error) => eprintln!("note: epoch {} cannot be printed ({error})", row.epoch),
        }
    } else {
        let recipe = session.training().recipe.as_ref();
        print_epoch("", row, recipe.map(|recipe| recipe.epochs));
    }
    // A pipe that is closed ends the program elsewhere; here it only ends the printing.
    drop(io::stdout().flush());
}

/// Prints an epoch in a line for people that begins with `title`; `epochs` is how many there may
/// be.
pub fn print_epoch(title: &str, row: &EpochRow, epochs: Option<u32>) {
    say!("{title}{}", epoch_line(row, epochs));
}

fn epoch_line(row: &EpochRow, epochs: Option<u32>) -> String {
    let ratio =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
    let epochs = epochs.map_or_else(String::new, |epochs| format!("/{epochs}"));
    format!(
        "epoch {:>3}{epochs}  train loss {:.4}  val loss {}  mean IoU {}  accuracy {} (majority \
         alone {})  {:.1} s{}",
        row.epoch,
        row.train_loss,
        ratio(Some(row.val_loss).filter(|loss| loss.is_finite())),
        ratio(row.mean_iou),
        ratio(row.pixel_accuracy),
        ratio(row.majority_baseline),
        row.seconds,
        if row.best { "  best" } else { "" },
    )
}

fn last_line(session: &Session) -> anyhow::Result<serde_json::Value> {
    match &session.training().phase {
        TrainingPhase::Ended(report) => Ok(json!({
            "status": report.status,
            "reason": report.reason,
            "best_epoch": report.best_epoch,
            "checkpoint": path_text(&report.checkpoint),
            "device": report.device,
            "seconds": report.seconds,
            "split": report.split,
        })),
        TrainingPhase::Failed(why) => bail!("{why}"),
        phase => bail!("The training ended unexpectedly ({phase:?})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_an_accuracy_stands_its_baseline() {
        let row = EpochRow {
            epoch: 3,
            train_loss: 0.5,
            val_loss: f64::NAN,
            mean_iou: Some(0.25),
            pixel_accuracy: Some(0.75),
            majority_baseline: Some(0.625),
            seconds: 2.0,
            best: true,
            ..EpochRow::default()
        };
        assert_eq!(
            epoch_line(&row, Some(9)),
            "epoch   3/9  train loss 0.5000  val loss –  mean IoU 0.2500  accuracy 0.7500 \
             (majority alone 0.6250)  2.0 s  best"
        );
    }
}
