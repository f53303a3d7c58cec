use std::collections::BTreeMap;
use std::f64::consts::FRAC_PI_4;
use std::path::PathBuf;

use super::grain::squares;
use super::judge::Judge;
use super::problem::{Problem, ProblemKind};
use super::seen::Seen;
use crate::label::{ClassTable, Mask};

/// Groups of fewer masks with roads are not judged.
const FEWEST_MASKS: usize = 3;
/// Roads are at least so many times as long as wide; what is not is a place, or a street seen from
/// a car.
const LEAST_LENGTH: f64 = 20.0;
/// Widths further apart are told.
const FAR: f64 = 1.5;

/// The roads of a mask in some squares of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RoadLines {
    /// Their pixels.
    pixels: u64,
    /// Neighbors in a row or a column of which only one is road.
    edges: u64,
}

impl RoadLines {
    /// Those of the first class that is called a road; none when there is no such class.
    pub(super) fn of(mask: &Mask, classes: Option<&ClassTable>) -> Self {
        let mut lines = Self::default();
        let Some(road) = road_of(classes) else {
            return lines;
        };
        for rect in squares(mask.size()) {
            let values = mask.read_rect(rect);
            lines.add(&values, rect.width as usize, road);
        }
        lines
    }

    fn add(&mut self, values: &[u8], width: usize, road: u8) {
        let is_edge = |(a, b): (&u8, &u8)| (*a == road) != (*b == road);
        let count = |pairs: usize| pairs as u64;
        let of_road = values.iter().map(|value| u64::from(*value == road));
        self.pixels += of_road.sum::<u64>();
        let below = values.iter().zip(values.iter().skip(width));
        self.edges += count(below.filter(|pair| is_edge(*pair)).count());
        for row in values.chunks_exact(width) {
            let beside = row.iter().zip(&row[1..]);
            self.edges += count(beside.filter(|pair| is_edge(*pair)).count());
        }
    }

    /// Their width in pixels, twice the area over the length of the border; `None` for what does
    /// not look like lines.
    ///
    /// Lines of all directions cross π/4 times their length of edges between pixels in a row or a
    /// column (Cauchy and Crofton), so a road along the rows counts as 27 % wider.
    pub(super) fn width(self) -> Option<f64> {
        let border = FRAC_PI_4 * self.edges as f64;
        let width = 2.0 * self.pixels as f64 / border;
        let is_line = self.edges > 0 && border / 2.0 >= LEAST_LENGTH * width;
        is_line.then_some(width)
    }
}

/// The first class that is called a road.
pub(super) fn road_of(classes: Option<&ClassTable>) -> Option<u8> {
    let mut classes = classes.into_iter().flat_map(ClassTable::classes);
    let road = classes.find(|class| {
        let name = class.name.to_lowercase();
        name.contains("road") || name.contains("street")
    });
    road.map(|class| class.index)
}

/// Masks that are held against others: those of images that lie in one folder and are named alike,
/// or of one data set.
#[derive(Default)]
pub(super) struct Group {
    /// Widths of their roads in pixels, and in meters where all images say how large pixels are.
    pixels: Vec<f64>,
    meters: Vec<f64>,
    paths: Vec<PathBuf>,
}

impl Group {
    /// Adds the mask at `path` with roads of so many pixels, each of so many meters if known.
    pub(super) fn add(&mut self, (width, meters): (f64, Option<f64>), path: PathBuf) {
        self.pixels.push(width);
        self.meters.extend(meters.map(|meters| meters * width));
        self.paths.push(path);
    }
}

impl Judge<'_> {
    /// Groups of masks whose roads differ in width.
    pub(super) fn road_widths(&self) -> Option<Problem> {
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        for seen in self.seen {
            let width = seen.mask.as_ref().and_then(|mask| mask.roads.width());
            if let (Some(width), Some(path)) = (width, self.mask_path(seen)) {
                let group = groups.entry(self.kind_of_name(seen)).or_default();
                group.add((width, seen.meters), path);
            }
        }
        apart(groups)
    }

    /// Folder and name of an image below the data set's folder, `#` for each number.
    fn kind_of_name(&self, seen: &Seen) -> String {
        let sample = self.sample(seen);
        let folder = sample.image.parent().map(|folder| {
            let below = folder.strip_prefix(&self.discovery.folder);
            below.unwrap_or(folder).join(&sample.name)
        });
        let name = folder.unwrap_or_default().to_string_lossy().into_owned();
        let mut kind = String::with_capacity(name.len());
        for letter in name.chars() {
            match letter {
                '0'..='9' if kind.ends_with('#') => {}
                '0'..='9' => kind.push('#'),
                '\\' => kind.push('/'),
                other => kind.push(other),
            }
        }
        kind
    }
}

