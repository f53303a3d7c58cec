use super::folds::{folds_of, sizes};
use super::known::Cut;
use super::share::share_out;
use super::units::{Unit, units_of};
use super::{
    Assignment, FoldUnit, GroupBy, Part, PartLists, PartRule, PartWay, SampleId, Shares, Twins,
    cut_for_judging,
};
use crate::dataset::DatasetError;
use crate::label::{count_of, grouped, subject_of};

/// Gives each of `samples` its part as `rule` says; `lists` is what the rule's list files hold.
///
/// # Errors
/// When there is nothing to train with, the numbers of the rule make no sense, or the rule makes
/// blocks within images (see [`super::block_parts`]).
pub fn assign_parts(
    rule: &PartRule,
    samples: &[SampleId<'_>],
    lists: &PartLists,
) -> Result<Assignment, DatasetError> {
    let all: Vec<usize> = (0..samples.len()).collect();
    let drawing = Drawing { rule, samples };
    match &rule.split {
        PartWay::Ratio { shares } => drawing.shared(drawing.units(&all, None), shares),
        PartWay::ByGroup { group, shares } => {
            let mut assignment = drawing.shared(drawing.units(&all, Some(group)), shares)?;
            assignment.notes.extend(without_group(samples, group));
            Ok(assignment)
        }
        PartWay::Stratified { strata, shares } => {
            let units = drawing.units(&all, None);
            let (units, num_strata) = strata.ordered(units, samples);
            let mut assignment = drawing.shared(units, shares)?;
            assignment.notes.extend(without_pixels(samples));
            let note = format!("The parts are mixed alike over {num_strata} strata");
            assignment.notes.push(note);
            Ok(assignment)
        }
        PartWay::ByFolder { shares } => {
            let parts = samples.iter().map(|sample| sample.stated_part).collect();
            drawing.stated(parts, Vec::new(), shares)
        }
        PartWay::ByFolderCut { gap } => drawing.cut_for_judging(*gap),
        PartWay::ByList { shares, .. } => {
            let (parts, notes) = lists.stated(samples);
            drawing.stated(parts, notes, shares)
        }
        PartWay::KFold { folds, fold, unit } => match unit {
            FoldUnit::File => drawing.folded(None, *folds, *fold),
            FoldUnit::Group { group } => drawing.folded(Some(group), *folds, *fold),
            FoldUnit::Block { .. } => Err(blocks_are_not_samples()),
        },
        PartWay::Blocks { .. } | PartWay::Given { .. } => Err(blocks_are_not_samples()),
    }
}

fn blocks_are_not_samples() -> DatasetError {
    DatasetError::TooLittle(
        "Blocks are cut within an image; choose another way to split whole images".to_owned(),
    )
}

/// A rule at work on some samples.
struct Drawing<'a> {
    rule: &'a PartRule,
    samples: &'a [SampleId<'a>],
}

