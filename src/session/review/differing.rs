use crate::label::{Mask, MaskTile, UNLABELED};

/// The predicted class where it is another than the label's, [`UNLABELED`] elsewhere.
pub(super) fn difference(label: &Mask, prediction: &Mask) -> Mask {
    let mut differing = Mask::new(label.size());
    for (col, row, theirs) in prediction.tiles() {
        let ours = label.tile(col, row);
        let tile = match (ours.uniform_class(), theirs.uniform_class()) {
            (Some(ours), Some(theirs)) if ours == theirs => continue,
            (Some(_), Some(theirs)) => MaskTile::Uniform(theirs),
            _ => {
                let ground = label.tile_rect(col, row);
                let (ours, mut theirs) = (label.read_rect(ground), prediction.read_rect(ground));
                for (theirs, ours) in theirs.iter_mut().zip(ours) {
                    if *theirs == ours {
                        *theirs = UNLABELED;
                    }
                }
                differing.set_rect(ground, &theirs);
                continue;
            }
        };
        differing.put_tile(col, row, tile);
    }
    differing
}

/// The predicted class where the label is of the one class and the prediction of the other,
/// [`UNLABELED`] elsewhere.
pub(super) fn ground_of([truth, predicted]: [u8; 2], label: &Mask, prediction: &Mask) -> Mask {
    let mut found = Mask::new(label.size());
    for (col, row, theirs) in prediction.tiles() {
        let ours = label.tile(col, row);
        match (ours.uniform_class(), theirs.uniform_class()) {
            (Some(ours), Some(theirs)) if (ours, theirs) == (truth, predicted) => {
                found.put_tile(col, row, MaskTile::Uniform(predicted));
            }
            (Some(ours), _) if ours != truth => {}
            (_, Some(theirs)) if theirs != predicted => {}
            _ => {
                let ground = label.tile_rect(col, row);
                let (ours, mut theirs) = (label.read_rect(ground), prediction.read_rect(ground));
                for (theirs, ours) in theirs.iter_mut().zip(ours) {
                    if (ours, *theirs) != (truth, predicted) {
                        *theirs = UNLABELED;
                    }
                }
                found.set_rect(ground, &theirs);
            }
        }
    }
    found
}
