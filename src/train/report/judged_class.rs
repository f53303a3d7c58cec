use std::path::Path;

use super::{BinaryJudgement, Judgement, RunRecord, ScoredOn};
use crate::metrics::Figure;

/// What a run's best network came to on one of its parts for one class of two.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedClass {
    /// The part.
    pub on: ScoredOn,
    /// The class and its scores.
    pub binary: BinaryJudgement,
}

impl JudgedClass {
    /// What its probabilities tell: the figures that tables of runs have as columns, in the order
    /// of [`Self::ranked`].
    pub const RANKING: [Figure; 4] = [
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
        Some(Self { on, binary })
    }

    /// The value of each of [`Self::RANKING`]; nothing in judgements of older versions.
    pub fn ranked(&self) -> [Option<f64>; 4] {
        let scores = self.binary.ranking.unwrap_or_default();
        [
            scores.auroc,
            scores.average_precision,
            scores.f1_at_half,
            scores.f1_at_threshold,
        ]
    }

    /// Every figure with its value, in the order to read them; those of [`Self::RANKING`] first.
    pub fn figures(&self) -> Vec<(Figure, Option<f64>)> {
        let BinaryJudgement {
            salt,
            relaxed,
            presence,
            ..
        } = &self.binary;
        let more = [
            (Figure::SaltPrecision, salt.mean()),
            (Figure::SaltEmptyBaseline, salt.empty_baseline()),
            (Figure::RelaxedPrecision, relaxed.precision()),
            (Figure::RelaxedRecall, relaxed.recall()),
            (Figure::RelaxedF1, relaxed.f1()),
            (Figure::PresenceAccuracy, presence.presence_accuracy),
            (Figure::PresenceBaseline, presence.presence_baseline),
            (Figure::PresenceF1, presence.presence_f1),
            (Figure::PresenceAuroc, presence.presence_auroc),
        ];
        let ranked = Self::RANKING.into_iter().zip(self.ranked());
        ranked.chain(more).collect()
    }

    /// Each figure with its value on each of some parts, as far as they were judged.
    pub(super) fn rows(parts: &[Option<&Self>]) -> Vec<(Figure, Vec<Option<f64>>)> {
        let judged: Vec<_> = parts.iter().map(|part| part.map(Self::figures)).collect();
        let first = judged.iter().flatten().next().into_iter().flatten();
        let value = |at: usize| -> Vec<Option<f64>> {
            let values = judged.iter().map(|part| part.as_ref()?[at].1);
            values.collect()
        };
        let rows = first.enumerate();
        rows.map(|(at, (figure, _))| (*figure, value(at))).collect()
    }

    /// Which threshold the last of [`Self::RANKING`] is of, in a sentence without a period; `None`
    /// in judgements of older versions.
    pub fn threshold_words(&self) -> Option<String> {
        let name = &self.binary.name;
        let words = match (self.binary.ranking?.threshold, self.on) {
            (Some(threshold), _) => format!(
                "The threshold of {name} is a probability of {threshold:.3}, the best one on the \
                 validation part"
            ),
            (None, ScoredOn::Test) => "No threshold was chosen on the validation part".to_owned(),
            (None, ScoredOn::Validation) => format!(
                "No threshold can be chosen, since the validation part holds none of {name}"
            ),
        };
        Some(words)
    }
}

impl RunRecord {
    /// Whether there are two classes, so that one of them can be ranked.
    pub fn is_binary(&self) -> bool {
        self.class_scores().len() == 2
    }

    /// What one of two classes came to on a ground, if it was judged.
    pub(super) fn judged_class(&self, on: ScoredOn) -> Option<&JudgedClass> {
        self.judged_classes.iter().find(|class| class.on == on)
    }

