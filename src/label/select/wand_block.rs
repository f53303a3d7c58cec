use super::super::span::Span;
use super::bits::Bits;
use crate::geom::PixelRect;

/// A block that the region reached.
pub(super) struct Block {
    pub(super) ground: PixelRect,
    /// Alike pixels that the region did not reach so far; none when all were.
    pub(super) open: Option<Bits>,
    pub(super) taken: Cover,
}

/// The part of a block that belongs to the region.
pub(super) enum Cover {
    Whole,
    Bits(Bits),
}

/// What one block adds to a region.
#[derive(Default)]
pub(super) struct Growth {
    pub(super) num_pixels: u64,
    /// Pixels just across the block's sides to which the region may go on.
    pub(super) beyond: Vec<Span>,
}

impl Block {
    /// Takes the open pixels that are joined to a pixel of `seeds`, spans inside this block.
    pub(super) fn grow(&mut self, seeds: &[Span], area: PixelRect) -> Growth {
        let mut growth = Growth::default();
        let Some(mut open) = self.open.take() else {
            return growth;
        };
        let Cover::Bits(taken) = &mut self.taken else {
            return growth;
        };
        let ground = self.ground;
        if open.count() == ground.num_pixels() {
            self.taken = Cover::Whole;
            growth.num_pixels = ground.num_pixels();
            for y in 0..ground.height {
                growth.add_run(y, (0, ground.width), ground, area);
            }
            return growth;
        }
        let (mut stack, width) = (Vec::new(), ground.width as usize);
        for seed in seeds {
            let columns = (seed.start - ground.x, seed.end - ground.x);
            push_runs(&open, seed.y - ground.y, columns, &mut stack);
        }
        while let Some((x, y)) = stack.pop() {
            let row = y as usize;
            if !open.contains(x as usize, row) {
                continue;
            }
            let (start, end) = open.run_around(x as usize, row);
            debug_assert!(start < end && end <= width);
            open.remove(row, start, end);
            taken.insert(row, start, end);
            let run = (start as u32, end as u32);
            growth.num_pixels += u64::from(run.1 - run.0);
            growth.add_run(y, run, ground, area);
            if y > 0 {
                push_runs(&open, y - 1, run, &mut stack);
            }
            if y + 1 < ground.height {
                push_runs(&open, y + 1, run, &mut stack);
            }
        }
        self.open = (!open.is_empty()).then_some(open);
        growth
    }
}

/// Pushes a pixel of each open run of row `y` between two columns.
fn push_runs(open: &Bits, y: u32, (from, to): (u32, u32), stack: &mut Vec<(u32, u32)>) {
    let columns = (from as usize, to as usize);
    open.visit_runs(y as usize, columns, |start, _| {
        stack.push((start as u32, y));
    });
}

impl Growth {
    /// Notes where a run that was taken (columns and row of the block) meets the block's sides.
    fn add_run(&mut self, y: u32, (start, end): (u32, u32), ground: PixelRect, area: PixelRect) {
        let (left, right, row) = (ground.x + start, ground.x + end, ground.y + y);
        let mut add = |y, start, end| self.beyond.push(Span { y, start, end });
        if start == 0 && ground.x > area.x {
            add(row, left - 1, left);
        }
        if end == ground.width && right < area.right() {
            add(row, right, right + 1);
        }
        if y == 0 && ground.y > area.y {
            add(row - 1, left, right);
        }
        if y + 1 == ground.height && ground.bottom() < area.bottom() {
            add(row + 1, left, right);
        }
    }
}

/// The spans of blocks that lie side by side, from the left; runs that meet become one.
pub(super) fn spans_of_band(parts: &[(PixelRect, &Cover)]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let rows = parts.first().map_or(0, |(ground, _)| ground.height);
    for row in 0..rows {
        for (ground, cover) in parts {
            let y = ground.y + row;
            let mut add = |start: usize, end: usize| {
                let (start, end) = (ground.x + start as u32, ground.x + end as u32);
                match spans.last_mut() {
                    Some(last) if last.y == y && last.end == start => last.end = end,
                    _ => spans.push(Span { y, start, end }),
                }
            };
            let width = ground.width as usize;
            match cover {
                Cover::Whole => add(0, width),
                Cover::Bits(bits) => bits.visit_runs(row as usize, (0, width), add),
            }
        }
    }
    spans
}
