use std::path::PathBuf;

use super::Discovery;
use super::decode::{decode, ignoring};
use super::rle::mask_of_runs;
use crate::dataset::DatasetError;
use crate::dataset::voids::Voids;
use crate::exchange::Part;
use crate::geom::ImageSize;
use crate::label::Mask;
use crate::raster::open_raster;

/// One image of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The image's file name without its ending and without what sets it off from its mask.
    pub name: String,
    /// The image file.
    pub image: PathBuf,
    /// The mask, when there is one.
    pub mask: Option<MaskSource>,
    /// What it is for, as folders or lists say.
    pub part: Option<Part>,
    /// What it shares with other images of the same place: the tile, the drive, the town, the
    /// folder. Images of one group should not be both learned from and tested on.
    pub group: Option<String>,
}

/// Where a mask is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaskSource {
    /// In a file of its own.
    File(PathBuf),
    /// As run lengths in a table.
    Rle {
        /// "start length …", counted from 1 down the columns; nothing for an empty mask.
        runs: String,
        /// The table.
        table: PathBuf,
    },
}

impl MaskSource {
    /// The file that the mask is in.
    pub const fn path(&self) -> &PathBuf {
        match self {
            Self::File(path) | Self::Rle { table: path, .. } => path,
        }
    }
}

impl Sample {
    /// Where its mask is, for people: the file, or the table and the name in it.
    pub(in crate::dataset) fn mask_place(&self) -> Option<PathBuf> {
        Some(match self.mask.as_ref()? {
            MaskSource::File(path) => path.clone(),
            MaskSource::Rle { table, .. } => {
                PathBuf::from(format!("{}: {}", table.display(), self.name))
            }
        })
    }

    /// The mask, read as `discovery` says, and what there is to note about it.
    ///
    /// Classes that the data set ignores are unlabeled. Numbers without a class keep their value.
    ///
    /// # Errors
    /// [`DatasetError`] when the sample has no mask, image or mask cannot be read, or their extents
    /// differ.
    pub fn load_mask(&self, discovery: &Discovery) -> Result<(Mask, Vec<String>), DatasetError> {
        let (mask, notes) = self.load_unfiltered(discovery)?;
        Ok((ignoring(mask, discovery), notes))
    }

    /// As [`Self::load_mask`], with the classes that the data set ignores. Of images whose voids
    /// are nodata all pixels are read.
    ///
    /// # Errors
    /// As for [`Self::load_mask`].
    pub(in crate::dataset) fn load_unfiltered(
        &self,
        discovery: &Discovery,
    ) -> Result<(Mask, Vec<String>), DatasetError> {
        let source = self.mask.as_ref().ok_or_else(|| DatasetError::NoMask {
            path: self.image.clone(),
        })?;
        let image = open_raster(&self.image)?;
        let (mut mask, notes) = self.as_stored(source, image.info().size, discovery)?;
        if discovery.are_voids_nodata {
            let voids = Voids::of(&*image)?;
            voids
                .where_labels_allow(&mask, discovery)
                .unlabel(&mut mask);
        }
        Ok((mask, notes))
    }

    /// The mask as it is in its file, on an image of `size`.
    fn as_stored(
        &self,
        source: &MaskSource,
        size: ImageSize,
        discovery: &Discovery,
    ) -> Result<(Mask, Vec<String>), DatasetError> {
        match source {
            MaskSource::Rle { runs, table } => {
                let mask = mask_of_runs(runs, size, (&self.name, table))?;
                Ok((mask, Vec::new()))
            }
            MaskSource::File(path) => {
                let found = open_raster(path)?.info().size;
                if found != size {
                    return Err(DatasetError::size_differs(size, found, path.clone()));
                }
                decode(path, discovery)
            }
        }
    }
}
