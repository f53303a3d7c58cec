use super::super::sets::Sets;
use super::super::side::Side;
use super::pieces::{Piece, Pieces};
use super::work::{ChangedTile, Part, Work, parts_of};
use crate::geom::PixelRect;

/// All pixels of a rectangle in regions that are joined by sides and have one key.
///
/// Tiles are labeled by themselves, and only the pieces and the labels of their outermost pixels
/// are kept; a tile of one key is one piece.
pub(super) struct Regions {
    pub(super) patches: Vec<Patch>,
    /// Columns of tiles.
    cols: usize,
    /// The key of each class.
    key_of: [u8; 256],
    /// The region of each piece: the smallest number of a piece of it.
    pub(super) roots: Vec<u32>,
    /// Pixels of each region, at the number of its root.
    pub(super) num_pixels: Vec<u64>,
}

/// The pieces of one part of a tile; they have the numbers from `first` on.
pub(super) struct Patch {
    pub(super) part: Part,
    first: u32,
    content: Content,
}

enum Content {
    Whole(u8),
    Pieces { pieces: Vec<Piece>, sides: Sides },
}

/// Labels of the outermost pixels of a part, from the left and from the top.
struct Sides {
    left: Vec<u16>,
    right: Vec<u16>,
    top: Vec<u16>,
    bottom: Vec<u16>,
}

impl Regions {
    /// The regions of `rect`, which lies inside the mask; `None` when cancelled. Makes progress up
    /// to `share`.
    pub(super) fn of(
        work: &Work<'_>,
        rect: PixelRect,
        key_of: [u8; 256],
        share: f32,
    ) -> Option<Self> {
        let parts: Vec<Part> = parts_of(work.mask, rect).collect();
        let mut patches = work.each(&parts, 0.0..share, |part| Patch::new(work, *part, &key_of))?;
        let mut count = 0_u32;
        for patch in &mut patches {
            patch.first = count;
            count = count
                .checked_add(patch.num_pieces() as u32)
                .expect("pieces fit in memory, so their number fits in 32 bits");
        }
        let cols = parts
            .iter()
            .take_while(|part| part.row == parts[0].row)
            .count();
        let mut sets = Sets::singles(count);
        for (index, patch) in patches.iter().enumerate() {
            if (work.control.is_cancelled)() {
                return None;
            }
            if (index + 1) % cols != 0 {
                patch.join(Side::Right, &patches[index + 1], &mut sets);
            }
            if let Some(below) = patches.get(index + cols) {
                patch.join(Side::Bottom, below, &mut sets);
            }
        }
        let mut regions = Self {
            patches,
            cols,
            key_of,
            roots: sets.into_roots(),
            num_pixels: vec![0; count as usize],
        };
        regions.count_pixels();
        Some(regions)
    }

    fn count_pixels(&mut self) {
        for patch in &self.patches {
            for (number, piece) in patch.pieces() {
                let root = self.roots[number as usize] as usize;
                self.num_pixels[root] += u64::from(piece.num_pixels);
            }
        }
    }

    /// The patch beside the one at `index`.
    pub(super) fn beside(&self, index: usize, side: Side) -> Option<&Patch> {
        let col = index % self.cols;
        let beside = match side {
            Side::Left => index.checked_sub(1).filter(|_| col > 0),
            Side::Right => Some(index + 1).filter(|_| col + 1 < self.cols),
            Side::Top => index.checked_sub(self.cols),
            Side::Bottom => Some(index + self.cols),
        };
        self.patches.get(beside?)
    }

    /// The region of each pixel of a patch, row by row.
    pub(super) fn of_pixels(&self, work: &Work<'_>, patch: &Patch) -> Vec<u32> {
        let root = |label: u16| self.roots[(patch.first + u32::from(label)) as usize];
        match patch.content {
            Content::Whole(_) => vec![root(0); patch.part.rect.num_pixels() as usize],
            Content::Pieces { .. } => {
                let labels = labeled(work, patch.part.rect, &self.key_of).labels;
                labels.into_iter().map(root).collect()
            }
        }
    }

