use anyhow::Context as _;

use super::args::TestArgs;
use super::drive::Drive;
use super::evaluate::table_text;
use crate::label::count_of;
use crate::session::{Command, QueueCommand};
use crate::train::{BinaryJudgement, Judgement, ScoredOn};

/// Judges a run's best network on one of its held-out parts and prints the scores.
pub fn run(args: &TestArgs) -> anyhow::Result<()> {
    let mut drive = Drive::new("Test");
    drive.finish(Command::Queue(QueueCommand::Judge {
        run: args.run.clone(),
        on: args.part,
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
    let mut lines = vec![format!(
        "\nmean IoU of an image         {}",
        ratio(judgement.per_image.per_image_mean_iou)
    )];
    if let Some(binary) = &judgement.binary {
        lines.push(format!(
            "F1 of {} within 3 px: {}; mean precision over IoU thresholds: {} (empty answers: {}); \
             images rightly called empty or not: {} (the same answer for all: {})",
            binary.name,
            ratio(binary.relaxed.f1()),
            ratio(binary.salt.mean()),
            ratio(binary.salt.empty_baseline()),
            ratio(binary.presence.presence_accuracy),
            ratio(binary.presence.presence_baseline)
        ));
        lines.extend(thresholds(binary, judgement.total.on));
    }
    let part = match judgement.total.on {
        ScoredOn::Validation => "the validation part, which is there to choose by,",
        ScoredOn::Test => "the test part",
    };
    lines.push(format!(
        "epoch {}, {}, {:.1} s, {part} was judged {}",
        judgement.total.epoch,
        judgement.device,
        judgement.seconds,
        count_of(judgement.reads as usize, "time")
    ));
    lines.extend(
        judgement
            .leaks
            .iter()
            .map(|leaks| format!("warning: {leaks}")),
    );
    lines
}

/// What the probabilities of the class that is looked for tell, and the thresholds.
fn thresholds(binary: &BinaryJudgement, on: ScoredOn) -> Vec<String> {
    let Some(ranking) = &binary.ranking else {
        return Vec::new();
    };
    let mut lines = vec![format!(
        "AUROC of {}: {}; average precision: {}; F1 at 0.5: {}",
        binary.name,
        ratio(ranking.auroc),
        ratio(ranking.average_precision),
        ratio(ranking.f1_at_half)
    )];
    let how = match on {
        ScoredOn::Validation => "the best on this part, which chooses it",
        ScoredOn::Test => "chosen on the validation part",
    };
    lines.push(match (ranking.threshold, on) {
        (Some(threshold), _) => format!(
            "F1 at {threshold:.3}, {how}: {}",
            ratio(ranking.f1_at_threshold)
        ),
        (None, ScoredOn::Validation) => {
            "No threshold can be chosen, since this part holds none of the class".to_owned()
        }
        (None, ScoredOn::Test) => "No threshold was chosen on the validation part".to_owned(),
    });
    lines.extend(binary.presence_at_threshold.as_ref().map(|presence| {
        format!(
            "Images rightly called empty or not, with more than {:.1} pixels, {how}: {} (the same \
             answer for all: {})",
            presence.threshold,
            ratio(presence.presence_accuracy),
            ratio(presence.presence_baseline)
        )
    }));
    lines
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Presence, RankingScores, RelaxedCounts, SaltPrecision};

    fn said(threshold: Option<f64>, on: ScoredOn) -> String {
        let mut images = Presence::default();
        images.add(40, 30.0);
        let binary = BinaryJudgement {
            class: 1,
            name: "disc".to_owned(),
            salt: SaltPrecision::default(),
            relaxed: RelaxedCounts::new(1, 3),
            presence: images.scores(0.0),
            presence_at_threshold: threshold.map(|_| images.scores(12.5)),
            ranking: Some(RankingScores {
                auroc: Some(0.75),
                threshold,
                f1_at_threshold: threshold.map(|_| 0.625),
                ..RankingScores::default()
            }),
        };
        thresholds(&binary, on).join("\n")
    }

    #[test]
    fn a_threshold_is_said_with_where_it_was_chosen() {
        let text = said(Some(0.35), ScoredOn::Test);
        assert!(
            text.contains("AUROC of disc: 0.7500; average precision: –"),
            "{text}"
        );
        assert!(
            text.contains("F1 at 0.350, chosen on the validation part: 0.6250"),
            "{text}"
        );
        assert!(
            text.contains("with more than 12.5 pixels, chosen on"),
            "{text}"
        );
        let beside = "part: 1.0000 (the same answer for all: 1.0000)";
        assert!(text.ends_with(beside), "{text}");
        let text = said(Some(0.35), ScoredOn::Validation);
        assert!(
            text.contains("the best on this part, which chooses it: 0.6250"),
            "{text}"
        );
    }

    #[test]
    fn a_missing_threshold_says_why() {
        let text = said(None, ScoredOn::Test);
        assert!(
            text.contains("No threshold was chosen on the validation part"),
            "{text}"
        );
        assert!(said(None, ScoredOn::Validation).contains("holds none of the class"));
    }
}
