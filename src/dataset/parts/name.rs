use std::ops::RangeInclusive;

use crate::raster::RASTER_EXTENSIONS;

/// Digits of a frame's number; shorter ones just count files, longer ones are other identifiers.
const FRAME_DIGITS: RangeInclusive<usize> = 5..=8;
/// Most digits of a tile's row or column.
const CELL_DIGITS: usize = 3;

/// The last component of a name without the ending of an image file.
pub fn name_stem(name: &str) -> &str {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    match last.rsplit_once('.') {
        Some((stem, ending))
            if !stem.is_empty()
                && RASTER_EXTENSIONS
                    .iter()
                    .any(|known| ending.eq_ignore_ascii_case(known)) =>
        {
            stem
        }
        _ => last,
    }
}

/// Where a tile lies in the image it was cut from, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TilePlace {
    /// Row and column (or the other way round) of a grid.
    Cell(u32, u32),
    /// First column and row, and the column and row behind the last, in pixels of the parent.
    Window([u32; 4]),
    /// Not known.
    Numbered,
}

/// The name of a tile, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileName<'a> {
    /// Name of the image it was cut from.
    pub parent: &'a str,
    /// Where in that image.
    pub place: TilePlace,
}

/// Reads names of tiles: `PARENT_ROW_COL` (but no date such as `2019_05_12`), `PARENT_X0_Y0_X1_Y1`, `PARENT_patch_IJ`,
/// `PARENT.tifpatch_IJ` and, for names of map sheets such as `M-33-20-D-c-4-2`, `SHEET_K`.
pub fn tile_name(stem: &str) -> Option<TileName<'_>> {
    if let Some((head, number)) = stem.rsplit_once("patch_") {
        let parent = head.trim_end_matches('_');
        let parent = name_stem(parent).trim_end_matches('.');
        let is_tile = is_number(number, 9) && !parent.is_empty();
        return is_tile.then_some(TileName {
            parent,
            place: TilePlace::Numbered,
        });
    }
    window_name(stem)
        .or_else(|| cell_name(stem))
        .or_else(|| sheet_name(stem))
}

fn window_name(stem: &str) -> Option<TileName<'_>> {
    let (rest, y1) = stem.rsplit_once('_')?;
    let (rest, x1) = rest.rsplit_once('_')?;
    let (rest, y0) = rest.rsplit_once('_')?;
    let (parent, x0) = rest.rsplit_once('_')?;
    let mut window = [0; 4];
    for (number, text) in window.iter_mut().zip([x0, y0, x1, y1]) {
        *number = number_of(text, 7)?;
    }
    let [x0, y0, x1, y1] = window;
    (!parent.is_empty() && x0 < x1 && y0 < y1).then_some(TileName {
        parent,
        place: TilePlace::Window(window),
    })
}

fn cell_name(stem: &str) -> Option<TileName<'_>> {
    let (rest, second) = stem.rsplit_once('_')?;
    let (parent, first) = rest.rsplit_once('_')?;
    let place = TilePlace::Cell(
        number_of(first, CELL_DIGITS)?,
        number_of(second, CELL_DIGITS)?,
    );
    let is_tile = !parent.is_empty() && !is_date(parent, first, second);
    is_tile.then_some(TileName { parent, place })
}

/// Whether these are year, month and day, as in `2019_05_12`.
fn is_date(year: &str, month: &str, day: &str) -> bool {
    let among = |text: &str, digits, range: RangeInclusive<u32>| {
        let number = number_of(text, digits).filter(|_| text.len() == digits);
        number.is_some_and(|number| range.contains(&number))
    };
    among(year, 4, 1900..=2099) && among(month, 2, 1..=12) && among(day, 2, 1..=31)
}

fn sheet_name(stem: &str) -> Option<TileName<'_>> {
    let (parent, number) = stem.rsplit_once('_')?;
    let mut pieces = parent.split('-');
    let short = |piece: &str| {
        (1..=3).contains(&piece.len()) && piece.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let is_sheet = parent.split('-').count() >= 4 && pieces.all(short);
    (is_sheet && is_number(number, 9)).then_some(TileName {
        parent,
        place: TilePlace::Numbered,
    })
}

