use anyhow::Context as _;

use super::args::TestArgs;
use super::drive::Drive;
use super::evaluate::table_text;
use crate::session::{Command, QueueCommand};
use crate::train::{Judgement, ScoredOn};

/// Judges a run's best network on its test part and prints the scores.
pub fn run(args: &TestArgs) -> anyhow::Result<()> {
    let mut drive = Drive::new("Test");
    drive.finish(Command::Queue(QueueCommand::Judge {
        run: args.run.clone(),
        on: ScoredOn::Test,
        device: args.device.clone(),
    }))?;
    let judgement = drive.session().judging().judgement.as_ref();
    let judgement = judgement.context("The judging ended unexpectedly")?;
    if args.json {
        say!("{}", serde_json::to_string(judgement)?);
        return Ok(());
    }
    say!("{}", table_text(&judgement.total.scores).trim_end());
    for line in more(judgement) {
        say!("{line}");
    }
    Ok(())
}

/// What the table of scores does not say.
fn more(judgement: &Judgement) -> Vec<String> {
    let ratio =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
    let mut lines = vec![format!(
        "\nmean IoU of an image         {}",
        ratio(judgement.per_image.per_image_mean_iou)
    )];
    if let Some(binary) = &judgement.binary {
        lines.push(format!(
            "F1 of {} within 3 px: {}; mean precision over IoU thresholds: {} (empty answers: {}); \
             images rightly called empty or not: {}",
            binary.name,
            ratio(binary.relaxed.f1()),
            ratio(binary.salt.mean()),
            ratio(binary.salt.empty_baseline()),
            ratio(binary.presence.presence_accuracy)
        ));
    }
    lines.push(format!(
        "epoch {}, {}, {:.1} s, judged {} time(s)",
        judgement.total.epoch, judgement.device, judgement.seconds, judgement.reads
    ));
    lines
}
