use super::units::{Unit, units_of};
use super::{GroupBy, PartRule, SampleId, frame_name, name_stem, tile_name};

/// The units of the samples `among` of which a validation part is drawn that nobody stated, and the
/// end of the sentence about it.
///
/// Tiles of one image and frames of one recording, which leaks between parts are told of, stay
/// together as far as names tell, unless all samples are of one.
pub(super) fn known_units(
    samples: &[SampleId<'_>],
    among: &[usize],
    rule: &PartRule,
) -> (Vec<Unit>, String) {
    let units = |group| units_of(samples, among, group, rule.twins, rule.seed);
    let (alone, grouped) = (units(None), units(Some(&GroupBy::Known)));
    if grouped.len() == alone.len() {
        return (alone, String::new());
    }
    if let [all] = grouped.as_slice() {
        let how = format!(", one by one, since by their names all are of {}", all.name);
        return (alone, how);
    }
    let stems = || among.iter().map(|&at| name_stem(samples[at].name));
    let are_tiles = stems().any(|stem| tile_name(stem).is_some());
    let is_frame = |stem| tile_name(stem).is_none() && frame_name(stem).is_some();
    let how = match (are_tiles, stems().any(is_frame)) {
        (true, true) => {
            "parent image and by recording, since tiles of one image, and frames of one recording,"
        }
        (true, false) => "parent image, since tiles of one image",
        (false, _) => "recording, since frames of one recording",
    };
    let how = format!(", held out by {how} resemble each other");
    (grouped, how)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Assignment, PartLists, PartWay, Shares, assign_parts};
    use super::*;
    use crate::dataset::Part;

    fn assigned(names: &[String], split: PartWay) -> Assignment {
        let samples = names.iter();
        let samples = samples.map(|name| SampleId::new(name, Path::new("")));
        let rule = PartRule {
            split,
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
}
