use super::fields::Fields;
use crate::raster::error::Fault;
use crate::raster::limits::MAX_SIDE;

/// The most tiles that a codestream can name.
const MAX_TILES: u64 = 65_535;

/// One direction of the canvas that a codestream lies on: the image is a part of it, and tiles
/// count from a place of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Where the image begins and ends.
    pub start: u32,
    pub end: u32,
    /// Where the first tile begins, and how long each is.
    pub tile_start: u32,
    pub tile_len: u32,
}

/// A piece of one tile along an axis, in pixels of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    pub tile: u32,
    /// Where it begins, from the image's edge.
    pub start: u32,
    pub len: u32,
}

impl Axis {
    /// Refuses what the standard does not allow.
    fn checked(self) -> Result<Self, Fault> {
        let Self {
            start,
            end,
            tile_start,
            tile_len,
        } = self;
        let is_sound = start < end
            && u64::from(end) <= MAX_SIDE
            && tile_start <= start
            && u64::from(tile_start) + u64::from(tile_len) > u64::from(start);
        is_sound
            .then_some(self)
            .ok_or_else(|| Fault::damaged("its tiles do not lie on the image"))
    }

    /// How many tiles there are.
    pub fn tiles(self) -> u32 {
        (self.end - self.tile_start).div_ceil(self.tile_len)
    }

    /// Where tile number `tile` begins and ends on the canvas, at full size.
    pub fn tile(self, tile: u32) -> (u32, u32) {
        let begin = u64::from(self.tile_start) + u64::from(tile) * u64::from(self.tile_len);
        let finish = (begin + u64::from(self.tile_len)).min(u64::from(self.end));
        (begin.max(u64::from(self.start)) as u32, finish as u32)
    }

    /// Pixels of the image at the level that is halved `reduce` times.
    pub fn len(self, reduce: u8) -> u32 {
        halved(self.end, reduce) - halved(self.start, reduce)
    }

    /// Pixels of the longest tile at a level.
    pub fn tile_len(self, reduce: u8) -> u32 {
        halved(self.tile_len, reduce).min(self.len(reduce)).max(1)
    }

    /// The pieces that the pixels from `from` to `to` of a level lie in, where tiles are cut into
    /// pieces of at most `side` pixels.
    pub fn pieces(self, reduce: u8, side: u32, (from, to): (u32, u32)) -> Vec<Piece> {
        let origin = halved(self.start, reduce);
        let span = |tile: u32| {
            let (begin, finish) = self.tile(tile);
            (
                halved(begin, reduce) - origin,
                halved(finish, reduce) - origin,
            )
        };
        let mut found = Vec::new();
        let mut tile = self.first_tile(|tile| span(tile).1 > from);
        while tile < self.tiles() && span(tile).0 < to {
            let (begin, finish) = span(tile);
            // Most of the pieces of a tile without neighbours are elsewhere.
            let mut start = begin + from.saturating_sub(begin) / side * side;
            while start < finish.min(to) {
                let len = side.min(finish - start);
                found.push(Piece { tile, start, len });
                start += len;
            }
            tile += 1;
        }
        found
    }

