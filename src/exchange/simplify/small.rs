use crate::geom::PixelRect;
use crate::label::{Cleanup, Control, Mask, PaintOver, clean_up};

/// A copy of the mask in which the ground of one class that is smaller than `min_pixels` took the
/// class that most pixels beside it have; `None` when cancelled.
///
/// That is [`Cleanup::DropSpecks`] for all classes, from the smallest ground up, so that many
/// small pieces do not just trade places. Unlabeled ground stays, however small. Ground that is
/// too small can be left where nothing but such ground is around it.
pub(super) fn merge_small(
    mask: &Mask,
    area: PixelRect,
    min_pixels: u64,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Option<Mask> {
    let control = Control {
        is_cancelled,
        ..Control::default()
    };
    let mut merged = mask.clone();
    for share in [16, 4, 1, 1] {
        let min_pixels = min_pixels / share;
        if min_pixels > 1 {
            let what = Cleanup::DropSpecks {
                class: None,
                min_pixels,
            };
            merged = clean_up(&merged, area, &PaintOver::everything(), what, &control)?;
        }
    }
    Some(merged)
}

#[cfg(test)]
mod tests {
    use super::super::super::test_masks::mask_of;
    use super::*;

    fn merged(rows: &[&str], min_pixels: u64) -> Mask {
        let mask = mask_of(rows);
        merge_small(&mask, mask.size().bounds(), min_pixels, &|| false).expect("not cancelled")
    }

    #[test]
    fn small_ground_goes_to_the_longest_neighbor() {
        let rows = ["11112222", "11132222", "11133222", "11111111"];
        assert_eq!(merged(&rows, 3), mask_of(&rows));
        let expected = ["11112222", "11112222", "11111222", "11111111"];
        assert_eq!(merged(&rows, 4), mask_of(&expected));
    }

    #[test]
    fn unlabeled_ground_stays_and_is_taken_when_nothing_else_is_there() {
        assert_eq!(merged(&["111.111"], 3), mask_of(&["111.111"]));
        assert_eq!(merged(&["...1..."], 3), mask_of(&["......."]));
    }

    #[test]
    fn cancelling_gives_nothing() {
        let mask = mask_of(&["12", "21"]);
        assert_eq!(merge_small(&mask, mask.size().bounds(), 4, &|| true), None);
    }
}
