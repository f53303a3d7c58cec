use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::values::{Ignored, parse_ignored, parse_preset};
use crate::dataset::{Corrections, OffPalette};
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
    /// A list of classes (TOML, CSV or text) instead of what is recognized; from here or from the
    /// data set's folder.
    #[arg(long, value_name = "FILE")]
    pub classes: Option<PathBuf>,
    /// The classes by index whose pixels count as unlabeled, such as 0 or 0,11, or none, instead of
    /// those that are recognized.
    #[arg(long, value_name = "CLASSES", value_parser = parse_ignored)]
    pub ignore_classes: Option<Ignored>,
    /// What becomes of colors and numbers that are exactly no class's: middle (each channel counts
    /// as 0 or 255, split at 128, where all classes' colors are such), unlabeled, nearest, or
    /// nearest=D with the greatest distance. Without it, nearest=40 where colors look as after
    /// lossy compression, else middle.
    #[arg(long, value_name = "HOW")]
    pub off_palette: Option<OffPalette>,
    /// The folder with the data set's images, when it is not the one that is recognized; from here or
    /// from the data set's folder.
    #[arg(long, value_name = "DIR")]
    pub image_folder: Option<PathBuf>,
    /// The folder with their masks, when it is not the one that is recognized; from here or from the
    /// data set's folder.
    #[arg(long, value_name = "DIR")]
    pub mask_folder: Option<PathBuf>,
    /// What the names of images end with, such as _sat or _sat.jpg, or what they are like, with a
    /// single * for what differs from sample to sample, such as 'img_*' or '*/image.tif'. With it
    /// or --mask-suffix, names alone tell images and masks apart.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub image_suffix: Option<String>,
    /// What the names of masks end with, or what they are like, such as _mask, _mask.png, 'mask_*'
    /// or '*/label.tif'.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub mask_suffix: Option<String>,
    /// Areas of exactly white or black that reach the edge of an image are where it was cut off;
    /// labels there are neither learned from nor judged.
    #[arg(long)]
    pub voids_are_nodata: bool,
}

impl CorrectionArgs {
    /// The same with absolute paths; what is not there as stated may lie below the data set's
    /// folder.
    pub fn given(&self, set: Option<&Path>) -> anyhow::Result<Corrections> {
        let is_other = matches!(self.mask_encoding, Encoding::Index | Encoding::Rgb);
        ensure!(
            !is_other || self.mask_threshold.is_none(),
            "--mask-threshold is for black and white masks; leave --mask-encoding out, or say binary"
        );
        let is_binary = self.mask_encoding == Encoding::Binary || self.mask_threshold.is_some();
        ensure!(
            !is_binary || self.off_palette.is_none(),
            "--off-palette is for colors and numbers of classes, and the masks are said to be \
             black and white; leave it out, or say --mask-encoding index or rgb"
        );
        let absolute = |path: &Option<PathBuf>| {
            let path = path.as_ref().map(|path| {
                let below = set.map(|set| set.join(path));
                let below = below.filter(|below| !path.exists() && below.exists());
                std::path::absolute(below.as_ref().unwrap_or(path))
                    .with_context(|| format!("No such path: {}", path.display()))
            });
            path.transpose()
        };
        Ok(Corrections {
            encoding: self.mask_encoding,
            threshold: self.mask_threshold,
            classes: absolute(&self.classes)?,
            ignored: self.ignore_classes.clone().map(|Ignored(classes)| classes),
            off_palette: self.off_palette,
            images: absolute(&self.image_folder)?,
            masks: absolute(&self.mask_folder)?,
            image_suffix: self.image_suffix.clone(),
            mask_suffix: self.mask_suffix.clone(),
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::{Arguments, DatasetWork, Subcommand, Work};
    use super::*;
    use crate::session::inspect_command;

    fn given(line: &str) -> Result<Corrections, String> {
        let arguments = Arguments::try_parse_from(line.split_whitespace());
        let arguments = arguments.map_err(|error| error.to_string())?;
        let Some(Subcommand::Work(Work::Dataset(DatasetWork::Inspect(args)))) =
            arguments.subcommand
        else {
            panic!("{line} is another command");
        };
        let given = args.corrections.given(Some(&args.folder));
        given.map_err(|error| error.to_string())
    }

    #[test]
    fn what_the_window_copies_is_understood() {
        let path = |name: &str| std::path::absolute(name).expect("a path");
        let all = Corrections {
            encoding: Encoding::Rgb,
            threshold: None,
            classes: Some(path("my.csv")),
            ignored: Some(vec![0, 11]),
            off_palette: Some(OffPalette::Nearest { max_distance: 25 }),
            images: Some(path("a")),
            masks: Some(path("b")),
            image_suffix: Some("_sat.jpg".to_owned()),
            mask_suffix: Some("-mask".to_owned()),
            voids_are_nodata: true,
        };
        let binary = Corrections {
            encoding: Encoding::Binary,
            threshold: Some(90),
            ignored: Some(Vec::new()),
            ..Corrections::default()
        };
        for corrections in [all, binary, Corrections::default()] {
            let line = inspect_command(Path::new("/d"), &corrections);
            assert_eq!(given(&line), Ok(corrections), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (options, expected) in [
            ("--ignore-classes 255", "indices from 0 to 254"),
            ("--ignore-classes 1,x", "indices from 0 to 254"),
            ("--off-palette near", "write middle"),
            (
                "--off-palette nearest --mask-threshold 9",
                "--off-palette is for",
            ),
            (
                "--off-palette nearest --mask-encoding binary",
                "--off-palette is for",
            ),
        ] {
            let line = format!("orthobrush dataset inspect /d {options}");
            let error = given(&line).expect_err("refused");
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn folders_may_be_said_as_they_lie_in_the_data_set() {
        let folder = tempfile::tempdir().expect("a folder");
        let photos = folder.path().join("photos");
        std::fs::create_dir(&photos).expect("a folder");
        let set = folder.path().display();
        let line = format!("orthobrush dataset inspect {set} --image-folder photos");
        assert_eq!(given(&line).expect("corrections").images, Some(photos));
        // What is nowhere is said as it was stated.
        let line = format!("orthobrush dataset inspect {set} --mask-folder nowhere");
        let nowhere = std::path::absolute("nowhere").expect("a path");
        assert_eq!(given(&line).expect("corrections").masks, Some(nowhere));
    }
}
