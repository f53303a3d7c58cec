//! Clean-up of class maps: growing and shrinking a class, majority filter, holes and specks.
//!
//! Each tile is worked out from the mask as it was, by itself and on any thread, with a margin as
//! wide as the neighborhood asks for. Ground whose whole neighborhood is of one class is passed
//! over, and tiles that stay as they are stay shared with the mask as it was.

mod disc;
mod holes;
mod majority;
mod nearest;
mod pieces;
mod regions;
mod specks;
#[cfg(test)]
mod test_masks;
mod work;

use super::{Mask, PaintOver};
use crate::geom::PixelRect;
use work::Work;

/// Larger radii, in level-0 pixels, count as this one: the margin around a tile is bounded.
pub const MAX_CLEANUP_RADIUS: u32 = 256;

/// What a clean-up does. Sizes in level-0 pixels.
///
/// A disc of radius r around a pixel holds the pixels with `dx * dx + dy * dy <= r * r`. Discs and
/// squares are cut at the edge of the mask: what lies beyond neither grows nor eats a class. Radii
/// are at most [`MAX_CLEANUP_RADIUS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cleanup {
    /// Grows `class`: every pixel that has one of `class` in the disc around it becomes `class`.
    Dilate {
        /// The class that grows.
        class: u8,
        /// Radius of the disc in pixels.
        radius: u32,
    },
    /// Shrinks `class`: a pixel of it with another class in the disc around it takes the class of
    /// the nearest pixel that is not `class`; of several as near, the smallest.
    Erode {
        /// The class that shrinks.
        class: u8,
        /// Radius of the disc in pixels.
        radius: u32,
    },
    /// Removes thin bits of `class`: the pixels of it that no disc lying wholly inside `class`
    /// covers (the opening by a disc; Serra 1982) take the nearest other class as in
    /// [`Cleanup::Erode`].
    Open {
        /// The class that loses its thin bits.
        class: u8,
        /// Radius of the disc in pixels.
        radius: u32,
    },
    /// Closes thin gaps in `class`: the pixels that no disc lying wholly outside `class` covers
    /// (the closing by a disc; Serra 1982) become `class`.
    Close {
        /// The class whose gaps close.
        class: u8,
        /// Radius of the disc in pixels.
        radius: u32,
    },
    /// Each pixel takes the most frequent class of the square of side `2 * radius + 1` around it:
    /// its own when that is among the most frequent, else the smallest of them. Unlabeled pixels
    /// neither vote nor change.
    Majority {
        /// Half the side of the square in pixels, its middle left out.
        radius: u32,
    },
    /// Fills holes: pixels of other classes that are joined by sides, do not reach the border of
    /// the work area and are few become `class`.
    FillHoles {
        /// The class that fills its holes.
        class: u8,
        /// The largest hole that is filled, in pixels.
        max_pixels: u64,
    },
    /// Drops specks: pixels of one class that are joined by sides and are too few take the class
    /// that most of the pixels beside them have; of several as frequent, the smallest; unlabeled
    /// only when no other is there. A speck counts with its pixels outside the work area.
    DropSpecks {
        /// The class whose specks go; `None` for those of all classes but unlabeled ground.
        class: Option<u8>,
        /// The smallest region that stays, in pixels.
        min_pixels: u64,
    },
}

/// How a long clean-up tells how far it is and hears that it shall stop.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Gets the share that is done, 0 to 1, from any thread and not strictly in order.
    pub progress: &'a (dyn Fn(f32) + Sync),
    /// Asked now and then, from any thread; `true` stops the clean-up.
    pub is_cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl Default for Control<'_> {
    fn default() -> Self {
        Self {
            progress: &|_| (),
            is_cancelled: &|| false,
        }
    }
}