impl Drawing<'_> {
    fn units(&self, among: &[usize], group: Option<&GroupBy>) -> Vec<Unit> {
        units_of(self.samples, among, group, self.rule.twins, self.rule.seed)
    }

    fn shared(&self, units: Vec<Unit>, shares: &Shares) -> Result<Assignment, DatasetError> {
        let (parts_of_units, notes) = share_out(&units, shares)?;
        let mut parts = vec![None; self.samples.len()];
        for (unit, part) in units.iter().zip(parts_of_units) {
            for &at in &unit.members {
                parts[at] = Some(part);
            }
        }
        Ok(Assignment::of(self.samples, &parts, notes))
    }

    /// One fold validates and the others train; what is stated as test stays so.
    fn folded(
        &self,
        group: Option<&GroupBy>,
        folds: u32,
        fold: u32,
    ) -> Result<Assignment, DatasetError> {
        let is_test = |at: &usize| self.samples[*at].stated_part == Some(Part::Test);
        let (test, among): (Vec<usize>, Vec<usize>) =
            (0..self.samples.len()).partition(|at| is_test(at));
        let units = self.units(&among, group);
        let fold_of = folds_of(&sizes(&units), folds, fold)?;
        let mut parts = vec![Some(Part::Test); self.samples.len()];
        for (unit, its_fold) in units.iter().zip(fold_of) {
            let part = if its_fold == fold {
                Part::Validation
            } else {
                Part::Train
            };
            for &at in &unit.members {
                parts[at] = Some(part);
            }
        }
        let mut notes: Vec<String> = group
            .and_then(|group| without_group(self.samples, group))
            .into_iter()
            .collect();
        if !test.is_empty() {
            let (one, many) = ("of the stated test part is", "of the stated test part are");
            let samples = subject_of(test.len(), "sample", one, many);
            notes.push(format!("{samples} in no fold"));
        }
        Ok(Assignment::of(self.samples, &parts, notes))
    }

    /// The stated parts, with a validation part cut from the training part when none is stated.
    fn stated(
        &self,
        mut parts: Vec<Option<Part>>,
        mut notes: Vec<String>,
        shares: &Shares,
    ) -> Result<Assignment, DatasetError> {
        let has = |parts: &[Option<Part>], part| parts.contains(&Some(part));
        let nameless = parts.iter().filter(|part| part.is_none()).count();
        if !has(&parts, Part::Train) {
            for part in &mut parts {
                *part = part.or(Some(Part::Train));
            }
        } else if nameless > 0 {
            let (one, many) = (
                "is in no stated part and is",
                "are in no stated part and are",
            );
            let samples = subject_of(nameless, "sample", one, many);
            notes.push(format!("{samples} left out"));
        }
        if !has(&parts, Part::Train) {
            return Err(DatasetError::TooLittle(
                "No sample is stated as training, so there is nothing to learn from; choose \
                 another way to split"
                    .to_owned(),
            ));
        }
        if !has(&parts, Part::Validation) {
            notes.extend(self.cut_validation(&mut parts, shares)?);
        }
        if shares.test > 0.0 && !has(&parts, Part::Test) {
            notes.push("The test part is empty: none is stated".to_owned());
        }
        notes.extend(self.parted_twins(&parts));
        Ok(Assignment::of(self.samples, &parts, notes))
    }

    /// The stated parts, of which the validation part is cut in two; what is stated as test stays
    /// out of the training.
    fn cut_for_judging(&self, gap: usize) -> Result<Assignment, DatasetError> {
        let parts = self.samples.iter().map(|sample| sample.stated_part);
        let stated = self.stated(parts.collect(), Vec::new(), &Shares::default())?;
        let held_out = stated.indices(Part::Validation);
        let samples: Vec<SampleId<'_>> = held_out.iter().map(|&at| self.samples[at]).collect();
        let cut = cut_for_judging(&samples, gap, self.rule.seed);
        let mut parts: Vec<Option<Part>> = (0..self.samples.len())
            .map(|at| stated.part(at).filter(|part| *part != Part::Test))
            .collect();
        for (place, &at) in held_out.iter().enumerate() {
            parts[at] = cut.part(place);
        }
        let notes = stated.notes.into_iter().chain(cut.notes).collect();
        Ok(Assignment::of(self.samples, &parts, notes))
    }

    fn cut_validation(
        &self,
        parts: &mut [Option<Part>],
        shares: &Shares,
    ) -> Result<Vec<String>, DatasetError> {
        let usual = Shares::default();
        let validation = if shares.validation > 0.0 {
            shares.validation
        } else {
            usual.validation
        };
        let cut = Shares {
            validation,
            test: 0.0,
            ..*shares
        };
        let is_train = |at: &usize| parts[*at] == Some(Part::Train);
        let train: Vec<usize> = (0..parts.len()).filter(is_train).collect();
        let cut = Cut::known(self.samples, &train, self.rule, &cut)?;
        let count = cut.count();
        for (unit, part) in cut.units.iter().zip(cut.parts) {
            for &at in &unit.members {
                parts[at] = Some(part);
            }
        }
        let (mut notes, how) = (cut.notes, cut.how);
        if count > 0 {
            notes.push(format!(
                "No validation part is stated, so {} of {} training samples are taken for it{how}",
                grouped(count as u64),
                grouped(train.len() as u64)
            ));
        }
        Ok(notes)
    }

    /// A word about samples of equal pixels that stated parts tear apart.
    fn parted_twins(&self, parts: &[Option<Part>]) -> Option<String> {
        let mut seen = std::collections::BTreeMap::new();
        let mut torn = 0;
        for (sample, part) in self.samples.iter().zip(parts) {
            if let (Some(fingerprint), Some(part)) = (sample.fingerprint, part) {
                torn += usize::from(seen.entry(fingerprint).or_insert(*part) != part);
            }
        }
        (torn > 0 && self.rule.twins == Twins::Together).then(|| {
            format!(
                "{torn} samples have the same pixels as one of another part; the stated parts are \
                 kept, so scores will be too good"
            )
        })
    }
}

