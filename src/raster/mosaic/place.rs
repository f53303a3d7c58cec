use super::index::PlaceIndex;
use crate::geom::{ImageSize, PixelRect};
use crate::raster::source::SampleType;

/// Edges nearer to a whole number than this are that number, as in GDAL.
const EDGE_TOLERANCE: f64 = 1e-3;
/// Keeps a pixel's middle on its side of an edge, as in GDAL.
const MIDDLE_TOLERANCE: f64 = 1e-10;

/// A rectangle between pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FracRect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl FracRect {
    /// All pixels of an image.
    pub(super) fn whole(size: ImageSize) -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            width: f64::from(size.width),
            height: f64::from(size.height),
        }
    }

    /// Whether all four numbers are finite and something is inside.
    pub(super) fn is_usable(&self) -> bool {
        let numbers = [self.x, self.y, self.width, self.height];
        numbers.iter().all(|number| number.is_finite()) && self.width > 0.0 && self.height > 0.0
    }

    /// The pixels of an image of `size` that the rectangle touches.
    pub(super) fn pixels_in(&self, size: ImageSize) -> PixelRect {
        let (x, right) = touched(self.x, self.width, size.width);
        let (y, bottom) = touched(self.y, self.height, size.height);
        PixelRect::new(x, y, right - x, bottom - y)
    }
}

fn touched(from: f64, len: f64, side: u32) -> (u32, u32) {
    // Casting cuts what is out of range.
    let first = ((from + EDGE_TOLERANCE).floor() as u32).min(side);
    let end = ((from + len - EDGE_TOLERANCE).ceil() as u32).min(side);
    (first, end.max(first))
}

/// What of a file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileBand {
    /// The samples of a band, from 0.
    Samples(u16),
    /// 255 where the file shows something, 0 elsewhere; its opacity where it has such.
    Mask,
}

/// What becomes of samples on their way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) offset: f64,
    pub(super) ratio: f64,
    /// Values and what they become, rising; values between are blended.
    pub(super) table: Vec<(f64, f64)>,
}

impl Change {
    /// What a value becomes on its way to a sample of this type: with the precision that GDAL
    /// computes with, of which the last digit may decide how a half is rounded.
    pub(super) fn apply(&self, value: f64, sample: SampleType) -> f64 {
        let scaled = computed(value, sample) * self.ratio + self.offset;
        computed(self.looked_up(computed(scaled, sample)), sample)
    }

    fn looked_up(&self, value: f64) -> f64 {
        let behind = self.table.partition_point(|&(from, _)| from <= value);
        let (Some(&(low, first)), Some(&(high, second))) = (
            self.table.get(behind.saturating_sub(1)),
            self.table
                .get(behind.min(self.table.len().saturating_sub(1))),
        ) else {
            return value;
        };
        if high <= low || value <= low {
            return first;
        }
        first + (second - first) * ((value - low) / (high - low))
    }

    /// Whether every value becomes this one.
    pub(super) fn constant(&self) -> Option<f64> {
        (self.ratio == 0.0 && self.table.is_empty()).then_some(self.offset)
    }
}

/// A part of a file that lies somewhere in a band of a mosaic.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placement {
    /// Its number among the files of the mosaic.
    pub(super) file: u32,
    pub(super) band: FileBand,
    /// Pixels of the file; all where nothing is said.
    pub(super) from: Option<FracRect>,
    /// Where they lie in the mosaic.
    pub(super) to: FracRect,
    /// The pixels of the mosaic that they touch.
    pub(super) covers: PixelRect,
    /// Whether pixels that the file hides let what is below shine through.
    pub(super) uses_mask: bool,
    /// The value that lets what is below shine through.
    pub(super) nodata: Option<f64>,
    pub(super) change: Option<Box<Change>>,
}

impl Placement {
    /// Whether pixels of the file are pixels of the mosaic, one to one.
    pub(super) fn is_exact(&self) -> bool {
        let is_whole = |number: f64| number.fract() == 0.0 && number >= 0.0;
        let to = self.to;
        let places = [to.x, to.y, to.width, to.height];
        let from = self.from.unwrap_or(FracRect {
            x: 0.0,
            y: 0.0,
            ..to
        });
        places.into_iter().all(is_whole)
            && [from.x, from.y].into_iter().all(is_whole)
            && (from.width, from.height) == (to.width, to.height)
            && f64::from(self.covers.width) == to.width
            && f64::from(self.covers.height) == to.height
    }

