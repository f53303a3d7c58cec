use std::path::Path;

use super::{Judgement, RunRecord, ScoredOn};
use crate::metrics::{Figure, RankingScores};

/// What a run's best network came to on one of its parts by the probabilities of one class of two.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassRanking {
    /// The part.
    pub on: ScoredOn,
    /// The name of the class.
    pub class: String,
    /// The scores.
    pub scores: RankingScores,
}

impl ClassRanking {
    /// The figures, in the order of [`Self::values`].
    pub const FIGURES: [Figure; 4] = [
        Figure::Auroc,
        Figure::AveragePrecision,
        Figure::F1AtHalf,
        Figure::F1AtThreshold,
    ];

    /// What the run in `folder` was judged, if that was the network of `best` epoch; `None` also
    /// where there are not two classes.
    pub(super) fn read(folder: &Path, on: ScoredOn, best: Option<u32>) -> Option<Self> {
        let judgement = Judgement::load(folder, on)?;
        let is_best = best.is_none_or(|best| best == judgement.total.epoch);
        let binary = judgement.binary.filter(|_| is_best)?;
        Some(Self {
            on,
            class: binary.name,
            scores: binary.ranking?,
        })
    }

    /// The value of each of [`Self::FIGURES`].
    pub const fn values(&self) -> [Option<f64>; 4] {
        let scores = &self.scores;
        [
            scores.auroc,
            scores.average_precision,
            scores.f1_at_half,
            scores.f1_at_threshold,
        ]
    }

    /// Which threshold the last figure is of, in a sentence without a period.
    pub fn threshold_words(&self) -> String {
        match (self.scores.threshold, self.on) {
            (Some(threshold), _) => format!(
                "The threshold of {} is a probability of {threshold:.3}, the best one on the \
                 validation part",
                self.class
            ),
            (None, ScoredOn::Test) => {
                "No threshold was chosen for this network: judge it on the validation part, then \
                 on the test part again"
                    .to_owned()
            }
            (None, ScoredOn::Validation) => format!(
                "No threshold can be chosen, since the validation part holds none of {}",
                self.class
            ),
        }
    }
}

impl RunRecord {
    /// Whether there are two classes, so that one of them can be ranked.
    pub fn is_binary(&self) -> bool {
        self.class_scores().len() == 2
    }

    /// The figures of [`ClassRanking::FIGURES`] on a ground, as far as it was judged.
    pub(super) fn ranked(&self, on: ScoredOn) -> [Option<f64>; 4] {
        let mut rankings = self.rankings.iter();
        let ranking = rankings.find(|ranking| ranking.on == on);
        ranking.map_or([None; 4], ClassRanking::values)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_run::{TestRun, plain_run};
    use super::super::{FinalTable, RunSummary, report_html, report_markdown};
    use super::*;
    use crate::metrics::{Confusion, PerImage, Presence, RelaxedCounts, SaltPrecision};
    use crate::train::BinaryJudgement;

    /// Judges the plain run on a part by the network of an epoch.
    fn judge(run: &TestRun, on: ScoredOn, epoch: u32, scores: RankingScores) {
        let mut total = run.record().validation_scores.expect("written");
        (total.on, total.epoch) = (on, epoch);
        let mut image = Confusion::new(2);
        image.add(&[0, 1], &[0, 0]);
        let mut per_image = PerImage::new(2, None);
        per_image.add(&image);
        let mut presence = Presence::default();
        presence.add(40, 30.0);
        let binary = BinaryJudgement {
            class: 1,
            name: "road".to_owned(),
            salt: SaltPrecision::default(),
            relaxed: RelaxedCounts::new(1, 3),
            presence: presence.scores(0.0),
            presence_at_threshold: None,
            ranking: Some(scores),
        };
        let judgement = Judgement {
            total,
            reads: 1,
            device: "Test card".to_owned(),
            seconds: 1.0,
            per_image: per_image.scores(),
            images: Vec::new(),
            binary: Some(binary),
        };
        judgement.save(run.path()).expect("written");
    }

    const CHOSEN: RankingScores = RankingScores {
        auroc: Some(0.875),
        average_precision: Some(0.75),
        f1_at_half: Some(0.5),
        threshold: Some(0.25),
        f1_at_threshold: Some(0.625),
    };

    #[test]
    fn a_judged_class_stands_in_summary_report_and_table() {
        let run = plain_run();
        judge(&run, ScoredOn::Test, 2, CHOSEN);
        let record = run.record();
        let rows = RunSummary::of(&record).rows;
        let value = |figure| rows.iter().find(|row| row.0 == figure).map(|row| &row.1);
        assert_eq!(value(Figure::Auroc), Some(&vec![Some(0.875), None]));
        assert_eq!(value(Figure::F1AtThreshold), Some(&vec![Some(0.625), None]));
        let text = report_markdown(&record, &[]);
        assert!(
            text.contains("| Area under the ROC curve | 0.875 | – |"),
            "{text}"
        );
        assert!(report_html(&record, &[]).contains("Average precision"));
        let other = plain_run();
        let table = FinalTable::of(&[record.clone(), other.record()]);
        assert_eq!(table.rows[0].ranked, CHOSEN_VALUES);
        assert_eq!(table.rows[1].ranked, [None; 4]);
        let csv = table.to_csv();
        let head = "mean_iou,auroc,average_precision,f1_at_half,f1_at_threshold,iou_ground";
        assert!(csv.contains(head), "{csv}");
        assert!(
            csv.contains(",0.875000,0.750000,0.500000,0.625000,"),
            "{csv}"
        );
        assert_eq!(csv.matches(",,,,,").count(), 1, "{csv}");
        let page = table.to_markdown();
        assert!(
            page.contains("| AUROC | AP | F1 at 0.5 | F1 at t |"),
            "{page}"
        );
        assert!(page.contains("| 0.875 | 0.750 | 0.500 | 0.625 |"), "{page}");
        assert!(page.contains("| – | – | – | – |"), "{page}");
        assert!(table.to_html().contains(">F1 at t</th>"));
        assert!(record.rankings[0].threshold_words().contains("0.250"));
    }

    const CHOSEN_VALUES: [Option<f64>; 4] = [Some(0.875), Some(0.75), Some(0.5), Some(0.625)];

    #[test]
    fn a_judgement_of_another_network_does_not_count() {
        let run = plain_run();
        judge(&run, ScoredOn::Validation, 1, CHOSEN);
        assert_eq!(run.record().rankings, []);
        judge(&run, ScoredOn::Validation, 2, CHOSEN);
        let record = run.record();
        assert_eq!(record.ranked(ScoredOn::Validation), CHOSEN_VALUES);
        assert_eq!(record.ranked(ScoredOn::Test), [None; 4]);
        assert_eq!(FinalTable::of(&[record]).rows[0].ranked, CHOSEN_VALUES);
    }

    #[test]
    fn a_missing_threshold_says_what_to_do() {
        let ranking = |on| ClassRanking {
            on,
            class: "road".to_owned(),
            scores: RankingScores::default(),
        };
        let words = ranking(ScoredOn::Test).threshold_words();
        assert!(words.contains("judge it on the validation part"), "{words}");
        let words = ranking(ScoredOn::Validation).threshold_words();
        assert!(words.contains("holds none of road"), "{words}");
    }
}
