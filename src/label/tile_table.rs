use std::sync::Arc;

use super::MaskTile;

/// Tiles along each side of a block.
const BLOCK: usize = 16;

/// All tiles of a mask in two levels, so that a copy costs nothing and the first change after a
/// copy costs one block and the list of blocks, whatever the mask's size.
#[derive(Clone, Debug)]
pub(super) struct TileTable {
    cols: usize,
    rows: usize,
    blocks: Arc<Vec<Block>>,
}

type Block = Arc<Vec<MaskTile>>;

impl TileTable {
    pub(super) fn new(cols: u32, rows: u32, class: u8) -> Self {
        let (cols, rows) = (cols as usize, rows as usize);
        let block: Block = Arc::new(vec![MaskTile::Uniform(class); BLOCK * BLOCK]);
        let count = cols.div_ceil(BLOCK) * rows.div_ceil(BLOCK);
        Self {
            cols,
            rows,
            blocks: Arc::new(vec![block; count]),
        }
    }

    pub(super) const fn grid(&self) -> (u32, u32) {
        (self.cols as u32, self.rows as u32)
    }

    /// The tile, `None` outside the grid.
    pub(super) fn get(&self, col: u32, row: u32) -> Option<&MaskTile> {
        let (block, tile) = self.place(col, row)?;
        Some(&self.blocks[block][tile])
    }

    /// The tile for writing, `None` outside the grid. Copies what other tables share.
    pub(super) fn get_mut(&mut self, col: u32, row: u32) -> Option<&mut MaskTile> {
        let (block, tile) = self.place(col, row)?;
        let block = &mut Arc::make_mut(&mut self.blocks)[block];
        Some(&mut Arc::make_mut(block)[tile])
    }

    /// Whether the block that holds the tile is one and the same in both tables.
    pub(super) fn shares_block(&self, other: &Self, col: u32, row: u32) -> bool {
        match (self.place(col, row), other.place(col, row)) {
            (Some((a, _)), Some((b, _))) => Arc::ptr_eq(&self.blocks[a], &other.blocks[b]),
            _ => false,
        }
    }

    /// All tiles as (column, row, tile), block by block.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32, &MaskTile)> {
        let across = self.cols.div_ceil(BLOCK);
        self.blocks
            .iter()
            .enumerate()
            .flat_map(move |(index, block)| {
                let (left, top) = (index % across * BLOCK, index / across * BLOCK);
                let inside = move |&(tile, _): &(usize, &MaskTile)| {
                    left + tile % BLOCK < self.cols && top + tile / BLOCK < self.rows
                };
                block
                    .iter()
                    .enumerate()
                    .filter(inside)
                    .map(move |(tile, content)| {
                        (
                            (left + tile % BLOCK) as u32,
                            (top + tile / BLOCK) as u32,
                            content,
                        )
                    })
            })
    }

    /// Bytes of the table itself, shared blocks counted once where they are neighbors.
    pub(super) fn own_bytes(&self) -> usize {
        let list = self.blocks.len() * size_of::<Block>();
        let mut previous: Option<&Block> = None;
        let mut blocks = 0;
        for block in self.blocks.iter() {
            if !previous.is_some_and(|previous| Arc::ptr_eq(previous, block)) {
                blocks += BLOCK * BLOCK * size_of::<MaskTile>();
            }
            previous = Some(block);
        }
        list + blocks
    }

    fn place(&self, col: u32, row: u32) -> Option<(usize, usize)> {
        let (col, row) = (col as usize, row as usize);
        if col >= self.cols || row >= self.rows {
            return None;
        }
        let block = row / BLOCK * self.cols.div_ceil(BLOCK) + col / BLOCK;
        Some((block, row % BLOCK * BLOCK + col % BLOCK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_does_not_see_later_changes() {
        let mut table = TileTable::new(40, 20, 7);
        let copy = table.clone();
        *table.get_mut(39, 19).expect("inside") = MaskTile::Uniform(1);
        assert_eq!(copy.get(39, 19).and_then(MaskTile::uniform_class), Some(7));
        assert_eq!(table.get(39, 19).and_then(MaskTile::uniform_class), Some(1));
        assert!(table.get(40, 0).is_none() && table.get(0, 20).is_none());
        assert!(table.shares_block(&copy, 0, 0) && !table.shares_block(&copy, 39, 19));
    }

    #[test]
    fn every_tile_is_met_once() {
        let table = TileTable::new(33, 17, 0);
        let mut seen: Vec<_> = table.iter().map(|(col, row, _)| (row, col)).collect();
        seen.sort_unstable();
        let expected: Vec<_> = (0..17)
            .flat_map(|row| (0..33).map(move |col| (row, col)))
            .collect();
        assert_eq!(seen, expected);
    }
}