    /// Columns and rows of a file of `size`.
    pub(super) fn axes(&self, size: ImageSize) -> (Axis, Axis) {
        let from = self.from.unwrap_or_else(|| FracRect::whole(size));
        let axis = |from, span, to, shown, len| Axis {
            from,
            span,
            to,
            scale: span / shown,
            len,
        };
        let to = &self.to;
        (
            axis(from.x, from.width, to.x, to.width, size.width),
            axis(from.y, from.height, to.y, to.height, size.height),
        )
    }

    /// The pixels of the file that stand for `rect` of an exact placement.
    pub(super) fn exact_window(&self, rect: PixelRect) -> PixelRect {
        let [x, y] = self
            .from
            .map_or([0, 0], |from| [from.x, from.y].map(to_u32));
        let across = (rect.x - self.covers.x).saturating_add(x);
        let down = (rect.y - self.covers.y).saturating_add(y);
        PixelRect::new(across, down, rect.width, rect.height)
    }
}

const fn to_u32(number: f64) -> u32 {
    number as u32
}

/// How columns (or rows) of a mosaic follow from those of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    from: f64,
    span: f64,
    to: f64,
    scale: f64,
    /// Columns of the file.
    len: u32,
}

impl Axis {
    /// The column of the file in which the middle of a column of the mosaic lies.
    pub(super) fn source_of(&self, place: u32) -> Option<u32> {
        let middle = f64::from(place) + 0.5 - self.to;
        let found = (self.from + middle * self.scale + MIDDLE_TOLERANCE).floor();
        // The middle of a column that is touched in part may lie outside.
        let first = (self.from + EDGE_TOLERANCE).floor();
        let last = (self.from + self.span - EDGE_TOLERANCE).ceil() - 1.0;
        let found = found.max(first).min(last.max(first));
        (found >= 0.0 && found < f64::from(self.len)).then_some(found as u32)
    }
}

/// What lies in one band, from below to above.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) placements: Vec<Placement>,
    /// The value of what is as if nothing lay there.
    pub(super) nodata: Option<f64>,
    /// The value of ground where nothing lies.
    pub(super) fill: f64,
    index: PlaceIndex,
}

impl Layer {
    /// A band with this value where nothing lies, which is its nodata value, too.
    pub(super) fn new(placements: Vec<Placement>, nodata: Option<f64>) -> Self {
        let index = PlaceIndex::new(placements.iter().map(|placement| placement.covers));
        Self {
            placements,
            nodata,
            fill: nodata.unwrap_or(0.0),
            index,
        }
    }

    /// The band where no value stands for nothing; ground where nothing lies keeps its value.
    pub(super) fn without_nodata(mut self) -> Self {
        self.nodata = None;
        self
    }

    /// The numbers of what lies in `rect`, from below to above.
    pub(super) fn touching(&self, rect: PixelRect) -> Vec<u32> {
        self.index.touching(rect)
    }

    /// Whether nothing lies in `rect`.
    pub(super) fn is_free(&self, rect: PixelRect) -> bool {
        !self.index.has_any(rect)
    }
}

/// A value as GDAL keeps it between two steps towards a sample of this type.
fn computed(value: f64, sample: SampleType) -> f64 {
    if sample.bits() <= 16 || sample == SampleType::F32 {
        f64::from(value as f32)
    } else {
        value
    }
}

