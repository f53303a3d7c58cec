use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::values::parse_preset;
use crate::dataset::Corrections;
use crate::label::Encoding;
use crate::train::Preset;

/// The options of `train` that a run which goes on has chosen already.
pub const OF_NEW_RUNS: [&str; 14] = [
    "out",
    "recipe",
    "preset",
    "epochs",
    "find_rate",
    "batch",
    "patch",
    "steps",
    "bands",
    "lr",
    "seed",
    "device",
    "folds",
    "seeds",
];

/// What is said of a data set instead of what is recognized.
#[derive(Debug, Args)]
pub struct CorrectionArgs {
    /// How masks code their classes: auto, index, binary or rgb.
    #[arg(long, default_value = "auto")]
    pub mask_encoding: Encoding,
    /// Masks are black and white, and their greys from T on (1 to 255, of 8 bits) count as white;
    /// without, those from 128 on where masks are read as black and white.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u8).range(1..))]
    pub mask_threshold: Option<u8>,
    /// A list of classes (TOML, CSV or text) instead of what is recognized.
    #[arg(long, value_name = "FILE")]
    pub classes: Option<PathBuf>,
    /// The folder with the data set's images, when it is not the one that is recognized.
    #[arg(long, value_name = "DIR")]
    pub image_folder: Option<PathBuf>,
    /// The folder with their masks, when it is not the one that is recognized.
    #[arg(long, value_name = "DIR")]
    pub mask_folder: Option<PathBuf>,
    /// Areas of exactly white or black that reach the edge of an image are where it was cut off;
    /// labels there are neither learned from nor judged.
    #[arg(long)]
    pub voids_are_nodata: bool,
}

impl CorrectionArgs {
    /// The same with absolute paths.
    pub fn given(&self) -> anyhow::Result<Corrections> {
        let is_other = matches!(self.mask_encoding, Encoding::Index | Encoding::Rgb);
        ensure!(
            !is_other || self.mask_threshold.is_none(),
            "--mask-threshold is for black and white masks; leave --mask-encoding out, or say binary"
        );
        let absolute = |path: &Option<PathBuf>| {
            let path = path.as_ref().map(|path| {
                std::path::absolute(path)
                    .with_context(|| format!("No such path: {}", path.display()))
            });
            path.transpose()
        };
        Ok(Corrections {
            encoding: self.mask_encoding,
            threshold: self.mask_threshold,
            classes: absolute(&self.classes)?,
            images: absolute(&self.image_folder)?,
            masks: absolute(&self.mask_folder)?,
            voids_are_nodata: self.voids_are_nodata,
        })
    }
}

/// Arguments of `dataset inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The folder.
    pub folder: PathBuf,
    /// Look at so many images at most, one or more, spread over all.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub most: Option<usize>,
    /// Also look for ground, copies and neighbors that training and held-out parts share; of a
    /// folder of several data sets, that these share.
    #[arg(long)]
    pub leaks: bool,
    /// A recipe that comes with the program (without, balanced): leaks are between its parts.
    #[arg(long, value_name = "NAME", value_parser = parse_preset)]
    #[arg(requires = "leaks", conflicts_with = "recipe")]
    pub preset: Option<Preset>,
    /// A recipe file (TOML): leaks are between its parts.
    #[arg(long, value_name = "FILE", requires = "leaks")]
    pub recipe: Option<PathBuf>,
    /// Write samples in small, with their masks over them, side by side into a PNG.
    #[arg(long, value_name = "FILE")]
    pub sheet: Option<PathBuf>,
    /// What is said of it.
    #[command(flatten)]
    pub corrections: CorrectionArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}
