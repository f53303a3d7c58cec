use egui::{Label, Response, RichText, Sense, Ui};

use super::view::CommandQueue;
use crate::exchange::MapPlace;
use crate::geom::ImagePoint;
use crate::session::{Command, PlaceCommand, Session};

/// Room that the rest of the status bar needs beside the name of a coordinate system, in points.
const ROOM_FOR_OTHERS: f32 = 680.0;
/// Longer names are cut in the status bar.
const MOST_LETTERS: usize = 32;

/// Lets a person choose which coordinates are shown.
pub fn coordinates_menu(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let mut shown = session.settings().coordinates;
    ui.checkbox(&mut shown.shows_map, "Coordinates of the file");
    let degrees = &mut shown.shows_degrees;
    ui.checkbox(degrees, "Longitude and latitude (WGS 84)");
    if shown != session.settings().coordinates {
        commands.push(Command::Place(PlaceCommand::Coordinates(shown)));
    }
}

/// The coordinates of the pixel that is pointed at, if one is, and their system; a right-click on
/// them chooses which are shown. What does not fit beside others of the width `others` (points) is
/// left out.
pub fn coordinates_ui(
    ui: &mut Ui,
    at: Option<ImagePoint>,
    others: f32,
    session: &Session,
    commands: &mut CommandQueue,
) {
    let Some(image) = session.image() else { return };
    let Some(map) = image.map.as_deref() else {
        clickable(ui, "no place on the map".to_owned())
            .on_hover_text("Neither the file nor one beside it says where on the map it lies");
        return;
    };
    let shown = session.settings().coordinates;
    let mut said = |ui: &mut Ui, text: String, hover: &str| {
        if text_width(ui, &text) + others > ui.available_width() {
            return;
        }
        let hover = format!("{hover}\nRight-click chooses what is shown");
        let response = clickable(ui, text).on_hover_text(hover);
        response.context_menu(|ui| coordinates_menu(ui, session, commands));
    };
    if let Some(at) = at.filter(|_| shown.shows_map) {
        said(ui, map_text(map, at), &map.system());
    }
    let text = system_text(map, ui.available_width() >= ROOM_FOR_OTHERS);
    said(ui, text, &map.system());
    // What is shown already need not be shown twice.
    let is_shown = shown.shows_map && map.epsg() == Some(4326);
    if let Some(at) = at.filter(|_| shown.shows_degrees && !is_shown) {
        let (text, why) = degrees_text(map, at);
        said(ui, text, &why);
    }
}

/// The code of the file's coordinate system, with its name where there is room for it.
fn system_text(map: &MapPlace, has_room: bool) -> String {
    let (code, name) = map.short_system();
    match name.filter(|_| has_room) {
        Some(name) if name.chars().count() > MOST_LETTERS => {
            let start: String = name.chars().take(MOST_LETTERS - 1).collect();
            format!("{code}: {}…", start.trim_end())
        }
        Some(name) => format!("{code}: {name}"),
        None => code,
    }
}

/// The width of words of the status bar with the gap before the next, in points.
pub fn text_width(ui: &Ui, text: &str) -> f32 {
    let text = egui::WidgetText::from(RichText::new(text).small().monospace());
    let extend = Some(egui::TextWrapMode::Extend);
    let galley = text.into_galley(ui, extend, f32::INFINITY, egui::TextStyle::Body);
    galley.size().x + ui.spacing().item_spacing.x
}

fn clickable(ui: &mut Ui, text: String) -> Response {
    let text = RichText::new(text).small().monospace();
    ui.add(Label::new(text).sense(Sense::click()))
}

/// Easting and northing.
fn map_text(map: &MapPlace, at: ImagePoint) -> String {
    let (east, north) = map.map_from_image(at);
    let digits = if map.is_in_degrees() { 7 } else { 2 };
    format!("E {east:.digits$}  N {north:.digits$}")
}

/// Longitude and latitude, and what they are; or that there are none, and why.
fn degrees_text(map: &MapPlace, at: ImagePoint) -> (String, String) {
    if let Some(why) = map.why_no_degrees() {
        return ("no longitude, latitude".to_owned(), why.to_owned());
    }
    match map.degrees_from_image(at) {
        Some([longitude, latitude]) => (
            format!(
                "{}  {}",
                degrees(longitude, ['E', 'W']),
                degrees(latitude, ['N', 'S'])
            ),
            "Longitude and latitude on WGS 84 (EPSG:4326)".to_owned(),
        ),
        None => (
            "no longitude, latitude".to_owned(),
            "The coordinates of the file lead to no place on the globe".to_owned(),
        ),
    }
}

/// An angle with seven digits, a centimeter on the ground, and the direction it is counted in.
fn degrees(angle: f64, [positive, negative]: [char; 2]) -> String {
    let direction = if angle < 0.0 { negative } else { positive };
    format!("{:.7}° {direction}", angle.abs())
}