    /// Gives the pixels of each region that has a new class that class; `new` is asked with the
    /// number of a region. Makes the rest of the progress from `share` on.
    pub(super) fn recolored(
        &self,
        work: &Work<'_>,
        share: f32,
        new: impl Fn(u32) -> Option<u8> + Sync,
    ) -> Option<Vec<ChangedTile>> {
        let is_touched = |patch: &&Patch| {
            let mut regions = patch
                .pieces()
                .map(|(number, _)| self.roots[number as usize]);
            !patch.part.rect.intersect(work.area).is_empty()
                && regions.any(|region| new(region).is_some())
        };
        let touched: Vec<&Patch> = self.patches.iter().filter(is_touched).collect();
        let changed = work.each(&touched, share..1.0, |patch| {
            let rect = patch.part.rect.intersect(work.area);
            let mut after = work.mask.read_rect(rect);
            let regions = self.of_pixels(work, patch);
            let width = patch.part.rect.width as usize;
            let top = (rect.y - patch.part.rect.y) as usize;
            let left = (rect.x - patch.part.rect.x) as usize;
            let lines = after.chunks_exact_mut(rect.width as usize);
            for (line, regions) in lines.zip(regions.chunks_exact(width).skip(top)) {
                for (class, &region) in line.iter_mut().zip(&regions[left..]) {
                    *class = new(region).unwrap_or(*class);
                }
            }
            work.changed_tile(&Part { rect, ..patch.part }, &after)
        })?;
        Some(changed.into_iter().flatten().collect())
    }
}

impl Patch {
    fn new(work: &Work<'_>, part: Part, key_of: &[u8; 256]) -> Self {
        let content = match work.mask.tile(part.col, part.row).uniform_class() {
            Some(class) => Content::Whole(key_of[usize::from(class)]),
            None => Content::of(&labeled(work, part.rect, key_of), part.rect.width as usize),
        };
        Self {
            part,
            first: 0,
            content,
        }
    }

    /// Its pieces with their numbers.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (u32, Piece)> {
        let (whole, pieces): (_, &[Piece]) = match &self.content {
            Content::Whole(key) => {
                let num_pixels = self.part.rect.num_pixels() as u32;
                (
                    Some(Piece {
                        key: *key,
                        num_pixels,
                    }),
                    &[],
                )
            }
            Content::Pieces { pieces, .. } => (None, pieces),
        };
        (self.first..).zip(whole.into_iter().chain(pieces.iter().copied()))
    }

    /// The numbers of the pieces that its outermost pixels on a side belong to, from the left or
    /// from the top.
    pub(super) fn along(&self, side: Side) -> impl Iterator<Item = u32> {
        let length = match side {
            Side::Left | Side::Right => self.part.rect.height,
            Side::Top | Side::Bottom => self.part.rect.width,
        };
        let labels: Option<&[u16]> = match &self.content {
            Content::Whole(_) => None,
            Content::Pieces { sides, .. } => Some(sides.get(side)),
        };
        (0..length as usize)
            .map(move |at| self.first + labels.map_or(0, |labels| u32::from(labels[at])))
    }

    fn num_pieces(&self) -> usize {
        match &self.content {
            Content::Whole(_) => 1,
            Content::Pieces { pieces, .. } => pieces.len(),
        }
    }

    fn key(&self, number: u32) -> u8 {
        match &self.content {
            Content::Whole(key) => *key,
            Content::Pieces { pieces, .. } => pieces[(number - self.first) as usize].key,
        }
    }

    /// Joins the pieces that meet those of the next patch on the right or at the bottom.
    fn join(&self, side: Side, next: &Self, sets: &mut Sets) {
        if let (Content::Whole(ours), Content::Whole(theirs)) = (&self.content, &next.content) {
            if ours == theirs {
                sets.join(self.first, next.first);
            }
            return;
        }
        let across = side.opposite();
        let mut last = None;
        for pair in self.along(side).zip(next.along(across)) {
            if last.replace(pair) != Some(pair) && self.key(pair.0) == next.key(pair.1) {
                sets.join(pair.0, pair.1);
            }
        }
    }
}

impl Content {
    fn of(labeled: &Pieces, width: usize) -> Self {
        if let [piece] = labeled.pieces[..] {
            return Self::Whole(piece.key);
        }
        let labels = &labeled.labels;
        let column = |x: usize| labels[x..].iter().step_by(width).copied().collect();
        let sides = Sides {
            left: column(0),
            right: column(width - 1),
            top: labels[..width].to_vec(),
            bottom: labels[labels.len() - width..].to_vec(),
        };
        Self::Pieces {
            pieces: labeled.pieces.clone(),
            sides,
        }
    }
}

impl Sides {
    fn get(&self, side: Side) -> &[u16] {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
            Side::Top => &self.top,
            Side::Bottom => &self.bottom,
        }
    }
}

fn labeled(work: &Work<'_>, rect: PixelRect, key_of: &[u8; 256]) -> Pieces {
    let mut keys = work.mask.read_rect(rect);
    for key in &mut keys {
        *key = key_of[usize::from(*key)];
    }
    Pieces::new(&keys, rect.width as usize)
}
