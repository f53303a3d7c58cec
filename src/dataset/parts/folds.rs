use super::units::Unit;
use crate::dataset::DatasetError;

/// The fold of each of `sizes` (in an order that the seed made): the largest first, each to the
/// fold that has least so far.
///
/// # Errors
/// When there is no such fold, or there are fewer units than folds.
pub(super) fn folds_of(sizes: &[usize], folds: u32, fold: u32) -> Result<Vec<u32>, DatasetError> {
    if folds < 2 || fold >= folds {
        return Err(DatasetError::TooLittle(format!(
            "Fold {fold} of {folds} cannot be: there must be two folds or more, and they count \
             from 0"
        )));
    }
    if sizes.len() < folds as usize {
        return Err(DatasetError::TooLittle(format!(
            "{} files, groups or blocks do not fill {folds} folds; use fewer folds",
            sizes.len()
        )));
    }
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(sizes[at]));
    let mut filled = vec![0usize; folds as usize];
    let mut fold_of = vec![0; sizes.len()];
    for at in order {
        let least = (0..folds).min_by_key(|&fold| filled[fold as usize]);
        let least = least.unwrap_or(0);
        filled[least as usize] += sizes[at].max(1);
        fold_of[at] = least;
    }
    Ok(fold_of)
}

/// Number of samples of each unit.
pub(super) fn sizes(units: &[Unit]) -> Vec<usize> {
    units.iter().map(|unit| unit.members.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_equally_large() {
        assert_eq!(
            folds_of(&[1; 7], 3, 0).expect("folds"),
            [0, 1, 2, 0, 1, 2, 0]
        );
        assert_eq!(folds_of(&[1, 5, 2, 2], 2, 1).expect("folds"), [1, 0, 1, 1]);
        for (sizes, folds, fold) in [(5, 1, 0), (5, 3, 3), (2, 3, 0), (0, 2, 0)] {
            assert!(folds_of(&vec![1; sizes], folds, fold).is_err());
        }
    }
}
