//! Smaller copies of a mosaic out of a file that was made of it; no value of the mosaic itself
//! depends on them.

use std::fs;
use std::path::{Path, PathBuf};

use super::source::{Mosaic, StoredLevel};
use super::vrt::open_vrt;
use crate::raster::error::{Fault, ReadError};
use crate::raster::read_at::FileBytes;
use crate::raster::source::TileSource as _;
use crate::raster::tiff::TiffSource;

/// The most files whose state is asked for.
const MOST_FILES: usize = 1 << 20;

impl Mosaic {
    /// Whether ground may be hidden without a sample that says so.
    pub(in crate::raster) fn hides_by_place(&self) -> bool {
        let has_void = |band: &super::place::Layer| band.nodata.is_some();
        self.alpha.is_none() && (self.mask.is_some() || !self.bands.iter().all(has_void))
    }

    /// The files of which its pixels come, those of mosaics within it (by their ending, `.vrt`) too.
    pub(in crate::raster) fn all_files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        self.add_files(&mut found);
        found
    }

    fn add_files(&self, found: &mut Vec<PathBuf>) {
        for path in self.files.paths() {
            if found.len() >= MOST_FILES {
                return;
            }
            found.push(path.clone());
            let is_mosaic = path
                .extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case("vrt"));
            // One that cannot be read or lies within itself has no pixels.
            if is_mosaic
                && let Ok(real) = fs::canonicalize(path)
                && let Ok(inner) = open_vrt(&real, self.files.nesting())
            {
                inner.add_files(found);
            }
        }
    }

    /// The mosaic with the levels of a file of overviews that it has not itself. A file that does not
    /// fit, or cannot be read, adds none.
    pub(in crate::raster) fn with_overviews(mut self, path: &Path) -> Self {
        let Ok(bytes) = FileBytes::open(path) else {
            return self;
        };
        let Ok(kept) = TiffSource::open(bytes, path, None) else {
            return self;
        };
        let is_alike = self.has_pictures()
            || (kept.tile_format() == self.tile_format() && kept.data_bands() == self.data_bands());
        if !is_alike || kept.info().palette.is_some() != self.info.palette.is_some() {
            return self;
        }
        let mut levels: Vec<_> = self.info.level_sizes.drain(..).zip(self.levels).collect();
        for (stored, &size) in kept.info().level_sizes.iter().enumerate() {
            let is_level = (1..32).any(|level| self.info.size.at_level(level) == size);
            if is_level && levels.iter().all(|(known, _)| *known != size) {
                levels.push((size, StoredLevel::Kept(stored)));
            }
        }
        levels.sort_by_key(|(size, _)| std::cmp::Reverse(size.num_pixels()));
        (self.info.level_sizes, self.levels) = levels.into_iter().unzip();
        self.kept = Some(kept);
        self
    }

    /// The file of overviews, which shows what the mosaic shows.
    pub(super) fn kept_source(&self) -> Result<&TiffSource, ReadError> {
        let kept = self.kept.as_ref();
        let kept = kept.ok_or_else(|| Fault::Outside.on_read(&self.path))?;
        // Averages must not say what black and white are.
        kept.show_within(|| self.stretch());
        Ok(kept)
    }
}
