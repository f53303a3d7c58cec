use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde_json::json;

use super::args::{FinetuneArgs, ProjectArgs};
use super::drive::Drive;
use super::train::RowPrinter;
use crate::disk::path_text;
use crate::project::Project;
use crate::session::{Command, FinetuneCommand, FinetunePhase, ProjectPlace, Safety, Session};
use crate::train::{Decision, FinetuneOptions, LearnedFrom, SavedModel, Verdict};

/// Goes on from a model with what was corrected in a project.
pub fn run(args: &FinetuneArgs) -> anyhow::Result<()> {
    let mut drive = opened("Fine-tune", &args.of)?;
    ensure!(
        drive.session().safety() != Safety::ReadOnly,
        "A window or another program works on this project, so a new model could not come into use \
         in it. Close it there, or improve the model in that window (Train › Improve): {}",
        args.of.project.display()
    );
    let usual = if args.thorough {
        FinetuneOptions::thorough()
    } else {
        FinetuneOptions::default()
    };
    let options = FinetuneOptions {
        seed: args.seed.unwrap_or(usual.seed),
        epochs: args.epochs.unwrap_or(usual.epochs),
        steps_per_epoch: args.steps.unwrap_or(usual.steps_per_epoch),
        replay_share: args.replay.unwrap_or(usual.replay_share),
        device: args.device.clone(),
        ..usual
    };
    let mut printer = RowPrinter::new(args.json);
    let command = FinetuneCommand::Start {
        options: Box::new(options),
        parent: args.model.clone(),
        out: args.out.clone(),
    };
    drive.finish_with(Command::Finetune(command), |session| printer.look(session))?;
    let verdict = verdict_of(drive.session())?.clone();
    if args.activate && !verdict.promotes() {
        let run = drive.session().finetuning().run.clone();
        let run = run.context("The fine-tuning left no run")?;
        drive.finish(Command::Finetune(FinetuneCommand::Activate { run }))?;
    }
    let state = drive.session().finetuning();
    let run = state.run.as_deref();
    let learned = run.map(learned_from).transpose()?.flatten();
    if args.json {
        say!(
            "{}",
            json!({
                "run": run.map(path_text),
                "active": state.active.as_deref().map(path_text),
                "verdict": verdict,
                "learned": learned,
            })
        );
    } else {
        say!("{}", verdict_text(&verdict, learned.as_ref(), run));
    }
    Ok(())
}

/// What the model in `run` learned from.
fn learned_from(run: &Path) -> anyhow::Result<Option<LearnedFrom>> {
    let card = SavedModel::card_of(run)?;
    Ok(card.lineage.map(|lineage| lineage.learned))
}

/// An image of a project, opened with what is kept of it; `title` stands before the progress.
pub fn opened(title: &'static str, of: &ProjectArgs) -> anyhow::Result<Drive> {
    let project = &of.project;
    let path = match &of.image {
        Some(image) => image.clone(),
        None => only_image(project)?,
    };
    let mut drive = Drive::keeping(title, ProjectPlace::Beside { fallback: None });
    drive.finish(Command::Open { path })?;
    let found = drive.session().project_file();
    ensure!(
        found.is_some_and(|path| is_same(path, project)),
        "The project is not the one that belongs to the image, which must lie beside it or in its \
         folder: {}",
        project.display()
    );
    Ok(drive)
}

/// The image that the project is about.
fn only_image(project: &Path) -> anyhow::Result<PathBuf> {
    let images = Project::open_read_only(project)?.images()?;
    match &images[..] {
        [image] => Ok(image.path.clone()),
        [] => bail!("The project has no image yet: {}", project.display()),
        _ => bail!(
            "The project has {} images; say which with --image: {}",
            images.len(),
            project.display()
        ),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn verdict_of(session: &Session) -> anyhow::Result<&Verdict> {
    match &session.finetuning().phase {
        FinetunePhase::Judged(verdict) => Ok(verdict),
        FinetunePhase::Failed(why) => bail!("{why}"),
        phase => bail!("The fine-tuning ended unexpectedly ({phase:?})"),
    }
}

fn verdict_text(verdict: &Verdict, learned: Option<&LearnedFrom>, run: Option<&Path>) -> String {
    use std::fmt::Write as _;
    let mut text = match &verdict.decision {
        Decision::First => "the first model, active now".to_owned(),
        Decision::Promoted => "better: active now".to_owned(),
        Decision::Kept(why) => format!("the model before stays active: {why}"),
        Decision::NotMeasured(why) => format!("not measured: {why}"),
    };
    let mut line = |name: &str, value: Option<f64>| {
        if let Some(value) = value {
            write!(text, "\n{name:<28}{value:.4}").expect("a string takes any text");
        }
    };
    let mean = |scores: &Option<crate::metrics::Scores>| scores.as_ref()?.mean_iou;
    line("mean IoU before", mean(&verdict.before));
    line("mean IoU after", mean(&verdict.after));
    if let Some(gain) = &verdict.gain.mean_iou {
        line("gain", Some(gain.value));
        line("  at least (95 %)", Some(gain.low));
        line("  at most (95 %)", Some(gain.high));
    }
    if let Some(forgetting) = verdict.forgetting.as_ref().and_then(|at| at.gain.mean_iou) {
        line("gain on the first ground", Some(forgetting.value));
    }
    for (name, pixels) in learned.into_iter().flat_map(|learned| {
        [
            ("pixels learned from", learned.trusted_pixels),
            ("  accepted from predictions", learned.accepted_pixels),
            ("  not counted in the verdict", learned.not_judged_pixels),
        ]
    }) {
        write!(text, "\n{name:<28}{pixels}").expect("a string takes any text");
    }
    if let Some(run) = run {
        write!(text, "\n{}", run.display()).expect("a string takes any text");
    }
    text
}
