use std::collections::BTreeMap;

use super::units::name_hash;
use super::{Assignment, Part, SampleId, frame_name, name_stem};

/// Cuts samples that were stated as one part into one for choosing ([`Part::Validation`]) and one
/// for judging ([`Part::Test`]), frames of one recording kept together.
///
/// Of a single recording the earlier half chooses and the later half judges; the `gap` frames (by
/// position) about the cut are left out, since neighbors show nearly the same. Samples that are no
/// frames are recordings of one frame.
pub fn cut_for_judging(samples: &[SampleId<'_>], gap: usize, seed: u64) -> Assignment {
    let mut recordings: BTreeMap<&str, Vec<(u32, usize)>> = BTreeMap::new();
    for (at, sample) in samples.iter().enumerate() {
        let stem = name_stem(sample.name);
        let (recording, number) =
            frame_name(stem).map_or((sample.name, 0), |frame| (frame.sequence, frame.frame));
        recordings.entry(recording).or_default().push((number, at));
    }
    let mut parts = vec![None; samples.len()];
    let mut notes = Vec::new();
    if recordings.len() == 1 {
        for (recording, mut frames) in recordings {
            frames.sort_unstable();
            let left_out = cut_in_time(&frames, gap, &mut parts);
            notes.push(format!(
                "All frames are of the recording {recording}: its earlier half chooses, its later \
                 half judges and {left_out} frames between them are left out, so the score is \
                 still that of a known place"
            ));
        }
    } else {
        let mut ordered: Vec<(&str, Vec<(u32, usize)>)> = recordings.into_iter().collect();
        ordered
            .sort_by_key(|(name, frames)| (std::cmp::Reverse(frames.len()), name_hash(seed, name)));
        let mut filled = [0, 0];
        for (_, frames) in ordered {
            let judges = filled[1] < filled[0];
            filled[usize::from(judges)] += frames.len();
            for (_, at) in frames {
                parts[at] = Some(if judges { Part::Test } else { Part::Validation });
            }
        }
    }
    for part in [Part::Validation, Part::Test] {
        if !parts.contains(&Some(part)) {
            notes.push(format!(
                "The {} part is empty: there are too few frames",
                part.word()
            ));
        }
    }
    Assignment::of(samples, &parts, notes)
}

/// Gives the earlier and the later half of `frames` their part; how many are left out.
fn cut_in_time(frames: &[(u32, usize)], gap: usize, parts: &mut [Option<Part>]) -> usize {
    // At least one frame of three stays on each side of the gap.
    let gap = gap.min(frames.len() / 3);
    let first = (frames.len() - gap).div_ceil(2);
    for (position, &(_, at)) in frames.iter().enumerate() {
        parts[at] = if position < first {
            Some(Part::Validation)
        } else if position < first + gap {
            None
        } else {
            Some(Part::Test)
        };
    }
    gap
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn cut(names: &[String], gap: usize) -> ([usize; 3], Assignment) {
        let samples: Vec<SampleId<'_>> = names
            .iter()
            .map(|name| SampleId::new(name, Path::new("")))
            .collect();
        let cut = cut_for_judging(&samples, gap, 1);
        let counts = [Part::Validation, Part::Test].map(|part| cut.count(part));
        (
            [counts[0], counts[1], names.len() - counts[0] - counts[1]],
            cut,
        )
    }

    #[test]
    fn one_drive_is_cut_in_time() {
        let names: Vec<String> = (0..101)
            .rev()
            .map(|at| format!("0016E5_{:05}", 7959 + 2 * at))
            .collect();
        let (counts, assignment) = cut(&names, 15);
        assert_eq!(counts, [43, 43, 15]);
        assert_eq!(assignment.part(100), Some(Part::Validation));
        assert_eq!(assignment.part(0), Some(Part::Test));
        assert_eq!(cut(&names[..3], 15).0, [1, 1, 1]);
        assert_eq!(cut(&names[..1], 15).1.notes.len(), 2);
        assert_eq!(cut(&[], 15).1.notes.len(), 2);
    }

    #[test]
    fn drives_stay_whole_when_there_are_several() {
        let names: Vec<String> = (0..60)
            .map(|at| format!("a{}_{at:05}.png", at % 3))
            .collect();
        let (counts, assignment) = cut(&names, 15);
        assert_eq!((counts[2], counts[0].min(counts[1])), (0, 20));
        for at in 3..60 {
            assert_eq!(assignment.part(at), assignment.part(at % 3));
        }
    }
}
