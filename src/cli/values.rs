//! How the values of arguments are written.

use crate::exchange::Edge;
use crate::geom::{ImagePoint, ImageSize, PixelRect};
use crate::label::{Align, ZeroMeans};
use crate::raster::{Contrast, GAMMAS, Ramp, ShownBands};
use crate::train::{Certainty, Experiment, Preset, ScoredOn, Unlabeled};

pub fn parse_value(text: &str) -> Result<(String, u8), String> {
    let parsed = text.rsplit_once('=');
    let parsed = parsed.and_then(|(value, class)| Some((value.to_owned(), class.parse().ok()?)));
    parsed.ok_or_else(|| "give VALUE=CLASS, such as road=3".to_owned())
}

/// Indices of classes that count as unlabeled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored(pub Vec<u8>);

pub fn parse_ignored(text: &str) -> Result<Ignored, String> {
    if text == "none" {
        return Ok(Ignored(Vec::new()));
    }
    let indices = text.split(',').map(|index| index.trim().parse::<u8>().ok());
    let indices = indices.map(|index| index.filter(|index| *index < u8::MAX));
    let indices: Option<Vec<u8>> = indices.collect();
    indices.map(Ignored).ok_or_else(|| {
        format!("“{text}” names no classes; write indices from 0 to 254, such as 0,11, or none")
    })
}

pub fn parse_size(text: &str) -> Result<ImageSize, String> {
    let wrong = || format!("“{text}” is no size; write columns x rows, such as 4096x4096");
    let (width, height) = text.split_once(['x', 'X', '×']).ok_or_else(wrong)?;
    let side = |side: &str| side.trim().parse::<u32>().ok().filter(|&side| side > 0);
    match (side(width), side(height)) {
        (Some(width), Some(height)) => Ok(ImageSize::new(width, height)),
        _ => Err(wrong()),
    }
}

pub fn parse_certainty(text: &str) -> Result<Certainty, String> {
    let mut all = Certainty::ALL.into_iter();
    all.find(|measure| measure.name() == text)
        .ok_or_else(|| format!("“{text}” is no measure; choose probability, margin or entropy"))
}

pub fn parse_part(text: &str) -> Result<ScoredOn, String> {
    match text {
        "test" => Ok(ScoredOn::Test),
        "validation" => Ok(ScoredOn::Validation),
        _ => Err("write test or validation".to_owned()),
    }
}

pub fn parse_zero(text: &str) -> Result<ZeroMeans, String> {
    match text {
        "class" => Ok(ZeroMeans::Class),
        "unlabeled" => Ok(ZeroMeans::Unlabeled),
        _ => Err("write class or unlabeled".to_owned()),
    }
}

pub fn parse_align(text: &str) -> Result<Align, String> {
    match text {
        "georeference" => Ok(Align::ByGeoreference),
        "corner" => Ok(Align::CornerToCorner),
        "scale" => Ok(Align::Scale),
        _ => Err("write georeference, corner or scale".to_owned()),
    }
}

pub fn parse_edge(text: &str) -> Result<Edge, String> {
    match text {
        "drop" => Ok(Edge::Drop),
        "pad" => Ok(Edge::Pad),
        "shift" => Ok(Edge::Shift),
        _ => Err("write drop, pad or shift".to_owned()),
    }
}

pub fn parse_shown_bands(text: &str) -> Result<ShownBands, String> {
    let wrong = || format!("“{text}” names no bands; write one or three from 1, such as 4,3,2");
    let bands: Option<Vec<u16>> = (text.split(','))
        .map(|band| band.trim().parse::<u16>().ok()?.checked_sub(1))
        .collect();
    match bands.ok_or_else(wrong)?[..] {
        [red, green, blue] => Ok(ShownBands::Colors([red, green, blue])),
        [band] => Ok(ShownBands::One(band, Ramp::Grey)),
        _ => Err(wrong()),
    }
}

pub fn parse_ramp(text: &str) -> Result<Ramp, String> {
    let word = |ramp: &Ramp| ramp.name().to_lowercase().replace(" to ", "-");
    let mut all = Ramp::ALL.into_iter();
    all.find(|ramp| word(ramp) == text)
        .ok_or_else(|| format!("“{text}” is no ramp; see --help"))
}

pub fn parse_contrast(text: &str) -> Result<Contrast, String> {
    let number = |text: &str| {
        text.trim()
            .parse::<f32>()
            .ok()
            .filter(|value| *value >= 0.0 && value.is_finite())
    };
    let parsed = match text {
        "usual" => Some(Contrast::Usual),
        "min-max" => Some(Contrast::MinMax),
        _ => (text.strip_suffix('%').and_then(number))
            .filter(|&percent| percent < 50.0)
            .map(|percent| Contrast::Cut(percent / 100.0))
            .or_else(|| Some(Contrast::Deviations(number(text.strip_suffix("sd")?)?)))
            .or_else(|| {
                let (low, high) = text.split_once("..")?;
                let ends: [f64; 2] = [low.trim().parse().ok()?, high.trim().parse().ok()?];
                let is_range = ends.iter().all(|end| end.is_finite());
                is_range.then_some(Contrast::Fixed([ends; 3]))
            }),
    };
    parsed
        .ok_or_else(|| format!("“{text}” is no contrast; write usual, min-max, 2%, 2sd or 0..4000"))
}