/// The place that two numbers name: coordinates of the file, longitude and latitude (or, as some
/// write, latitude first), or a pixel; the first of these that lies on the image.
///
/// # Errors
/// Why there is no such place, for the person who typed.
pub fn place_of(text: &str, session: &Session) -> Result<ImagePoint, String> {
    let image = session.image().ok_or("No image is open")?;
    let [x, y] = typed(text).ok_or("Type two numbers with a space between them")?;
    let map = image.map.as_deref();
    let degrees = |at| map.and_then(|map| map.image_from_degrees(at));
    let candidates = [
        map.and_then(|map| map.image_from_map((x, y))),
        degrees([x, y]),
        degrees([y, x]),
        Some(ImagePoint::new(x, y)),
    ];
    let is_inside = |at: &ImagePoint| at.pixel_in(image.size()).is_some();
    let found = candidates.into_iter().flatten().find(is_inside);
    found.ok_or_else(|| {
        let size = image.size();
        let are_degrees = x.abs() <= 180.0 && y.abs() <= 180.0;
        let why = map.and_then(MapPlace::why_no_degrees);
        let why = why.filter(|_| are_degrees);
        let why = why.map_or_else(String::new, |why| format!(". {why}"));
        format!("{x} {y} does not lie on the image, which has {size} pixels{why}")
    })
}

/// Two numbers, the one to the east first where letters say which is which: `500000 249000`,
/// `E 500000.5 N 249000`, `19.5° E, 52.1° N` or `52.1N 19.5E`.
fn typed(text: &str) -> Option<[f64; 2]> {
    let mut found: Vec<(f64, Option<char>)> = Vec::new();
    let mut waiting = None;
    let parts = text.split(|letter: char| letter.is_whitespace() || ",;".contains(letter));
    // What the status bar shows can be pasted as it is.
    let parts = parts.filter(|part| !part.is_empty() && !part.starts_with("EPSG:"));
    for part in parts {
        let part = part.to_ascii_uppercase();
        let number = part.trim_matches(|letter: char| "NSEWM°".contains(letter));
        let letter = part.chars().find(|&letter| "NSEW".contains(letter));
        match (number.parse::<f64>(), found.last_mut()) {
            (Ok(number), _) if number.is_finite() => {
                found.push((number, letter.or(waiting.take())));
            }
            // A direction alone belongs to the number before it, or to the one behind.
            (Err(_), Some((_, direction @ None))) if number.is_empty() => *direction = letter,
            (Err(_), _) if number.is_empty() => waiting = letter,
            _ => return None,
        }
    }
    let &[first, second] = &found[..] else {
        return None;
    };
    let signed = |(number, direction): (f64, Option<char>)| match direction {
        Some('S' | 'W') => -number,
        _ => number,
    };
    let is_north = |direction| matches!(direction, Some('N' | 'S'));
    let pair = [signed(first), signed(second)];
    let is_turned = is_north(first.1) && !is_north(second.1);
    Some(if is_turned { [pair[1], pair[0]] } else { pair })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Georef;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, expected) in [
            ("12 34", Some([12.0, 34.0])),
            ("500000.5,249000", Some([500_000.5, 249_000.0])),
            ("500000E 249000N", Some([500_000.0, 249_000.0])),
            ("12m 34m", Some([12.0, 34.0])),
            (
                "E 500000.25  N 249000.75  EPSG:2180",
                Some([500_000.25, 249_000.75]),
            ),
            ("19.5000000° E  52.1000000° N", Some([19.5, 52.1])),
            ("52.1N 19.5E", Some([19.5, 52.1])),
            ("52.1° N, 0.5° W", Some([-0.5, 52.1])),
            ("S 33.9 E 18.4", Some([18.4, -33.9])),
            ("-0.5 52.1", Some([-0.5, 52.1])),
            ("1 2 3", None),
            ("1", None),
            ("here there", None),
            ("nan 1", None),
            ("", None),
        ] {
            assert_eq!(typed(text), expected, "{text}");
        }
    }

    #[test]
    fn places_are_said_with_their_system() {
        let at = ImagePoint::new(0.0, 0.0);
        let known = MapPlace::new(&Georef::north_up(500_000.0, 5_800_000.0, 0.5, Some(32_733)));
        assert_eq!(map_text(&known, at), "E 500000.00  N 5800000.00");
        assert_eq!(system_text(&known, false), "EPSG:32733");
        assert_eq!(
            system_text(&known, true),
            "EPSG:32733: WGS 84 / UTM zone 33S"
        );
        let (degrees, _) = degrees_text(&known, at);
        assert!(
            degrees.starts_with("15.0000000° E  ") && degrees.ends_with("° S"),
            "{degrees}"
        );
        let unknown = MapPlace::new(&Georef::north_up(1.0, 2.0, 0.5, None));
        assert_eq!(map_text(&unknown, at), "E 1.00  N 2.00");
        assert_eq!(system_text(&unknown, true), "no coordinate system");
        let named = Georef {
            system: Some("Site grid of the northern quarry, 2019".to_owned()),
            ..Georef::north_up(1.0, 2.0, 0.5, None)
        };
        let named = MapPlace::new(&named);
        assert_eq!(system_text(&named, false), "a system without a code");
        assert_eq!(
            system_text(&named, true),
            "a system without a code: Site grid of the northern quarr…"
        );
        let (text, why) = degrees_text(&unknown, at);
        assert!(text.starts_with("no ") && why.contains("does not say"));
        let in_degrees = MapPlace::new(&Georef::north_up(-1.5, 52.0, 1e-6, Some(4_326)));
        assert_eq!(map_text(&in_degrees, at), "E -1.5000000  N 52.0000000");
    }
}