/// The mask after the clean-up inside `area`, in level-0 pixels; `None` when it was cancelled.
///
/// Pixels outside `area` are read as neighbors but never change. Only pixels of classes in `over`
/// change, so a locked class is one that is not in it. All pixels are judged by the mask as it
/// was. Tiles in which nothing changes stay shared with `mask`.
pub fn clean_up(
    mask: &Mask,
    area: PixelRect,
    over: &PaintOver,
    what: Cleanup,
    control: &Control<'_>,
) -> Option<Mask> {
    let area = area.intersect(mask.size().bounds());
    if area.is_empty() {
        return Some(mask.clone());
    }
    let work = Work {
        mask,
        area,
        over: *over,
        control: *control,
    };
    let changed = match what {
        Cleanup::Dilate { class, radius } => disc::dilate(&work, class, bounded(radius)),
        Cleanup::Erode { class, radius } => disc::erode(&work, class, bounded(radius)),
        Cleanup::Open { class, radius } => disc::open(&work, class, bounded(radius)),
        Cleanup::Close { class, radius } => disc::close(&work, class, bounded(radius)),
        Cleanup::Majority { radius } => majority::majority(&work, bounded(radius)),
        Cleanup::FillHoles { class, max_pixels } => holes::fill_holes(&work, class, max_pixels),
        Cleanup::DropSpecks { class, min_pixels } => specks::drop_specks(&work, class, min_pixels),
    }?;
    if (control.is_cancelled)() {
        return None;
    }
    let mut after = mask.clone();
    for (col, row, tile) in changed {
        after.set_tile(col, row, tile);
    }
    (control.progress)(1.0);
    Some(after)
}

fn bounded(radius: u32) -> u32 {
    radius.min(MAX_CLEANUP_RADIUS)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::{Edit, EditKind};
    use super::test_masks::blocky;
    use super::*;
    use crate::geom::ImageSize;

    const ALL: [Cleanup; 7] = [
        Cleanup::Dilate {
            class: 1,
            radius: 3,
        },
        Cleanup::Erode {
            class: 1,
            radius: 3,
        },
        Cleanup::Open {
            class: 1,
            radius: 3,
        },
        Cleanup::Close {
            class: 1,
            radius: 3,
        },
        Cleanup::Majority { radius: 2 },
        Cleanup::FillHoles {
            class: 1,
            max_pixels: 50,
        },
        Cleanup::DropSpecks {
            class: None,
            min_pixels: 20,
        },
    ];

    fn mask() -> Mask {
        blocky(ImageSize::new(1_100, 600), 11, 17, 30)
    }

    #[test]
    fn a_cancelled_clean_up_gives_nothing() {
        let mask = mask();
        for what in ALL {
            for calls_before in [0, 1, 5] {
                let calls = AtomicU32::new(0);
                let control = Control {
                    is_cancelled: &|| calls.fetch_add(1, Ordering::Relaxed) >= calls_before,
                    ..Control::default()
                };
                let over = PaintOver::everything();
                let after = clean_up(&mask, mask.size().bounds(), &over, what, &control);
                assert_eq!(after, None, "{what:?}");
            }
        }
    }

    #[test]
    fn progress_is_a_share_and_ends_at_one() {
        let mask = mask();
        for what in ALL {
            let shares = Mutex::new(Vec::new());
            let control = Control {
                progress: &|share| shares.lock().unwrap().push(share),
                ..Control::default()
            };
            let over = PaintOver::everything();
            let after = clean_up(&mask, mask.size().bounds(), &over, what, &control);
            assert!(Edit::between(&mask, &after.unwrap(), EditKind::Cleanup).is_some());
            let shares = shares.into_inner().unwrap();
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
            assert_eq!(shares.last(), Some(&1.0));
            assert!(shares.len() > 10, "{what:?}");
        }
    }

    #[test]
    fn an_area_outside_the_mask_and_locked_ground_change_nothing() {
        let mask = mask();
        let outside = PixelRect::new(2_000, 0, 50, 50);
        for what in ALL {
            let (all, nothing) = (PaintOver::everything(), PaintOver::only([]));
            let control = Control::default();
            assert_eq!(
                clean_up(&mask, outside, &all, what, &control).as_ref(),
                Some(&mask)
            );
            let bounds = mask.size().bounds();
            assert_eq!(
                clean_up(&mask, bounds, &nothing, what, &control).as_ref(),
                Some(&mask)
            );
        }
    }
}