/// The name of a frame, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameName<'a> {
    /// The recording.
    pub sequence: &'a str,
    /// Number of the frame in it.
    pub frame: u32,
}

/// Reads names of video frames such as `0016E5_07959` and `0006R0_f00930`: the recording has a
/// digit in its name, the frame five to eight of them.
pub fn frame_name(stem: &str) -> Option<FrameName<'_>> {
    let (sequence, number) = stem.rsplit_once(['_', '-'])?;
    let number = number.strip_prefix('f').unwrap_or(number);
    let frame = number_of(number, *FRAME_DIGITS.end())?;
    let is_frame = FRAME_DIGITS.contains(&number.len())
        && sequence.chars().any(|c| c.is_ascii_digit())
        && sequence.chars().any(char::is_alphabetic);
    is_frame.then_some(FrameName { sequence, frame })
}

/// The corner on the map, in units of 100 m, that the first eight digits of a name state as
/// `XXXXYYYY` (the Massachusetts roads data; its images are 15 units wide).
pub fn grid_corner(stem: &str) -> Option<(u32, u32)> {
    let digits = stem.split('_').next()?;
    if digits.len() != 8 || !is_number(digits, 8) {
        return None;
    }
    Some((number_of(&digits[..4], 4)?, number_of(&digits[4..], 4)?))
}

fn is_number(text: &str, most_digits: usize) -> bool {
    (1..=most_digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number_of(text: &str, most_digits: usize) -> Option<u32> {
    is_number(text, most_digits)
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tiles_are_taken_apart() {
        let numbered = TilePlace::Numbered;
        let table = [
            ("17728720_0_1", Some(("17728720", TilePlace::Cell(0, 1)))),
            ("M-33-20-D-c-4-2_17", Some(("M-33-20-D-c-4-2", numbered))),
            (
                "M-33-20-D-c-4-2_patch_111",
                Some(("M-33-20-D-c-4-2", numbered)),
            ),
            (
                "M-33-7-A-d-2-3.tifpatch_05",
                Some(("M-33-7-A-d-2-3", numbered)),
            ),
            (
                "2_10_0_512_512_1024",
                Some(("2_10", TilePlace::Window([0, 512, 512, 1024]))),
            ),
            ("satImage_001", None),
            ("0016E5_07959", None),
            ("a_1234_5678", None),
            ("10078660_15", None),
            ("2019_05_12", None),
            ("2019_05_32", Some(("2019", TilePlace::Cell(5, 32)))),
            ("2019_5_12", Some(("2019", TilePlace::Cell(5, 12)))),
            ("_1_2", None),
            ("patch_7", None),
            ("", None),
        ];
        for (stem, expected) in table {
            let expected = expected.map(|(parent, place)| TileName { parent, place });
            assert_eq!(tile_name(stem), expected, "{stem}");
        }
    }

    #[test]
    fn frames_need_a_recording_with_a_name() {
        let table = [
            ("0016E5_07959", Some(("0016E5", 7959))),
            ("0001TP_008520", Some(("0001TP", 8520))),
            ("0006R0_f00930", Some(("0006R0", 930))),
            ("Seq05VD_f00000", Some(("Seq05VD", 0))),
            ("0006R0_ff00930", None),
            ("0006R0_f", None),
            ("satImage_00123", None),
            ("img_2019_00123", Some(("img_2019", 123))),
            ("10078660_15", None),
            ("20190101_000012", None),
            ("COCO2014_000000581929", None),
        ];
        for (stem, expected) in table {
            let expected = expected.map(|(sequence, frame)| FrameName { sequence, frame });
            assert_eq!(frame_name(stem), expected, "{stem}");
        }
    }

    #[test]
    fn stems_and_corners() {
        assert_eq!(name_stem("a/b.v2.TIF"), "b.v2");
        assert_eq!(name_stem("a\\b.png"), "b");
        assert_eq!(name_stem("b.v2"), "b.v2");
        assert_eq!(name_stem(".png"), ".png");
        assert_eq!(grid_corner("17728720_0_1"), Some((1772, 8720)));
        assert_eq!(grid_corner("1772872_0"), None);
        assert_eq!(grid_corner("1772é720"), None);
    }
}
