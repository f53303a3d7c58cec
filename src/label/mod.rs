//! Class maps: class tables, the sparse mask, brushes and fills, edits and their history, mask files.
//!
//! A mask pixel changes only inside a transaction ([`Stroke`]) or by [`Mask::apply`]. This layer
//! knows no window and no project; of threads only what works on whole masks knows, and leaves them to
//! rayon.

mod align;
mod attention;
mod brush;
mod builder;
mod checked;
mod class;
mod class_file;
mod cleanup;
mod codec;
mod coverage;
mod delta;
mod edit;
mod edit_bytes;
mod error;
mod fill;
mod history;
mod levels;
mod mask;
mod merge;
mod number;
mod origin;
mod outline;
mod palette;
mod polygon;
mod rasterize;
mod record;
mod replace;
mod runs;
mod same;
mod select;
mod selection;
mod sets;
mod side;
mod span;
mod stencil;
mod stroke;
mod tile;
mod tile_bytes;
mod tile_table;
mod trusted;

pub use align::align_classes;
pub use attention::{Doubtful, doubtful_places};
pub use brush::{Brush, BrushShape, Ink, Paint, PaintOver};
pub use builder::MaskBuilder;
pub use checked::{CheckPoint, CheckedMap, MapCheck, Seen, Stratum};
pub use class::{Class, ClassTable, Rgb};
pub use cleanup::{Cleanup, Control, MAX_CLEANUP_RADIUS, clean_up};
pub use codec::{
    Align, Coding, Encoding, FoundTable, IndexTiff, LoadedMask, MIDDLE_GREY, MaskDecisions,
    MaskSurvey, MaskValue, NEAR_CODE, Samples, SaveAs, Shading, TableOrigin, Unknown, UnknownValue,
    Zero, ZeroMeans, is_void_name, load_mask, load_mask_split, load_mask_unaligned,
    save_index_tiff, save_mask, save_mask_over, survey_mask,
};
pub use coverage::{CELL_SIDE, CellKey, CellMark, CellState, Coverage, WantedCells};
pub use edit::{ClassChange, DirtyRects, Edit, EditKind};
pub use error::MaskError;
pub use fill::FillLimits;
pub use history::{History, KeptHistory, StateMark};
pub use levels::{MaskLevels, rect_at_level};
pub use mask::{Mask, UNLABELED};
pub use merge::{MergeCounts, MergeRule, Merged, merge};
pub use number::{count_of, grouped, subject_of};
pub use origin::Origin;
pub use palette::default_color;
pub use rasterize::{Figure, rasterize};
pub use record::{StepRecord, StepState, VisitStep};
pub use select::{
    Hint, ObjectFinder, ReadPixels, Side, Superpixels, Wand, clicks_to_iou,
    intersection_over_union, wand,
};
pub use selection::Selection;
pub use span::Span;
pub use stencil::{Source, Stencil};
pub use stroke::Stroke;
pub use tile::{MASK_TILE_SIZE, MaskTile, TilePixels};