/// Two of the groups whose roads differ in width, the widest and the thinnest.
pub(super) fn apart(mut groups: BTreeMap<String, Group>) -> Option<Problem> {
    groups.retain(|_, group| group.paths.len() >= FEWEST_MASKS);
    let mut all = groups.values();
    let in_meters = all.all(|group| group.meters.len() == group.pixels.len());
    let unit = if in_meters { "m" } else { "pixels" };
    let quartile = |group: &Group, quarter: usize| {
        let widths = if in_meters {
            &group.meters
        } else {
            &group.pixels
        };
        quartile(widths, quarter)
    };
    let width = |group: &Group| quartile(group, 2);
    let by_width = |a: &(&String, &Group), b: &(&String, &Group)| width(a.1).total_cmp(&width(b.1));
    let (thin_name, thin) = groups.iter().min_by(by_width)?;
    let (wide_name, wide) = groups.iter().max_by(by_width)?;
    // Few masks differ by chance, too.
    let is_apart = quartile(wide, 1) > quartile(thin, 3);
    if !is_apart || width(wide) <= FAR * width(thin) {
        return None;
    }
    let fewer = if wide.paths.len() < thin.paths.len() {
        wide
    } else {
        thin
    };
    let sentence = format!(
        "Roads are {:.1} {unit} wide in {} masks ({wide_name}) and {:.1} in {} masks \
         ({thin_name}): pixel sizes or ways of drawing differ, which limits the IoU of one \
         model on both; bring the images to one pixel size, and train and judge on masks of \
         one way of drawing",
        width(wide),
        wide.paths.len(),
        width(thin),
        thin.paths.len(),
    );
    let paths = fewer.paths.iter().cloned();
    Problem::of(ProblemKind::RoadWidths, fewer.paths.len(), paths, sentence)
}

/// The number that so many quarters of some numbers lie below; 0 of none.
fn quartile(numbers: &[f64], quarter: usize) -> f64 {
    let mut numbers = numbers.to_vec();
    numbers.sort_by(f64::total_cmp);
    let at = numbers.len() * quarter / 4;
    numbers.get(at).copied().unwrap_or(0.0)
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::super::stories::found;
    use super::*;
    use crate::dataset::discover::test_folders::{Kind, png};
    use crate::geom::ImageSize;
    use crate::label::Class;

    const SIDE: u32 = 128;

    /// Four roads along the rows, of so many pixels.
    fn roads(width: u32) -> Vec<u8> {
        let byte = |y: u32| if (y + 16) % 32 < width { 255 } else { 0 };
        (0..SIDE * SIDE).map(|at| byte(at / SIDE)).collect()
    }

    /// Writes an image of noise and its mask.
    pub(in crate::dataset::inspect) fn add(folder: &Path, name: &str, width: u32) {
        let noise = |at: u32| (at.wrapping_mul(2_654_435_761) >> 21) as u8;
        let seed = name.bytes().map(u32::from).sum::<u32>();
        let pixels: Vec<u8> = (0..SIDE * SIDE * 3).map(|at| noise(at + seed)).collect();
        png(
            folder,
            &format!("images/{name}.png"),
            Kind::Rgb,
            SIDE,
            &pixels,
        );
        let mask = format!("groundtruth/{name}.png");
        png(folder, &mask, Kind::Grey, SIDE, &roads(width));
    }

    /// Three masks of each of two ways of naming, with roads of these widths.
    fn told(epfl: u32, massachusetts: u32) -> Option<Problem> {
        let folder = tempfile::tempdir().expect("a folder");
        for n in 1..=3 {
            add(folder.path(), &format!("satImage_00{n}"), epfl);
            let name = format!("1772872{n}_0_1");
            add(folder.path(), &name, massachusetts);
        }
        found(folder.path(), ProblemKind::RoadWidths)
    }

    #[test]
    fn roads_of_two_conventions_are_told() {
        let problem = told(12, 4).expect("a problem");
        assert_eq!(problem.count, 3);
        // 12 and 4 along the rows.
        let words = "Roads are 15.3 pixels wide in 3 masks (images/satImage_#) and 5.1 in 3 masks \
                     (images/#_#_#): ";
        assert!(problem.sentence.starts_with(words), "{}", problem.sentence);
        assert!(problem.examples[0].ends_with("groundtruth/17728721_0_1.png"));
        assert_eq!(told(7, 5), None);
    }

    #[test]
    fn areas_are_no_roads_and_other_classes_are_not_measured() {
        let size = ImageSize::new(SIDE, SIDE);
        let mut mask = Mask::filled(size, 0);
        let values: Vec<u8> = roads(4).into_iter().map(|bright| bright / 255).collect();
        mask.set_rect(size.bounds(), &values);
        let named = |name: &str| {
            let class = Class::new(1, name, [9; 3]);
            ClassTable::new(None, vec![class]).expect("classes")
        };
        let lines = RoadLines::of(&mask, Some(&named("Road")));
        let expected = RoadLines {
            pixels: 4 * 4 * 128,
            edges: 8 * 128,
        };
        assert_eq!(lines, expected);
        assert!(lines.width().is_some());
        let area = RoadLines {
            pixels: 3_600,
            edges: 240,
        };
        assert_eq!(area.width(), None);
        assert_eq!(RoadLines::default().width(), None);
        let other = RoadLines::of(&mask, Some(&named("field")));
        assert_eq!(other, RoadLines::default());
        assert_eq!(RoadLines::of(&mask, None), RoadLines::default());
    }
}
