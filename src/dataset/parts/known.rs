use super::share::share_out;
use super::units::{Unit, units_of};
use super::{GroupBy, Part, PartRule, SampleId, Shares, frame_name, name_stem, tile_name};
use crate::dataset::DatasetError;
use crate::label::grouped;

/// A validation part that nobody stated.
pub(super) struct Cut {
    /// What stays together.
    pub(super) units: Vec<Unit>,
    /// The part of each of `units`.
    pub(super) parts: Vec<Part>,
    /// What could not be done.
    pub(super) notes: Vec<String>,
    /// The end of the sentence about it.
    pub(super) how: String,
}

impl Cut {
    /// Cuts it from the samples `among`.
    ///
    /// Tiles of one image and frames of one recording, which leaks between parts are told of, stay
    /// together as far as names tell, unless that makes a part far from the one asked for. Where
    /// `rule` says what a run that goes on holds out, that is how it is drawn again.
    ///
    /// # Errors
    /// As for [`share_out`].
    pub(super) fn known(
        samples: &[SampleId<'_>],
        among: &[usize],
        rule: &PartRule,
        shares: &Shares,
    ) -> Result<Self, DatasetError> {
        let drawn = |group| -> Result<Self, DatasetError> {
            let units = units_of(samples, among, group, rule.twins, rule.seed);
            let (parts, notes) = share_out(&units, shares)?;
            let how = String::new();
            Ok(Self {
                units,
                parts,
                notes,
                how,
            })
        };
        let (mut alone, mut together) = (drawn(None)?, drawn(Some(&GroupBy::Known))?);
        if together.units.len() == alone.units.len() {
            return Ok(alone);
        }
        let before = |cut: &Self| rule.held_out.as_ref() == Some(&cut.held_out(samples));
        let is_far = together.count() * 2 < alone.count() || together.count() > alone.count() * 3;
        let (by, since) = ties(samples, among);
        if before(&alone) || (is_far && !before(&together)) {
            alone.how = match (together.units.as_slice(), is_far) {
                ([all], _) => format!(", one by one, since by their names all are of {}", all.name),
                (_, true) => format!(
                    ", one by one, since held out by {by} they would be {}",
                    grouped(together.count() as u64)
                ),
                (_, false) => ", one by one, as when the run began".to_owned(),
            };
            return Ok(alone);
        }
        together.how = format!(", held out by {by}, since {since} resemble each other");
        Ok(together)
    }

    /// Number of samples of the validation part.
    pub(super) fn count(&self) -> usize {
        self.members().count()
    }

    fn members(&self) -> impl Iterator<Item = usize> {
        let units = self.units.iter().zip(&self.parts);
        let units = units.filter(|(_, part)| **part == Part::Validation);
        units.flat_map(|(unit, _)| unit.members.iter().copied())
    }

    /// The names of the validation part, in the order of `samples`.
    fn held_out(&self, samples: &[SampleId<'_>]) -> Vec<String> {
        let mut members: Vec<usize> = self.members().collect();
        members.sort_unstable();
        let names = members.iter().map(|&at| samples[at].name.to_owned());
        names.collect()
    }
}

/// What the names of the samples `among` tell to belong together, and of what.
fn ties(samples: &[SampleId<'_>], among: &[usize]) -> (&'static str, &'static str) {
    let stems = || among.iter().map(|&at| name_stem(samples[at].name));
    let are_tiles = stems().any(|stem| tile_name(stem).is_some());
    let is_frame = |stem| tile_name(stem).is_none() && frame_name(stem).is_some();
    match (are_tiles, stems().any(is_frame)) {
        (true, true) => (
            "parent image and by recording",
            "tiles of one image, and frames of one recording,",
        ),
        (true, false) => ("parent image", "tiles of one image"),
        (false, _) => ("recording", "frames of one recording"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Assignment, PartLists, PartWay, assign_parts};
    use super::*;

    fn assigned(names: &[String], split: PartWay) -> Assignment {
        ruled(names, split, None)
    }

    fn ruled(names: &[String], split: PartWay, held_out: Option<Vec<String>>) -> Assignment {
        let samples = names.iter();
        let samples = samples.map(|name| SampleId::new(name, Path::new("")));
        let rule = PartRule {
            split,
            held_out,
            ..PartRule::default()
        };
        let samples: Vec<SampleId<'_>> = samples.collect();
        assign_parts(&rule, &samples, &PartLists::default()).expect("parts")
    }

    fn usual() -> PartWay {
        PartWay::ByFolder {
            shares: Shares::default(),
        }
    }

    /// Names of `size` samples of each of 15 groups.
    fn names(size: usize, name: impl Fn(usize, usize) -> String) -> Vec<String> {
        let pairs = (0..15).flat_map(|group| (0..size).map(move |at| (group, at)));
        pairs.map(|(group, at)| name(group, at)).collect()
    }

    /// The usual parts keep groups of four whole and say what the groups are.
    #[track_caller]
    fn check(names: &[String], words: &str) {
        let found = assigned(names, usual());
        for four in found.samples.chunks(4) {
            assert!(four.iter().all(|sample| sample.part == four[0].part));
        }
        let held_out = found.count(Part::Validation);
        assert!((4..=8).contains(&held_out), "{held_out}");
        assert!(found.notes[0].contains(words), "{:?}", found.notes);
    }

    #[test]
    fn what_names_tell_to_be_of_one_image_or_recording_is_held_out_as_one() {
        let tiles = names(4, |group, at| format!("train/images/p{group}_{at}_0.png"));
        check(
            &tiles,
            ", held out by parent image, since tiles of one image ",
        );
        let frames = names(4, |group, at| format!("00{group:02}E5_{:05}.png", 30 * at));
        check(&frames, ", held out by recording, since frames of one ");
        // Shares that a person asks for are drawn one by one.
        let shares = Shares::default();
        let found = assigned(&tiles, PartWay::Ratio { shares });
        assert_eq!(found.count(Part::Validation), 6);
        assert!(found.notes.is_empty(), "{:?}", found.notes);
    }

    #[test]
    fn tiles_of_one_image_are_drawn_one_by_one_and_it_is_said() {
        let found = assigned(&names(4, |row, col| format!("p_{row}_{col}.png")), usual());
        assert_eq!(found.count(Part::Validation), 6);
        let words = "one by one, since by their names all are of p";
        assert!(found.notes[0].ends_with(words), "{:?}", found.notes);
        let single = assigned(&names(1, |group, _| format!("p{group}_0_0.png")), usual());
        assert!(single.notes[0].ends_with("are taken for it"));
    }

    #[test]
    fn groups_that_make_a_part_far_from_the_one_asked_for_are_not_kept() {
        let mut two: Vec<String> = (0..100).map(|at| format!("a_{at}_0.png")).collect();
        two.extend((0..100).map(|at| format!("b_{at}_0.png")));
        let found = assigned(&two, usual());
        assert_eq!(found.count(Part::Validation), 20);
        let words = "one by one, since held out by parent image they would be 100";
        assert!(found.notes[0].ends_with(words), "{:?}", found.notes);
        // Whichever comes first, the loose ones alone are too few.
        let mut loose: Vec<String> = (0..200).map(|at| format!("a_{at}_0.png")).collect();
        loose.extend((0..4).map(|at| format!("loose{at}.png")));
        let held_out = assigned(&loose, usual()).count(Part::Validation);
        assert!((20..=21).contains(&held_out), "{held_out}");
    }

    #[test]
    fn a_run_that_goes_on_holds_out_what_it_did() {
        let tiles = names(4, |group, at| format!("p{group}_{at}_0.png"));
        let held_out = |found: &Assignment| -> Vec<String> {
            let indices = found.indices(Part::Validation).into_iter();
            indices.map(|at| tiles[at].clone()).collect()
        };
        let shares = Shares::default();
        let grouped = held_out(&assigned(&tiles, usual()));
        let alone = held_out(&assigned(&tiles, PartWay::Ratio { shares }));
        assert_ne!(grouped, alone);
        let other = vec!["p0_0_0.png".to_owned()];
        for (before, expected) in [(&grouped, &grouped), (&alone, &alone), (&other, &grouped)] {
            let again = ruled(&tiles, usual(), Some(before.clone()));
            assert_eq!(held_out(&again), *expected);
        }
    }
}
