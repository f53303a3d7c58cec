use super::units::Unit;
use super::{Part, Shares};
use crate::dataset::DatasetError;

/// The part of each of `units`, taken in their order: every unit goes to the part that lacks most
/// of its share so far, so each stretch of the order is shared out like the whole.
///
/// A part that would stay empty gets the smallest unit of a part that has more than one. The notes
/// say what could not be done.
///
/// # Errors
/// When a share is no number or there is nothing to train with.
pub(super) fn share_out(
    units: &[Unit],
    shares: &Shares,
) -> Result<(Vec<Part>, Vec<String>), DatasetError> {
    let normal = shares.normal().map_err(DatasetError::TooLittle)?;
    if units.is_empty() {
        return Err(DatasetError::TooLittle(
            "There is no sample to share out between the parts; add labelled images".to_owned(),
        ));
    }
    let sizes: Vec<usize> = units.iter().map(|unit| unit.members.len()).collect();
    let mut given = [0usize; 3];
    let mut seen = 0;
    let mut parts = Vec::with_capacity(units.len());
    for &size in &sizes {
        seen += size;
        let lack = |part: Part| normal[part as usize] * seen as f64 - given[part as usize] as f64;
        let neediest = shares.asked().fold(Part::Train, |best, part| {
            if lack(part) > lack(best) + 1e-9 {
                part
            } else {
                best
            }
        });
        given[neediest as usize] += size;
        parts.push(neediest);
    }
    let mut notes = Vec::new();
    for part in shares.asked() {
        notes.extend(fill_empty(part, &sizes, units, &mut parts));
    }
    Ok((parts, notes))
}

/// Gives `part` a unit when it has none; the sentence about it, if one is due.
fn fill_empty(part: Part, sizes: &[usize], units: &[Unit], parts: &mut [Part]) -> Option<String> {
    if parts.contains(&part) {
        return None;
    }
    let units_in = |part: Part| parts.iter().filter(|&&other| other == part).count();
    let spare = (0..parts.len())
        .filter(|&at| units_in(parts[at]) > 1)
        .min_by_key(|&at| (sizes[at], at));
    let Some(at) = spare else {
        return Some(format!(
            "The {} part is empty: there are not enough samples or groups for it",
            part.word()
        ));
    };
    parts[at] = part;
    // One sample is the least there is, so nothing unexpected happened.
    (sizes[at] > 1).then(|| {
        format!(
            "The {} part has the smallest group, {} with {} samples: groups are too large to give \
             it just its share",
            part.word(),
            units[at].name,
            sizes[at]
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(sizes: &[usize]) -> Vec<Unit> {
        let unit = |(at, &size): (usize, &usize)| Unit {
            members: vec![at; size],
            key: at as u64,
            name: format!("g{at}"),
        };
        sizes.iter().enumerate().map(unit).collect()
    }

    fn counts(sizes: &[usize], shares: [f64; 3]) -> ([usize; 3], usize) {
        let [train, validation, test] = shares;
        let shares = Shares {
            train,
            validation,
            test,
        };
        let (parts, notes) = share_out(&units(sizes), &shares).expect("parts");
        let mut counts = [0; 3];
        for (part, size) in parts.iter().zip(sizes) {
            counts[*part as usize] += size;
        }
        (counts, notes.len())
    }

    #[test]
    fn shares_are_met_and_no_part_stays_empty_in_silence() {
        let table = [
            (&[1usize; 100][..], [90.0, 10.0, 0.0], [90, 10, 0], 0),
            (&[1; 100][..], [0.7, 0.15, 0.15], [70, 15, 15], 0),
            (&[1; 3], [90.0, 10.0, 0.0], [2, 1, 0], 0),
            (&[1; 3], [90.0, 5.0, 5.0], [1, 1, 1], 0),
            (&[1], [90.0, 10.0, 0.0], [1, 0, 0], 1),
            (&[62, 101, 204], [90.0, 10.0, 0.0], [305, 62, 0], 1),
            (&[204, 101, 62], [90.0, 10.0, 0.0], [305, 62, 0], 0),
        ];
        for (sizes, shares, expected, notes) in table {
            assert_eq!(
                counts(sizes, shares),
                (expected, notes),
                "{sizes:?} {shares:?}"
            );
        }
    }

    #[test]
    fn each_stretch_of_the_order_is_shared_alike() {
        let shares = Shares::default();
        let (parts, _) = share_out(&units(&[1; 200]), &shares).expect("parts");
        for stretch in parts.chunks(20) {
            let held = stretch.iter().filter(|&&part| part == Part::Validation);
            assert_eq!(held.count(), 2);
        }
    }

    #[test]
    fn nothing_cannot_be_shared() {
        assert!(share_out(&[], &Shares::default()).is_err());
    }
}