    /// The figures of [`JudgedClass::RANKING`] on a ground, as far as it was judged.
    pub(super) fn ranked(&self, on: ScoredOn) -> [Option<f64>; 4] {
        self.judged_class(on).map_or([None; 4], JudgedClass::ranked)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_run::{TestRun, plain_run};
    use super::super::{FinalTable, RunSummary, report_html, report_markdown};
    use super::*;
    use crate::metrics::{
        BinaryCounts, Confusion, PerImage, Presence, RankingScores, RelaxedCounts, SaltPrecision,
    };

    /// A class that three images hold and that was seen in two of them; its masks
    /// are never right, and a fourth is rightly empty.
    fn road(ranking: Option<RankingScores>) -> BinaryJudgement {
        let (mut salt, mut presence) = (SaltPrecision::default(), Presence::default());
        for predicted in [3.0, 0.0, 3.0] {
            presence.add(4, predicted);
            salt.add(BinaryCounts {
                misses: 4,
                ..BinaryCounts::default()
            });
        }
        salt.add(BinaryCounts {
            rejections: 4,
            ..BinaryCounts::default()
        });
        let relaxed = RelaxedCounts {
            truth: 8,
            truth_near: 4,
            predicted: 4,
            predicted_near: 4,
            ..RelaxedCounts::new(1, 3)
        };
        BinaryJudgement {
            class: 1,
            name: "road".to_owned(),
            salt,
            relaxed,
            presence: presence.scores(0.0),
            presence_at_threshold: None,
            ranking,
        }
    }

    /// Judges the plain run on a part by the network of an epoch.
    fn judge(run: &TestRun, on: ScoredOn, epoch: u32, ranking: Option<RankingScores>) {
        let mut total = run.record().validation_scores.expect("written");
        (total.on, total.epoch) = (on, epoch);
        let mut image = Confusion::new(2);
        image.add(&[0, 1], &[0, 0]);
        let mut per_image = PerImage::new(2, None);
        per_image.add(&image);
        let judgement = Judgement {
            total,
            reads: 1,
            device: "Test card".to_owned(),
            seconds: 1.0,
            per_image: per_image.scores(),
            images: Vec::new(),
            binary: Some(road(ranking)),
            leaks: None,
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
        judge(&run, ScoredOn::Test, 2, Some(CHOSEN));
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
        let words = record.judged_classes[0].threshold_words();
        assert!(words.expect("chosen").contains("0.250"));
    }

    #[test]
    fn what_else_is_known_of_a_class_is_in_the_summary_with_its_baselines() {
        let run = plain_run();
        // As older versions judged: without what probabilities tell.
        judge(&run, ScoredOn::Test, 2, None);
        let record = run.record();
        let text = report_markdown(&record, &[]);
        for line in [
            "| Mean precision over IoU thresholds | 0.250 | – |",
            "| Mean precision of empty answers | 0.250 | – |",
            "| Relaxed precision | 1.000 | – |",
            "| Relaxed recall | 0.500 | – |",
            "| Relaxed F1 | 0.667 | – |",
            "| Image accuracy | 0.667 | – |",
            "| Image majority baseline | 1.000 | – |",
            "| Image F1 | 0.800 | – |",
            "- Image accuracy: Images rightly said",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("Image AUROC") && !text.contains("Average precision"));
        let html = report_html(&record, &[]);
        assert!(html.contains("<th class=\"name\">Relaxed F1</th><td>0.667</td><td>–</td>"));
        assert_eq!(record.judged_classes[0].threshold_words(), None);
    }

    const CHOSEN_VALUES: [Option<f64>; 4] = [Some(0.875), Some(0.75), Some(0.5), Some(0.625)];

    #[test]
    fn a_judgement_of_another_network_does_not_count() {
        let run = plain_run();
        judge(&run, ScoredOn::Validation, 1, Some(CHOSEN));
        assert_eq!(run.record().judged_classes, []);
        judge(&run, ScoredOn::Validation, 2, Some(CHOSEN));
        let record = run.record();
        assert_eq!(record.ranked(ScoredOn::Validation), CHOSEN_VALUES);
        assert_eq!(record.ranked(ScoredOn::Test), [None; 4]);
        assert_eq!(FinalTable::of(&[record]).rows[0].ranked, CHOSEN_VALUES);
    }

    #[test]
    fn a_missing_threshold_says_why() {
        let words = |on| {
            let binary = road(Some(RankingScores::default()));
            let words = JudgedClass { on, binary }.threshold_words();
            words.expect("judged by its probabilities")
        };
        let of_test = words(ScoredOn::Test);
        assert!(
            of_test.contains("No threshold was chosen on the validation part"),
            "{of_test}"
        );
        let words = words(ScoredOn::Validation);
        assert!(words.contains("holds none of road"), "{words}");
    }
}
