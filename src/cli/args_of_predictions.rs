use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::values::{Corners, parse_certainty, parse_polygon, parse_rect};
use crate::geom::PixelRect;
use crate::label::{Encoding, WantedCells};
use crate::train::{Certainty, DeviceChoice};

/// Arguments of `predict`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("ground").required(true).args(["image", "images"])))]
pub struct PredictArgs {
    /// A run folder.
    #[arg(long, value_name = "RUN")]
    pub model: PathBuf,
    /// The image to predict.
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// Many images to predict: a folder, or a text file with a path in each line.
    #[arg(long, value_name = "DIR|LIST")]
    pub images: Option<PathBuf>,
    /// The mask to write (.tif or .png); with --images the folder for them.
    #[arg(long, value_name = "FILE|DIR")]
    pub out: PathBuf,
    /// Also writes how sure the network is of each pixel: 254 is certain, less is more doubtful, 255
    /// is no data. GDAL's scale and offset in a .tif make of it the probability, the margin, or the
    /// entropy in nats.
    #[arg(long, value_name = "FILE", conflicts_with = "images")]
    pub certainty: Option<PathBuf>,
    /// What --certainty writes: probability, margin or entropy.
    #[arg(long, value_name = "MEASURE", default_value = "probability", value_parser = parse_certainty)]
    #[arg(requires = "certainty", conflicts_with_all = ["images", "uncertainty"])]
    pub certainty_by: Certainty,
    /// Also writes all three measures of how sure it is, as --certainty does: NAME.probability.tif, NAME.margin.tif and
    /// NAME.entropy.tif beside the mask.
    #[arg(long, conflicts_with = "certainty")]
    pub uncertainty: bool,
    /// Also looks at mirror images (test-time augmentation): four times the work.
    #[arg(long)]
    pub tta: bool,
    /// Of two classes, predicts the second one from this probability on; without, the likelier one.
    #[arg(long, value_name = "PROBABILITY")]
    pub threshold: Option<f64>,
    /// Goes on with a prediction that was stopped or killed, and leaves images that are done as they
    /// are.
    #[arg(long)]
    pub resume: bool,
    /// Also replaces files that no prediction wrote, or that were changed since, as a corrected mask.
    #[arg(long)]
    pub overwrite: bool,
    /// What of it; all without.
    #[command(flatten)]
    pub part: GroundArgs,
    /// auto, gpu, cpu, or an adapter's name.
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Which ground of an image is meant; all of it without.
#[derive(Debug, Args)]
pub struct GroundArgs {
    /// Only this part, in pixels of the image; may be given often.
    #[arg(long, value_name = "X,Y,W,H", value_parser = parse_rect)]
    pub area: Vec<PixelRect>,
    /// Only the pixels in this polygon, by its corners in pixels of the image; may be given often:
    /// one within another is a hole.
    #[arg(long, value_name = "X,Y,X,Y,...", value_parser = parse_polygon)]
    #[arg(conflicts_with_all = ["area", "cells"])]
    pub polygon: Vec<Corners>,
    /// Only cells of the project beside each image, or of the opened folder: those that are done, those that somebody should
    /// look at (review), or all but those that are done (open).
    #[arg(long, value_name = "STATE", conflicts_with = "area", value_parser = parse_cells)]
    pub cells: Option<WantedCells>,
}

fn parse_cells(text: &str) -> Result<WantedCells, String> {
    match text {
        "done" => Ok(WantedCells::Done),
        "review" => Ok(WantedCells::Review),
        "open" => Ok(WantedCells::Open),
        _ => Err("write done, review or open".to_owned()),
    }
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// A run folder, or a file that it predicted.
    #[arg(long, value_name = "RUN|FILE")]
    pub a: PathBuf,
    /// The other run folder or file.
    #[arg(long, value_name = "RUN|FILE")]
    pub b: PathBuf,
    /// The image that both predict.
    #[arg(long, value_name = "FILE")]
    pub image: PathBuf,
    /// The true mask: says which of the two is right.
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// A map of the ground that changed its mind (.tif): the class that B says, 255 elsewhere.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What of it is compared; all without.
    #[command(flatten)]
    pub part: GroundArgs,
    /// Scores blocks that judge one of the two, too, which are left out otherwise; each time is
    /// counted in the run.
    #[arg(long, requires = "truth")]
    pub judging: bool,
    /// Also looks at mirror images (test-time augmentation): four times the work.
    #[arg(long)]
    pub tta: bool,
    /// auto, gpu, cpu, or an adapter's name.
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Which ground a score is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoredBy {
    /// All of the image.
    Image,
    /// Each cell of 1,024 pixels along a side.
    Cells,
    /// Rectangles or polygons.
    View,
}

fn parse_scored_by(text: &str) -> Result<ScoredBy, String> {
    match text {
        "image" => Ok(ScoredBy::Image),
        "cells" => Ok(ScoredBy::Cells),
        "view" => Ok(ScoredBy::View),
        _ => Err("write image, cells or view".to_owned()),
    }
}

/// Arguments of `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The true mask.
    #[arg(long, value_name = "FILE")]
    pub truth: PathBuf,
    /// The predicted mask.
    #[arg(long, value_name = "FILE")]
    pub pred: PathBuf,
    /// A class table (TOML) instead of the one beside the truth.
    #[arg(long, value_name = "FILE")]
    pub classes: Option<PathBuf>,
    /// How the truth codes its classes: auto, index, binary or rgb.
    #[arg(long, default_value = "auto")]
    pub mask_encoding: Encoding,
    /// Which ground is scored: image (as without), cells (each, and all together; with --cells those
    /// alone) or view (that of --view and --polygon, as without where one of them is given).
    #[arg(long, value_parser = parse_scored_by)]
    pub by: Option<ScoredBy>,
    /// A rectangle to be scored, in pixels of the image; may be given often.
    #[arg(long, value_name = "X,Y,W,H", value_parser = parse_rect)]
    pub view: Vec<PixelRect>,
    /// A polygon to be scored, by its corners in pixels of the image; may be given often: one within
    /// another is a hole.
    #[arg(long, value_name = "X,Y,X,Y,...", value_parser = parse_polygon)]
    pub polygon: Vec<Corners>,
    /// Scores only cells of the project beside --image, or of its opened folder: those that are done, those that somebody
    /// should look at (review), or all but those that are done (open).
    #[arg(long, value_name = "STATE", requires = "image", value_parser = parse_cells)]
    #[arg(conflicts_with_all = ["view", "polygon"])]
    pub cells: Option<WantedCells>,
    /// The image that was predicted, in whose project the cells are.
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// Leaves out ground without a prediction, which otherwise counts as wrong.
    #[arg(long)]
    pub predicted_only: bool,
    /// The run that predicted, which says what ground the numbers are of; without, the record beside
    /// the mask says it where `predict` wrote both.
    #[arg(long, value_name = "RUN", requires = "image")]
    pub model: Option<PathBuf>,
    /// Scores blocks that judge the model, too, which are left out otherwise; each time is counted
    /// in the run.
    #[arg(long)]
    pub judging: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::Arguments;

    #[test]
    fn a_measure_that_nothing_is_written_of_is_refused() {
        let parsed = |more: &str| {
            let line =
                format!("orthobrush predict --model m --out o.tif --certainty-by margin {more}");
            Arguments::try_parse_from(line.split_whitespace())
        };
        assert!(parsed("--image a.tif --certainty c.tif").is_ok());
        for (more, words) in [
            ("--image a.tif", "--certainty <FILE>"),
            ("--image a.tif --uncertainty", "cannot be used with"),
            ("--images d", "cannot be used with"),
        ] {
            let error = parsed(more).expect_err(more).to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
