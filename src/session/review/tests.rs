use super::*;
use crate::geom::ImageSize;

/// A square of `side` pixels where class 2 is predicted.
fn region((x, y): (u32, u32), side: u32) -> Region {
    let (right, bottom) = (x + side, y + side);
    Region {
        class: 2,
        pixels: u64::from(side * side),
        rings: vec![vec![(x, y), (x, bottom), (right, bottom), (right, y)]],
    }
}

#[test]
fn of_too_many_places_the_largest_are_walked_through_and_all_are_counted() {
    let side = |at: u32| if at == 10_002 { 7 } else { 4 };
    let many = (0..10_003).map(|at| region((at % 100 * 8, at / 100 * 8), side(at)));
    let found = Found::largest([LayerId(1), LayerId(2)], many.collect(), None);
    assert_eq!((found.places.len(), found.all), (10_000, 10_003));
    assert_eq!(found.places[0].pixels, 49);
}

#[test]
fn a_place_is_mended_when_too_little_of_it_is_left() {
    let size = ImageSize::new(300, 300);
    let place = Difference::of(&region((250, 250), 10));
    let painted = |class: u8, rows: u32| {
        let mut label = Mask::filled(size, 1);
        let rect = PixelRect::new(240, 240, 40, 10 + rows);
        label.set_rect(rect, &vec![class; rect.num_pixels() as usize]);
        label
    };
    let is_mended = |class, rows, cell| place.is_mended(&painted(class, rows), cell);
    assert!(is_mended(2, 10, None) && is_mended(2, 9, None));
    assert!(!is_mended(2, 8, None), "twenty pixels are left");
    assert!(!is_mended(3, 10, None), "it is still another class");
    let cell = Some([1, 2]);
    assert!(is_mended(2, 10, cell) && is_mended(3, 10, cell));
    assert!(!is_mended(2, 9, cell), "every pixel of a cell counts");
    let square = Difference {
        kind: PlaceKind::Doubtful(0.5),
        ..place.clone()
    };
    assert!(!square.is_mended(&painted(2, 10), None));
}
