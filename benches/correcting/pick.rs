use orthobrush::dataset::Rng;
use orthobrush::geom::PixelRect;
use orthobrush::label::doubtful_places;

use super::area::Area;

/// Who says which cells are corrected; never the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The queue of doubtful places of the model that is corrected.
    Queue,
    /// A die.
    Random,
}

impl Pick {
    pub const ALL: [Self; 2] = [Self::Queue, Self::Random];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Random => "random",
        }
    }

    /// The cells that are corrected: `budget` percent of all, at least one.
    pub fn cells(self, area: &Area, budget: u32, seed: u64) -> Vec<PixelRect> {
        let mut all = area.cells();
        let count = (all.len() * budget as usize).div_ceil(100).max(1);
        match self {
            Self::Queue => {
                // Nothing is labeled yet, so label and prediction differ everywhere.
                let unlabeled = orthobrush::label::Mask::new(area.truth.size());
                let masks = [&unlabeled, &area.said];
                let whole = u64::from(area.cell).pow(2);
                let is_cell = |rect: PixelRect| rect.num_pixels() == whole && !area.is_filler(rect);
                let found = doubtful_places(&area.certainty, masks, (area.cell, count), is_cell);
                found.into_iter().map(|place| place.rect).collect()
            }
            Self::Random => {
                let mut rng = Rng::of(&[seed, u64::from(budget)]);
                for at in 0..count {
                    let other = at + rng.below((all.len() - at) as u64) as usize;
                    all.swap(at, other);
                }
                all.truncate(count);
                all
            }
        }
    }
}