fn without_group(samples: &[SampleId<'_>], group: &GroupBy) -> Option<String> {
    let alone = samples
        .iter()
        .filter(|sample| group.group_of(sample).is_none());
    let count = alone.count();
    let (one, many) = (
        "shows no group in its name and stands",
        "show no group in their name and stand",
    );
    (count > 0).then(|| subject_of(count, "sample", one, many) + " alone")
}

fn without_pixels(samples: &[SampleId<'_>]) -> Option<String> {
    let blank = samples
        .iter()
        .filter(|sample| sample.class_pixels.is_none());
    let count = blank.count();
    (count > 0).then(|| {
        format!(
            "The classes of {} are not known; they are taken as empty",
            count_of(count, "sample")
        )
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dataset::parts::Strata;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("{at:04}_x.png")).collect()
    }

    fn samples(names: &[String]) -> Vec<SampleId<'_>> {
        let sample = |name| SampleId::new(name, Path::new(""));
        names.iter().map(|name| sample(name.as_str())).collect()
    }

    fn rule(split: PartWay) -> PartRule {
        PartRule {
            split,
            ..PartRule::default()
        }
    }

    fn assigned(split: PartWay, samples: &[SampleId<'_>]) -> Assignment {
        assign_parts(&rule(split), samples, &PartLists::default()).expect("parts")
    }

    fn counts(assignment: &Assignment) -> [usize; 3] {
        Part::ALL.map(|part| assignment.count(part))
    }

    #[test]
    fn the_parts_follow_from_names_and_seed_alone() {
        let names = names(100);
        let mut samples = samples(&names);
        let shares = Shares::default();
        let sorted = |samples: &[SampleId<'_>], seed| {
            let rule = PartRule {
                seed,
                split: PartWay::Ratio { shares },
                ..PartRule::default()
            };
            let found = assign_parts(&rule, samples, &PartLists::default()).expect("parts");
            assert_eq!(counts(&found), [90, 10, 0]);
            let mut held: Vec<String> = found
                .samples
                .into_iter()
                .filter(|sample| sample.part == Some(Part::Validation))
                .map(|sample| sample.name)
                .collect();
            held.sort();
            held
        };
        let first = sorted(&samples, 1);
        samples.reverse();
        assert_eq!(sorted(&samples, 1), first);
        assert_ne!(sorted(&samples, 2), first);
        // Fixed for ever: a stored recipe must give the same parts in every version.
        assert_eq!(first[..3], FIRST_OF_SEED_1);
    }

    const FIRST_OF_SEED_1: [&str; 3] = ["0004_x.png", "0006_x.png", "0016_x.png"];

    #[test]
    fn groups_stay_whole() {
        let names: Vec<String> = (0..60)
            .map(|at| format!("p{}_{}_0.png", at / 4, at % 4))
            .collect();
        let samples = samples(&names);
        let shares = Shares {
            train: 8.0,
            validation: 1.0,
            test: 1.0,
        };
        let found = assigned(
            PartWay::ByGroup {
                group: GroupBy::Parent,
                shares,
            },
            &samples,
        );
        for four in found.samples.chunks(4) {
            assert!(four.iter().all(|sample| sample.part == four[0].part));
        }
        assert_eq!(counts(&found).iter().sum::<usize>(), 60);
        assert!(counts(&found).iter().all(|&count| count >= 4), "{found:?}");
    }

    #[test]
    fn twins_stay_together() {
        let names = names(40);
        let mut samples = samples(&names);
        for (at, sample) in samples.iter_mut().enumerate() {
            sample.fingerprint = Some(at as u64 / 2);
        }
        for split in [
            PartWay::Ratio {
                shares: Shares::default(),
            },
            PartWay::KFold {
                folds: 4,
                fold: 1,
                unit: FoldUnit::File,
            },
        ] {
            let found = assigned(split, &samples);
            for two in found.samples.chunks(2) {
                assert_eq!(two[0].part, two[1].part);
            }
        }
    }

    #[test]
    fn validation_is_cut_from_training_when_none_is_stated_and_said() {
        let names = names(50);
        let mut samples = samples(&names);
        for (at, sample) in samples.iter_mut().enumerate() {
            sample.stated_part = Some(if at < 40 { Part::Train } else { Part::Test });
        }
        let split = PartWay::ByFolder {
            shares: Shares::default(),
        };
        let found = assigned(split.clone(), &samples);
        assert_eq!(counts(&found), [36, 4, 10]);
        assert!(found.notes[0].contains("4 of 40"), "{:?}", found.notes);
        for sample in &mut samples {
            sample.stated_part = Some(Part::Test);
        }
        assert!(assign_parts(&rule(split), &samples, &PartLists::default()).is_err());
    }

    #[test]
    fn lists_give_parts_and_the_rest_is_left_out() {
        let names = names(4);
        let mut lists = PartLists::default();
        lists.add(Part::Train, "0000_x\n0001_x");
        lists.add(Part::Validation, "0002_x");
        let split = PartWay::ByList {
            lists: Default::default(),
            shares: Shares::default(),
        };
        let found = assign_parts(&rule(split), &samples(&names), &lists).expect("parts");
        assert_eq!((counts(&found), found.part(3)), ([2, 1, 0], None));
        assert_eq!(found.notes.len(), 1);
    }

    #[test]
    fn every_sample_validates_in_one_fold() {
        let names = names(23);
        let mut samples = samples(&names);
        samples[5].stated_part = Some(Part::Test);
        let mut validated = [0; 23];
        for fold in 0..5 {
            let split = PartWay::KFold {
                folds: 5,
                fold,
                unit: FoldUnit::File,
            };
            let found = assigned(split, &samples);
            assert_eq!(found.indices(Part::Test), [5]);
            for at in found.indices(Part::Validation) {
                validated[at] += 1;
            }
        }
        validated[5] += 1;
        assert_eq!(validated, [1; 23]);
    }

    #[test]
    fn a_stated_validation_part_is_cut_in_time() {
        let names: Vec<String> = (0..40)
            .map(|at| format!("0016E5_{:05}.png", 100 + 30 * at))
            .collect();
        let mut samples = samples(&names);
        for (at, sample) in samples.iter_mut().enumerate() {
            sample.stated_part = Some([Part::Train, Part::Validation][at / 20]);
        }
        let found = assigned(PartWay::ByFolderCut { gap: 4 }, &samples);
        assert_eq!(counts(&found), [20, 8, 8]);
        assert_eq!(found.part(20), Some(Part::Validation));
        assert_eq!((found.part(29), found.part(39)), (None, Some(Part::Test)));
    }

    #[test]
    fn strata_are_shared_alike() {
        let names = names(100);
        let pixels: Vec<[u64; 2]> = (0..100).map(|at| [100, at / 60 * at]).collect();
        let mut samples = samples(&names);
        for (sample, pixels) in samples.iter_mut().zip(&pixels) {
            sample.class_pixels = Some(pixels);
        }
        for strata in [
            Strata::Occurrence,
            Strata::Coverage {
                classes: vec![1],
                bins: 2,
            },
        ] {
            let split = PartWay::Stratified {
                strata,
                shares: Shares::default(),
            };
            let found = assigned(split, &samples);
            let empty = found.indices(Part::Validation);
            let empty = empty.iter().filter(|&&at| pixels[at][1] == 0).count();
            assert_eq!((counts(&found), empty), ([90, 10, 0], 6));
        }
    }

    #[test]
    fn an_assignment_is_stored_and_read_again() {
        let names = names(3);
        let found = assigned(
            PartWay::Ratio {
                shares: Shares::default(),
            },
            &samples(&names),
        );
        let text = serde_json::to_string(&found).expect("a text");
        assert!(text.contains("\"part\":\"validation\""), "{text}");
        assert_eq!(
            serde_json::from_str::<Assignment>(&text).expect("an assignment"),
            found
        );
    }
}