/// A value as a sample of this type: rounded, and cut to what the type holds.
pub(super) fn fitted(value: f64, sample: SampleType) -> f64 {
    match (sample.range(), sample) {
        (None, SampleType::F64) => value,
        (None, _) => f64::from(value as f32),
        (Some(_), _) if value.is_nan() => 0.0,
        (Some(range), _) => value.round().clamp(*range.start(), *range.end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placement(from: [f64; 4], to: [f64; 4]) -> Placement {
        let rect = |[x, y, width, height]: [f64; 4]| FracRect {
            x,
            y,
            width,
            height,
        };
        Placement {
            file: 0,
            band: FileBand::Samples(0),
            from: Some(rect(from)),
            to: rect(to),
            covers: rect(to).pixels_in(ImageSize::new(20, 20)),
            uses_mask: false,
            nodata: None,
            change: None,
        }
    }

    #[track_caller]
    fn check_columns(from: [f64; 2], to: [f64; 2], len: u32, expected: &[u32]) {
        let placed = placement([from[0], 0.0, from[1], 1.0], [to[0], 0.0, to[1], 1.0]);
        let (across, _) = placed.axes(ImageSize::new(len, 1));
        let columns = placed.covers.x..placed.covers.right();
        let found: Vec<u32> = columns.filter_map(|x| across.source_of(x)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_nearest_column_is_that_of_the_middle() {
        check_columns([0.0, 4.0], [2.0, 4.0], 4, &[0, 1, 2, 3]);
        check_columns([0.0, 4.0], [0.0, 2.0], 4, &[1, 3]);
        check_columns([0.0, 2.0], [1.0, 4.0], 2, &[0, 0, 1, 1]);
        check_columns([1.0, 2.0], [0.0, 2.0], 9, &[1, 2]);
        // Touched in part at both ends.
        check_columns([0.0, 4.0], [0.75, 4.5], 4, &[0, 0, 1, 2, 3, 3]);
        // Nothing lies where the file has no pixels.
        check_columns([2.0, 4.0], [0.0, 4.0], 4, &[2, 3]);
    }

    #[test]
    fn edges_are_whole_to_within_a_thousandth() {
        let exact = placement([0.0, 0.0, 4.0, 4.0], [3.0, 5.0, 4.0, 4.0]);
        assert!(exact.is_exact());
        assert_eq!(exact.covers, PixelRect::new(3, 5, 4, 4));
        let window = exact.exact_window(PixelRect::new(4, 6, 2, 2));
        assert_eq!(window, PixelRect::new(1, 1, 2, 2));
        let near = placement([0.0, 0.0, 4.0, 4.0], [2.9995, 5.0, 4.0, 4.0]);
        assert_eq!(near.covers, PixelRect::new(3, 5, 4, 4));
        assert!(!near.is_exact());
        let outside = placement([0.0, 0.0, 4.0, 4.0], [-9.0, 18.5, 4.0, 4.0]);
        assert_eq!(outside.covers, PixelRect::new(0, 18, 0, 2));
    }

    #[test]
    fn values_are_scaled_looked_up_and_fitted() {
        let scaled = Change {
            offset: 10.0,
            ratio: 0.5,
            table: Vec::new(),
        };
        assert_eq!(scaled.apply(100.0, SampleType::U8), 60.0);
        let looked_up = Change {
            offset: 0.0,
            ratio: 1.0,
            table: vec![(0.0, 10.0), (10.0, 20.0), (20.0, 0.0)],
        };
        let found = [-5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 99.0]
            .map(|value| looked_up.apply(value, SampleType::U8));
        assert_eq!(found, [10.0, 10.0, 15.0, 20.0, 10.0, 0.0, 0.0]);
        // A little less than 127.5 in doubles, and 26.5 by GDAL 3.6.
        for (value, ratio, bytes) in [(100.0, 1.275, 128.0), (50.0, 0.53, 27.0)] {
            let offset = 0.0;
            let table = Vec::new();
            let change = Change {
                offset,
                ratio,
                table,
            };
            let byte = fitted(change.apply(value, SampleType::U8), SampleType::U8);
            assert_eq!(byte, bytes, "{value} by {ratio}");
            let number = change.apply(value, SampleType::F64);
            assert_eq!(number, value * ratio, "doubles stay doubles");
        }
        assert_eq!(fitted(-3.0, SampleType::U8), 0.0);
        assert_eq!(fitted(127.5, SampleType::U8), 128.0);
        assert_eq!(fitted(1e9, SampleType::I16), 32_767.0);
        assert!(fitted(f64::NAN, SampleType::F32).is_nan());
    }
}
