//! Clean-up of a mask that has something to clean up in every tile.

use orthobrush::geom::ImageSize;
use orthobrush::label::{Cleanup, Control, Mask, PaintOver, clean_up};

use crate::{ground, once, side, thrice};

/// Each kind, and wide discs.
const KINDS: [Cleanup; 9] = [
    Cleanup::Dilate {
        class: 1,
        radius: 3,
    },
    Cleanup::Dilate {
        class: 1,
        radius: 256,
    },
    Cleanup::Erode {
        class: 1,
        radius: 3,
    },
    Cleanup::Open {
        class: 1,
        radius: 3,
    },
    Cleanup::Open {
        class: 1,
        radius: 64,
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

pub fn bench() {
    let mask = ground::blocky(ImageSize::new(side(9_500), side(9_000)));
    let what = |cleanup: Cleanup| format!("clean-up of a dense {}, {cleanup:?}", mask.size());
    let majority = Cleanup::Majority { radius: 1 };
    thrice(&what(majority), || cleaned(&mask, majority));
    for kind in KINDS {
        drop(once(&what(kind), || cleaned(&mask, kind)));
    }
}

fn cleaned(mask: &Mask, what: Cleanup) -> Mask {
    let (area, over) = (mask.size().bounds(), PaintOver::everything());
    clean_up(mask, area, &over, what, &Control::default()).expect("nobody cancels")
}
