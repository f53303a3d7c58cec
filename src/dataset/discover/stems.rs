use crate::dataset::parts::frame_name;

/// Ways in which data sets name their images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stem {
    /// `M-33-20-D-c-4-2`, and what follows it.
    LandCoverTile,
    LandCoverPiece,
    LandCoverPatch,
    /// `0016E5_07959`.
    CamVid,
    /// `satImage_001`.
    Epfl,
    /// `10378780_15`: x and y in 100 m.
    Massachusetts,
    /// `100034_0_1`.
    RowAndColumn,
    /// `2_10_0_0_512_512`, `top_potsdam_2_10_RGB`.
    Potsdam,
    /// `area1_0_0_512_512`.
    Vaihingen,
    /// `austin1`.
    Inria,
}

const INRIA_CITIES: [&str; 10] = [
    "austin",
    "chicago",
    "kitsap",
    "tyrol-w",
    "vienna",
    "bellingham",
    "bloomington",
    "innsbruck",
    "sfo",
    "tyrol-e",
];

impl Stem {
    /// The way in which `stem` is named, and what images of one place share: the tile, the drive,
    /// the town.
    pub(super) fn of(stem: &str) -> Option<(Self, &str)> {
        if let Some((tile, rest)) = split_tile(stem) {
            return match rest {
                "" => Some((Self::LandCoverTile, tile)),
                rest if is_patch(rest) => Some((Self::LandCoverPatch, tile)),
                rest if is_number(rest.trim_start_matches('_')) => {
                    Some((Self::LandCoverPiece, tile))
                }
                _ => None,
            };
        }
        if stem.strip_prefix("satImage_").is_some_and(is_number) {
            return Some((Self::Epfl, stem));
        }
        if let Some(town) = INRIA_CITIES
            .iter()
            .find(|city| stem.strip_prefix(**city).is_some_and(is_number))
        {
            return Some((Self::Inria, &stem[..town.len()]));
        }
        if let Some(area) = stem
            .strip_prefix("area")
            .or(stem.strip_prefix("top_mosaic_09cm_area"))
        {
            let number = area.split('_').next().filter(|text| is_number(text))?;
            let behind = stem.len() - area.len() + number.len();
            return Some((Self::Vaihingen, &stem[..behind]));
        }
        if stem.starts_with("top_potsdam_") {
            return Some((Self::Potsdam, until_field(stem, 4)));
        }
        numbers(stem).or_else(|| camvid(stem))
    }
}

fn numbers(stem: &str) -> Option<(Stem, &str)> {
    let fields: Vec<&str> = stem.split('_').collect();
    if !fields.iter().all(|field| is_number(field)) {
        return None;
    }
    match fields[..] {
        [place, "15"] if place.len() == 8 => Some((Stem::Massachusetts, stem)),
        [id, row, col] if row.len() <= 2 && col.len() <= 2 => Some((Stem::RowAndColumn, id)),
        [_, _, _, _, _, _] => Some((Stem::Potsdam, until_field(stem, 2))),
        _ => None,
    }
}

fn camvid(stem: &str) -> Option<(Stem, &str)> {
    let drive = frame_name(stem)?.sequence;
    let has_form = match drive.as_bytes() {
        [a, b, c, d, sign, last] => {
            [a, b, c, d].into_iter().all(u8::is_ascii_digit)
                && sign.is_ascii_uppercase()
                && last.is_ascii_alphanumeric()
        }
        _ => drive == "Seq05VD",
    };
    has_form.then_some((Stem::CamVid, drive))
}

/// `M-33-20-D-c-4-2` and what follows: sheets of the Polish 1:10000 map and a quarter of one.
fn split_tile(stem: &str) -> Option<(&str, &str)> {
    let fields: Vec<&str> = stem.splitn(7, '-').collect();
    let [zone, column, row, sheet, part, quarter, last] = fields[..] else {
        return None;
    };
    let is_letter = |text: &str, from: u8, to: u8| matches!(text.as_bytes(), [letter] if (from..=to).contains(letter));
    let is_tile = is_letter(zone, b'M', b'N')
        && is_number(column)
        && is_number(row)
        && is_letter(sheet, b'A', b'D')
        && is_letter(part, b'a', b'd')
        && is_number(quarter)
        && last.starts_with(|digit: char| digit.is_ascii_digit());
    let at = stem.len() - last.len() + 1;
    is_tile.then(|| stem.split_at(at))
}

fn is_patch(rest: &str) -> bool {
    ["_patch_", ".tifpatch_"].iter().any(|sign| {
        rest.strip_prefix(sign)
            .is_some_and(|place| place.split('_').all(is_number))
    })
}

fn until_field(stem: &str, fields: usize) -> &str {
    let end = stem.match_indices('_').nth(fields - 1);
    end.map_or(stem, |(at, _)| &stem[..at])
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_data_sets_and_places() {
        for (stem, expected) in [
            (
                "M-33-20-D-c-4-2",
                Some((Stem::LandCoverTile, "M-33-20-D-c-4-2")),
            ),
            (
                "M-33-20-D-c-4-2_17",
                Some((Stem::LandCoverPiece, "M-33-20-D-c-4-2")),
            ),
            (
                "M-33-7-A-d-2-3_patch_111",
                Some((Stem::LandCoverPatch, "M-33-7-A-d-2-3")),
            ),
            (
                "M-33-7-A-d-2-3.tifpatch_010",
                Some((Stem::LandCoverPatch, "M-33-7-A-d-2-3")),
            ),
            ("0016E5_07959", Some((Stem::CamVid, "0016E5"))),
            ("Seq05VD_f00030", Some((Stem::CamVid, "Seq05VD"))),
            ("satImage_001", Some((Stem::Epfl, "satImage_001"))),
            ("10378780_15", Some((Stem::Massachusetts, "10378780_15"))),
            ("17278960_1_1", Some((Stem::RowAndColumn, "17278960"))),
            ("2_10_0_0_512_512", Some((Stem::Potsdam, "2_10"))),
            (
                "top_potsdam_2_10_RGB",
                Some((Stem::Potsdam, "top_potsdam_2_10")),
            ),
            ("area1_0_0_512_512", Some((Stem::Vaihingen, "area1"))),
            ("austin12", Some((Stem::Inria, "austin"))),
            ("M-33", None),
            ("1_2", None),
            ("areal", None),
            ("ö_1", None),
            ("", None),
        ] {
            assert_eq!(Stem::of(stem), expected, "{stem}");
        }
    }
}