pub fn parse_gamma(text: &str) -> Result<f32, String> {
    let gamma = text.parse().ok().filter(|gamma| GAMMAS.contains(gamma));
    let (least, most) = (GAMMAS.start(), GAMMAS.end());
    gamma.ok_or_else(|| format!("write a number from {least} to {most}"))
}

pub fn parse_rect(text: &str) -> Result<PixelRect, String> {
    let numbers: Vec<u32> = text
        .split(',')
        .filter_map(|number| number.trim().parse().ok())
        .collect();
    match numbers[..] {
        [x, y, width, height] if width > 0 && height > 0 => Ok(PixelRect::new(x, y, width, height)),
        _ => Err(format!(
            "“{text}” is no rectangle; write X,Y,W,H in pixels, such as 100,200,512,512"
        )),
    }
}

/// The corners of a polygon in pixels of an image; the last joins the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Corners(pub Vec<ImagePoint>);

pub fn parse_polygon(text: &str) -> Result<Corners, String> {
    let numbers = text.split(',').map(|number| number.trim().parse::<f64>());
    let numbers: Option<Vec<f64>> = numbers.map(Result::ok).collect();
    let numbers = numbers.filter(|all| all.len() >= 6 && all.len().is_multiple_of(2));
    let numbers = numbers.filter(|all| all.iter().all(|number| number.is_finite()));
    let corners = numbers.map(|all| {
        let pairs = all.chunks_exact(2);
        Corners(pairs.map(|at| ImagePoint::new(at[0], at[1])).collect())
    });
    corners.ok_or_else(|| {
        "a polygon is three corners or more, X,Y,X,Y,X,Y in pixels, such as 0,0,90,0,90,60"
            .to_owned()
    })
}

pub fn parse_experiment(text: &str) -> Result<Experiment, String> {
    let names: Vec<&str> = Experiment::ALL.iter().map(|one| one.name()).collect();
    Experiment::of_name(text).ok_or_else(|| format!("write one of {}", names.join(", ")))
}

pub fn parse_preset(text: &str) -> Result<Preset, String> {
    let names: Vec<&str> = Preset::ALL.iter().map(|preset| preset.name()).collect();
    Preset::of_name(text).ok_or_else(|| format!("write one of {}", names.join(", ")))
}

pub fn parse_tolerance(text: &str) -> Result<f64, String> {
    within(text, 1_000.0)
}

pub fn parse_share(text: &str) -> Result<f64, String> {
    within(text, 1.0)
}

pub fn parse_unlabeled(text: &str) -> Result<f64, String> {
    within(text, Unlabeled::MOST_SHARE)
}

fn within(text: &str, most: f64) -> Result<f64, String> {
    let number = text.parse().ok();
    let found = number.filter(|number| (0.0..=most).contains(number));
    found.ok_or_else(|| format!("write a number from 0 to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rectangles_are_read() {
        assert_eq!(parse_size("9500x9000"), Ok(ImageSize::new(9_500, 9_000)));
        assert!(parse_size("0x5").is_err() && parse_size("12").is_err());
        assert_eq!(parse_rect("1, 2,3,4"), Ok(PixelRect::new(1, 2, 3, 4)));
        assert!(parse_rect("1,2,3").is_err() && parse_rect("1,2,0,4").is_err());
        let corners = [(0.0, 0.0), (9.5, 0.0), (9.0, 6.0)].map(|(x, y)| ImagePoint::new(x, y));
        assert_eq!(
            parse_polygon("0,0, 9.5,0,9,6"),
            Ok(Corners(corners.to_vec()))
        );
        for wrong in ["0,0,9,0", "0,0,9,0,9", "0,0,9,0,9,x", "0,0,9,0,9,inf"] {
            assert!(parse_polygon(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_stay_in_their_range() {
        assert_eq!(parse_share("0.5"), Ok(0.5));
        assert!(
            ["2", "-0.1", "nan", "x"]
                .iter()
                .all(|text| parse_share(text).is_err())
        );
        assert_eq!(parse_unlabeled("4"), Ok(4.0));
        assert!(parse_unlabeled("17").is_err());
        assert!(parse_tolerance("inf").is_err());
        assert_eq!([parse_gamma("0.1"), parse_gamma("5")], [Ok(0.1), Ok(5.0)]);
        let wrong = ["NaN", "inf", "-1", "0", "99", "x"];
        assert!(wrong.iter().all(|text| parse_gamma(text).is_err()));
        let fixed = Contrast::Fixed([[9.0, -2.5]; 3]);
        assert_eq!(parse_contrast("9..-2.5"), Ok(fixed));
        for wrong in ["NaN..NaN", "0..inf", "NaN%", "infsd", "nansd", "50%"] {
            assert!(parse_contrast(wrong).is_err(), "{wrong}");
        }
    }
}
