use super::super::side::Side;
use super::super::span::Span;
use super::super::tile::SIDE;
use super::super::{MaskTile, TilePixels};
use super::line::Line;
use crate::geom::PixelRect;

/// The part of one tile that belongs to a region.
pub(super) enum Cover {
    /// The whole tile, which is of one class.
    Whole,
    /// Some of its pixels.
    Part(Box<Part>),
}

/// Pixels of one class in a tile, row by row; none beyond the edge of the mask.
pub(super) struct Part {
    /// Those that belong to the region as far as it is known.
    reached: [Line; SIDE],
    /// The others.
    open: [Line; SIDE],
}

/// Pixels along each side of a tile, from the left or from the top.
#[derive(Clone, Copy, Default)]
pub(super) struct Sides([Line; 4]);

/// Where a region comes into a tile.
pub(super) enum Entry {
    /// It begins at this column and row of the tile.
    Pixel(usize, usize),
    /// From its neighbors.
    Sides(Sides),
}

/// What an entry added to a tile's cover.
#[derive(Default)]
pub(super) struct Growth {
    /// The new pixels along its sides.
    pub(super) sides: Sides,
    pub(super) num_pixels: u64,
}

impl Cover {
    /// Fills on from `entry` in the tile that covers `ground`; `cover` is what was filled before.
    pub(super) fn grow(
        cover: &mut Option<Self>,
        (tile, class): (&MaskTile, u8),
        ground: PixelRect,
        entry: &Entry,
    ) -> Growth {
        match (cover.as_mut(), tile) {
            (Some(Self::Part(part)), _) => part.grow(entry),
            (None, MaskTile::Uniform(other)) if *other == class => {
                *cover = Some(Self::Whole);
                Growth {
                    sides: Sides([Line::FULL; 4]),
                    num_pixels: ground.num_pixels(),
                }
            }
            (None, MaskTile::Pixels(pixels)) => {
                let mut part = Box::new(Part::unreached(pixels, class, ground));
                let growth = part.grow(entry);
                *cover = (growth.num_pixels > 0).then_some(Self::Part(part));
                growth
            }
            (Some(Self::Whole), _) | (None, MaskTile::Uniform(_)) => Growth::default(),
        }
    }

    /// Whether one of these pixels along a side could still be added.
    pub(super) fn is_open(&self, side: Side, line: Line) -> bool {
        let Self::Part(part) = self else {
            return false;
        };
        let mut places = line.places();
        match side {
            Side::Left => places.any(|y| part.open[y].contains(0)),
            Side::Right => places.any(|y| part.open[y].contains(SIDE - 1)),
            Side::Top => !(line & part.open[0]).is_empty(),
            Side::Bottom => !(line & part.open[SIDE - 1]).is_empty(),
        }
    }

    /// Its pixels in row `y` of the tile that covers `ground`, in mask pixels.
    pub(super) fn spans(&self, y: u32, ground: PixelRect) -> impl Iterator<Item = Span> {
        let row = match self {
            Self::Whole if y < ground.height => Line::first(ground.width as usize),
            Self::Whole => Line::EMPTY,
            Self::Part(part) => part.reached[y as usize],
        };
        row.runs().map(move |(start, end)| Span {
            y: ground.y + y,
            start: ground.x + start as u32,
            end: ground.x + end as u32,
        })
    }
}

impl Part {
    /// Its pixels, row by row.
    pub(super) const fn rows(&self) -> &[Line; SIDE] {
        &self.reached
    }

    fn unreached(pixels: &TilePixels, class: u8, ground: PixelRect) -> Self {
        let inside = Line::first(ground.width as usize);
        let mut open = [Line::EMPTY; SIDE];
        let rows = pixels.as_chunks().0.iter().take(ground.height as usize);
        for (open, row) in open.iter_mut().zip(rows) {
            *open = Line::of_class(row, class) & inside;
        }
        Self {
            reached: [Line::EMPTY; SIDE],
            open,
        }
    }

    fn grow(&mut self, entry: &Entry) -> Growth {
        let mut flood = Flood {
            part: self,
            pending: Line::EMPTY,
            growth: Growth::default(),
        };
        match entry {
            Entry::Pixel(x, y) => flood.add(*y, Line::one(*x)),
            Entry::Sides(sides) => {
                for y in sides.get(Side::Left).places() {
                    flood.add(y, Line::one(0));
                }
                for y in sides.get(Side::Right).places() {
                    flood.add(y, Line::one(SIDE - 1));
                }
                flood.add(0, sides.get(Side::Top));
                flood.add(SIDE - 1, sides.get(Side::Bottom));
            }
        }
        flood.run();
        flood.growth
    }
}

impl Sides {
    pub(super) const fn get(&self, side: Side) -> Line {
        self.0[side as usize]
    }

    pub(super) fn add(&mut self, side: Side, line: Line) {
        let own = &mut self.0[side as usize];
        *own = *own | line;
    }
}

/// Fills inside one tile.
struct Flood<'a> {
    part: &'a mut Part,
    /// Rows that a neighboring row reaches into.
    pending: Line,
    growth: Growth,
}

impl Flood<'_> {
    /// Down and up again until no row is pending. A row is visited only after a neighbor got new
    /// stretches, so that also in a maze the work is at most in proportion to its stretches.
    fn run(&mut self) {
        while !self.pending.is_empty() {
            let mut from = 0;
            while let Some(y) = self.pending.next(from) {
                self.visit(y);
                from = y + 1;
            }
            let mut to = SIDE;
            while let Some(y) = to.checked_sub(1).and_then(|to| self.pending.last(to)) {
                self.visit(y);
                to = y;
            }
        }
    }

    fn visit(&mut self, y: usize) {
        self.pending.remove(y);
        let row = |y: usize| self.part.reached.get(y).copied().unwrap_or_default();
        self.add(y, row(y.wrapping_sub(1)) | row(y + 1));
    }

    /// Adds the stretches of open pixels in row `y` that hold one of these places.
    fn add(&mut self, y: usize, places: Line) {
        let open = self.part.open[y];
        let places = places & open;
        if places.is_empty() {
            return;
        }
        let new = places.grown(open);
        self.part.open[y] = open & !new;
        self.part.reached[y] = self.part.reached[y] | new;
        self.growth.note(y, new);
        for beside in [y.wrapping_sub(1), y + 1] {
            let is_reached = |open: &Line| !(new & *open).is_empty();
            if self.part.open.get(beside).is_some_and(is_reached) {
                self.pending.insert(beside);
            }
        }
    }
}

impl Growth {
    fn note(&mut self, y: usize, new: Line) {
        self.num_pixels += u64::from(new.count());
        if new.contains(0) {
            self.sides.add(Side::Left, Line::one(y));
        }
        if new.contains(SIDE - 1) {
            self.sides.add(Side::Right, Line::one(y));
        }
        if y == 0 {
            self.sides.add(Side::Top, new);
        }
        if y == SIDE - 1 {
            self.sides.add(Side::Bottom, new);
        }
    }
}
