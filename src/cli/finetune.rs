use std::path::{Path, PathBuf, absolute};

use anyhow::{Context as _, bail, ensure};
use serde_json::json;

use super::args::{FinetuneArgs, ProjectArgs};
use super::drive::Drive;
use super::train::RowPrinter;
use crate::disk::{folder_of, is_same_file, path_text};
use crate::label::grouped;
use crate::project::{Project, project_path};
use crate::session::{
    Command, FinetuneCommand, FinetunePhase, ImageEntry, ProjectPlace, Safety, Session, StepTo,
};
use crate::train::{
    Decision, Elsewhere, FinetuneOptions, Forgetting, LearnedFrom, SavedModel, Unlabeled, Verdict,
};

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
        unlabeled: args.unlabeled.map(|share| Unlabeled {
            share,
            ..Unlabeled::default()
        }),
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
    let folder = absolute(folder_of(project))?;
    let is_of_image = is_same_file(&project_path(&path), project);
    if !is_of_image && is_same_file(&project_path(&folder), project) {
        open_of_folder(&mut drive, folder, &path)?;
    } else {
        drive.finish(Command::Open { path })?;
    }
    let found = drive.session().project_file();
    ensure!(
        found.is_some_and(|path| is_same_file(path, project)),
        "The project is not the one that belongs to the image, which must lie beside it or in its \
         folder: {}",
        project.display()
    );
    Ok(drive)
}

/// Opens a folder and of its images this one.
fn open_of_folder(drive: &mut Drive, folder: PathBuf, image: &Path) -> anyhow::Result<()> {
    drive.finish(Command::Open { path: folder })?;
    let list = drive.session().list();
    let list = list.context("The project's folder cannot be opened as a folder of images")?;
    let is_wanted = |entry: &ImageEntry| is_same_file(&entry.image, image);
    let at = list.entries.iter().position(is_wanted);
    let at = at.with_context(|| {
        format!(
            "The image is none of the project's folder; name one of those: {}",
            image.display()
        )
    })?;
    if list.current != Some(at) {
        drive.finish(Command::Step(StepTo::Index(at)))?;
    }
    Ok(())
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
    text.push_str(&class_table(verdict));
    let mut put = |name: &str, words: String| {
        write!(text, "\n{name:<27} {words}").expect("a string takes any text");
    };
    if let Some(gain) = (verdict.forgetting.as_ref()).and_then(Forgetting::in_words) {
        put("gain on the first ground", gain);
    }
    if let Some(gain) = (verdict.elsewhere.as_ref()).and_then(Elsewhere::in_words) {
        put("gain on the ground before", gain);
    }
    if let Some(learned) = learned {
        put("pixels learned from", grouped(learned.trusted_pixels));
        let accepted = grouped(learned.accepted_pixels);
        put("  accepted from predictions", accepted);
        put("  not counted in the verdict", not_judged_words(learned));
    }
    if let Some(run) = run {
        write!(text, "\n{}", run.display()).expect("a string takes any text");
    }
    text
}

/// How much of the held-out ground does not judge.
fn not_judged_words(learned: &LearnedFrom) -> String {
    let [pixels, all] = [learned.not_judged_pixels, learned.held_out_pixels].map(grouped);
    match learned.not_judged_percent() {
        Some(percent) => format!("{pixels} of {all} held out ({percent:.1} %)"),
        None => pixels,
    }
}

/// Before and after, of all and of each class, on the judging blocks, with intervals.
fn class_table(verdict: &Verdict) -> String {
    use std::fmt::Write as _;
    let rows = verdict.rows();
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n{} blocks of held-out ground, read {}",
        verdict.blocks,
        verdict.reads_in_words()
    );
    let mut line = |name: &str, [before, after, gain, interval]: [&str; 4]| {
        write!(
            text,
            "\n{name:<27} {before:>8}{after:>8}{gain:>8}  {interval}"
        )
        .expect("a string takes any text");
    };
    line("IoU", ["before", "after", "points", "95 %"]);
    for row in &rows {
        let ratio =
            |iou: Option<f64>| iou.map_or_else(|| "-".to_owned(), |iou| format!("{iou:.4}"));
        let gain = row.gain.map(|gain| format!("{:+.1}", gain * 100.0));
        line(
            &row.name,
            [
                &ratio(row.before),
                &ratio(row.after),
                gain.as_deref().unwrap_or("-"),
                row.interval_in_points().as_deref().unwrap_or("-"),
            ],
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::ClassTable;
    use crate::metrics::{Confusion, Estimate, PairedGain, Scores};

    fn scores(right: u64) -> Scores {
        let mut counts = Confusion::new(2);
        counts.add_many(0, 0, 100);
        counts.add_many(1, 1, right);
        counts.add_many(1, 0, 100 - right);
        Scores::new(&counts, &ClassTable::road())
    }

    fn verdict(blocks: usize) -> Verdict {
        let gain = Estimate {
            value: 0.25,
            low: 0.1,
            high: 0.314,
        };
        Verdict {
            decision: Decision::Promoted,
            before: Some(scores(50)),
            after: Some(scores(75)),
            gain: PairedGain {
                mean_iou: Some(gain),
                per_class: vec![None, Some(gain)],
            },
            blocks,
            reads: 3,
            test_reads: 1,
            forgetting: None,
            elsewhere: None,
            seconds: 1.0,
        }
    }

    #[test]
    fn each_class_has_a_line_with_its_interval() {
        let road = ClassTable::road().name_of(1);
        let line = |blocks| {
            let text = verdict_text(&verdict(blocks), None, None);
            assert!(text.contains("read 3 times by this and other models, 1 of them when"));
            let mut lines = text.lines();
            let of_road = lines.find(|line| line.starts_with(&road));
            let words = of_road.expect("a line").split_whitespace();
            words
                .skip(road.split_whitespace().count())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(line(8), "0.5000 0.7500 +25.0 +10.0 to +31.4");
        assert_eq!(line(7), "0.5000 0.7500 +25.0 -", "too few for an interval");
    }

    #[test]
    fn what_does_not_judge_is_a_share_where_all_was_counted() {
        let words = |held_out_pixels| {
            not_judged_words(&LearnedFrom {
                not_judged_pixels: 30,
                held_out_pixels,
                ..LearnedFrom::default()
            })
        };
        assert_eq!(words(400), "30 of 400 held out (7.5 %)");
        assert_eq!(words(0), "30", "an earlier version");
    }

    #[test]
    fn names_and_numbers_stand_apart() {
        let learned = LearnedFrom {
            trusted_pixels: 1_234_567,
            held_out_pixels: 131_072,
            ..LearnedFrom::default()
        };
        let text = verdict_text(&verdict(8), Some(&learned), None);
        assert!(
            text.contains("not counted in the verdict 0 of 131,072 held out"),
            "{text}"
        );
        assert!(text.contains(" 1,234,567"), "{text}");
    }
}