    /// The first tile that `is_behind` holds for, as it then does for all that follow.
    fn first_tile(self, is_behind: impl Fn(u32) -> bool) -> u32 {
        let (mut low, mut high) = (0, self.tiles());
        while low < high {
            let middle = low.midpoint(high);
            if is_behind(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// Where a piece begins and ends on the canvas, at full size.
    pub fn area(self, reduce: u8, piece: Piece) -> (u32, u32) {
        let origin = halved(self.start, reduce);
        let (begin, finish) = self.tile(piece.tile);
        let full = |at: u32| u64::from(origin + at) << reduce;
        let start = full(piece.start).max(u64::from(begin));
        let end = full(piece.start + piece.len).min(u64::from(finish));
        (start as u32, end as u32)
    }
}

/// A coordinate of the canvas at the level that is halved `reduce` times.
fn halved(at: u32, reduce: u8) -> u32 {
    u64::from(at).div_ceil(1 << reduce.min(32)) as u32
}

/// Reads where the image and its tiles lie: columns, then rows.
pub fn read_axes(fields: &mut Fields<'_>) -> Option<Result<[Axis; 2], Fault>> {
    let mut numbers = [[0; 2]; 4];
    for pair in &mut numbers {
        *pair = [fields.long()?, fields.long()?];
    }
    let [ends, starts, tile_lens, tile_starts] = numbers;
    let axis = |which: usize| {
        Axis {
            start: starts[which],
            end: ends[which],
            tile_start: tile_starts[which],
            tile_len: tile_lens[which],
        }
        .checked()
    };
    let axes = || {
        let axes = [axis(0)?, axis(1)?];
        if u64::from(axes[0].tiles()) * u64::from(axes[1].tiles()) > MAX_TILES {
            return Err(Fault::damaged("it states more tiles than there can be"));
        }
        Ok(axes)
    };
    Some(axes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AXIS: Axis = Axis {
        start: 37,
        end: 1_537,
        tile_start: 10,
        tile_len: 256,
    };

    #[test]
    fn tiles_lie_where_openjpeg_puts_them() {
        assert_eq!(AXIS.tiles(), 6);
        assert_eq!((AXIS.tile(0), AXIS.tile(5)), ((37, 266), (1_290, 1_537)));
        assert_eq!([0, 1, 2].map(|reduce| AXIS.len(reduce)), [1_500, 750, 375]);
        let piece = |tile, start, len| Piece { tile, start, len };
        assert_eq!(AXIS.pieces(0, 4_096, (741, 742)), [piece(3, 741, 256)]);
        assert_eq!(
            AXIS.pieces(1, 4_096, (369, 371)),
            [piece(2, 242, 128), piece(3, 370, 128)]
        );
        assert_eq!(AXIS.area(1, piece(3, 370, 128)), (778, 1_034));
        assert_eq!(AXIS.area(0, piece(0, 0, 229)), (37, 266));
    }

    #[test]
    fn large_tiles_are_cut() {
        let axis = Axis {
            start: 0,
            end: 5_000,
            tile_start: 0,
            tile_len: 1 << 31,
        };
        let found = axis.pieces(1, 1_024, (1_100, 2_049));
        let starts: Vec<u32> = found.iter().map(|piece| piece.start).collect();
        assert_eq!(starts, [1_024, 2_048]);
        assert_eq!(found[1].len, 452);
        assert_eq!(axis.area(1, found[1]), (4_096, 5_000));
    }

    #[test]
    fn tiles_beside_the_image_are_refused() {
        for broken in [
            Axis { end: 37, ..AXIS },
            Axis {
                tile_len: 27,
                ..AXIS
            },
            Axis {
                tile_len: 0,
                ..AXIS
            },
            Axis {
                tile_start: 38,
                ..AXIS
            },
            Axis {
                end: u32::MAX,
                ..AXIS
            },
        ] {
            assert!(broken.checked().is_err(), "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_cover_each_level_once(
            offset in 0_u32..50, before in 0_u32..50, len in 1_u32..3_000,
            tile_len in 60_u32..700, reduce in 0_u8..6, side in 1_u32..300,
        ) {
            let axis = Axis { start: offset + before, end: offset + before + len, tile_start: offset, tile_len };
            let axis = axis.checked().expect("on the image");
            let all = axis.pieces(reduce, side, (0, axis.len(reduce)));
            let mut at = 0;
            for piece in all {
                prop_assert_eq!(piece.start, at);
                prop_assert!(piece.len >= 1 && piece.len <= side);
                let (start, end) = axis.area(reduce, piece);
                let origin = halved(axis.start, reduce);
                prop_assert_eq!(halved(start, reduce) - origin, piece.start);
                prop_assert_eq!(halved(end, reduce) - origin, piece.start + piece.len);
                at += piece.len;
            }
            prop_assert_eq!(at, axis.len(reduce));
        }
    }
}
