use super::{FinalScores, JudgedClass, RunRecord, ScoredOn};
use crate::metrics::Figure;

/// The figures of a run's best network, on each ground that it was scored on.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// The grounds: the test part before the one that the best epoch was selected on.
    pub grounds: Vec<ScoredOn>,
    /// Each figure that is known of one of them, with its values in their order.
    pub rows: Vec<(Figure, Vec<Option<f64>>)>,
}

impl RunSummary {
    /// From the final scores, else from the best epoch's row.
    pub fn of(record: &RunRecord) -> Self {
        let test = record.best_test();
        let scored: Vec<&FinalScores> = test.into_iter().chain(record.best_validation()).collect();
        if scored.is_empty() {
            return Self::of_row(record);
        }
        let mut rows: Vec<(Figure, Vec<Option<f64>>)> = Vec::new();
        for (at, (figure, _)) in scored[0].scores.summary().into_iter().enumerate() {
            let values = scored.iter().map(|on| on.scores.summary()[at].1);
            rows.push((figure, values.collect()));
        }
        let mut per_image = vec![None; scored.len()];
        let reading = record.test_reading.as_ref().filter(|_| test.is_some());
        per_image[0] = reading.and_then(|reading| reading.per_image.as_ref()?.per_image_mean_iou);
        rows.push((Figure::PerImageMeanIou, per_image));
        let judged = scored.iter().map(|scores| record.judged_class(scores.on));
        rows.extend(JudgedClass::rows(&judged.collect::<Vec<_>>()));
        rows.retain(|(_, values)| values.iter().any(Option::is_some));
        Self {
            grounds: scored.iter().map(|scores| scores.on).collect(),
            rows,
        }
    }

    /// Whether it says anything.
    pub fn is_known(&self) -> bool {
        let mut values = self.rows.iter().flat_map(|(_, values)| values);
        values.any(Option::is_some)
    }

    /// What a run of an older version knows.
    fn of_row(record: &RunRecord) -> Self {
        let figures = record.figures();
        Self {
            grounds: vec![figures.on],
            rows: vec![
                (Figure::MeanIou, vec![figures.mean_iou]),
                (Figure::PixelAccuracy, vec![figures.pixel_accuracy]),
                (Figure::MajorityBaseline, vec![figures.majority_baseline]),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_run::{TestRun, leaking_run, plain_run};
    use super::super::{report_html, report_markdown};
    use super::*;
    use crate::metrics::{Confusion, POOLED_OR_PER_IMAGE, PerImage};
    use crate::train::Judgement;

    /// The plain run, judged: the test part has the scores of the validation.
    fn judged(reads: u32) -> TestRun {
        judged_run(plain_run(), reads)
    }

    fn judged_run(run: TestRun, reads: u32) -> TestRun {
        let mut total = run.record().validation_scores.expect("written");
        total.on = ScoredOn::Test;
        let mut image = Confusion::new(2);
        image.add(&[0, 1], &[0, 0]);
        let mut per_image = PerImage::new(2, None);
        per_image.add(&image);
        let judgement = Judgement {
            total,
            reads,
            device: "Test card".to_owned(),
            seconds: 1.0,
            per_image: per_image.scores(),
            images: Vec::new(),
            binary: None,
            leaks: None,
        };
        judgement.save(run.path()).expect("written");
        run
    }

    #[test]
    fn test_scores_stand_beside_those_of_the_validation_with_their_reads() {
        let record = judged(2).record();
        let (text, html) = (report_markdown(&record, &[]), report_html(&record, &[]));
        for part in [
            "|  | test | validation, selected on it |",
            "| Mean IoU | 0.500 | 0.500 |",
            "| Mean IoU per image | 0.250 | – |",
            "The test part was judged 2 times; who chooses by its scores has used it up.",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        for part in [
            "<th></th><th>test</th><th>validation, selected on it</th>",
            "<th class=\"name\">Mean IoU per image</th><td>0.250</td><td>–</td>",
            "judged 2 times",
        ] {
            assert!(html.contains(part), "{part} is missing in\n{html}");
        }
        let once = report_markdown(&judged(1).record(), &[]);
        assert!(once.contains("The test part was judged once. "), "{once}");
    }

    #[test]
    fn scores_on_parts_that_are_not_apart_are_told_with_what_they_share() {
        let of_test = "The test part is not apart, so that scores on it may be too good: 5 test \
                       images are copied; split before";
        let of_validation = "The validation part is not apart, so that scores on it may be too \
                             good: 2 validation images are copied; split before";
        let pages = |run: &TestRun| {
            let record = run.record();
            [report_markdown(&record, &[]), report_html(&record, &[])]
        };
        for page in pages(&leaking_run()) {
            assert!(page.contains(of_validation), "{page}");
            assert!(!page.contains("test images"), "nothing was judged: {page}");
        }
        for page in pages(&judged_run(leaking_run(), 1)) {
            let place = |words: &str| page.find(words).expect(words);
            let caution = place("Scored on test ground");
            assert!(place(of_test) < place(of_validation), "{page}");
            assert!(place(of_validation) < caution, "{page}");
        }
        for page in pages(&judged(1)) {
            assert!(!page.contains("not apart"), "{page}");
        }
    }

    #[test]
    fn every_figure_of_a_report_is_defined_in_it() {
        for record in [plain_run().record(), judged(1).record()] {
            let (text, html) = (report_markdown(&record, &[]), report_html(&record, &[]));
            for (figure, _) in RunSummary::of(&record).rows {
                let definition = figure.definition();
                let line = format!("- {}: {}\n", definition.name, definition.words());
                assert!(text.contains(&line), "{line} is missing in\n{text}");
                let words = definition.formula;
                assert!(html.contains(words), "{words} is missing in\n{html}");
            }
            assert!(text.contains(POOLED_OR_PER_IMAGE) && html.contains(POOLED_OR_PER_IMAGE));
        }
    }

    #[test]
    fn scores_of_a_network_that_was_trained_further_are_not_shown() {
        let run = judged(1);
        let mut scores = run.record().test_scores.expect("written");
        scores.epoch = 1;
        scores.save(run.path()).expect("written");
        let record = run.record();
        assert_eq!(RunSummary::of(&record).grounds, [ScoredOn::Validation]);
        assert!(!report_markdown(&record, &[]).contains("The test part was judged"));
        assert_eq!(record.test_reading.map(|reading| reading.reads), Some(0));
    }

    #[test]
    fn a_run_of_an_older_version_has_the_figures_of_its_best_epoch() {
        let mut record = plain_run().record();
        record.validation_scores = None;
        let summary = RunSummary::of(&record);
        assert_eq!(summary.rows[0], (Figure::MeanIou, vec![Some(0.5)]));
        assert!(summary.is_known() && summary.rows.len() == 3);
        record.rows.clear();
        assert!(!RunSummary::of(&record).is_known());
    }
}
