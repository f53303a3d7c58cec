use std::path::PathBuf;

use clap::{Args, Parser};

use super::args_of_data::OF_NEW_RUNS;
pub use super::args_of_data::{CorrectionArgs, InspectArgs};
pub use super::args_of_predictions::{CompareArgs, EvalArgs, GroundArgs, PredictArgs, ScoredBy};
pub use super::args_of_runs::{
    ExperimentArgs, FinetuneArgs, ProjectArgs, QueueArgs, SearchArgs, TestArgs,
};
use super::bench::BenchArgs;
use super::mosaic::MosaicArgs;
use super::pyramid::PyramidArgs;
use super::values::{
    parse_align, parse_contrast, parse_edge, parse_gamma, parse_preset, parse_ramp, parse_rect,
    parse_share, parse_shown_bands, parse_size, parse_tolerance, parse_value, parse_zero,
};
use crate::dataset::Bands;
use crate::exchange::Edge;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{Align, Encoding, MergeRule, ZeroMeans};
use crate::raster::{Contrast, Look, Ramp, ShownBands};
use crate::train::{DeviceChoice, Preset};

/// Browse, correct, train and compare masks of aerial imagery.
///
/// Without a subcommand the window opens.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// What to do without a window.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,
    /// An image or a folder of images to open in the window.
    pub path: Option<PathBuf>,
    /// A data set to look at in the window: a folder of images and masks, in any usual arrangement.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// What can be done without a display.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
    /// Work that needs no window at all.
    #[command(flatten)]
    Work(Work),
    /// Draw the whole window into a PNG.
    Screenshot(ScreenshotArgs),
    /// Measure.
    Bench(BenchArgs),
}

/// What can be done without a window.
#[derive(Debug, clap::Subcommand)]
pub enum Work {
    /// Write a made-up orthophoto with its label, to try everything on.
    Sample(SampleArgs),
    /// Say what is in an image file.
    Info(InfoArgs),
    /// Say what a data set holds and what is wrong with it.
    #[command(subcommand)]
    Dataset(DatasetWork),
    /// Train a network on an image and its label, or on a data set.
    Train(Box<TrainArgs>),
    /// Judge a run's best network on its test part, once, or on its validation part; each time is
    /// counted.
    Test(TestArgs),
    /// Do a published experiment again and write a page about it.
    Experiment(ExperimentArgs),
    /// Search the choices of a recipe: many trials, of which only the better ones go on.
    Search(SearchArgs),
    /// Go on from a model with what was corrected in a project, and judge what comes of it.
    Finetune(FinetuneArgs),
    /// Rank the places of an image that somebody should look at next.
    Queue(QueueArgs),
    /// Predict images with a trained network.
    Predict(PredictArgs),
    /// Compare a prediction with the truth.
    Eval(EvalArgs),
    /// Say in what two networks differ on an image, and which of them is right.
    Compare(CompareArgs),
    /// Write a label in another format: mask files, polygons, COCO, YOLO.
    Convert(ConvertArgs),
    /// Write an image with overviews as a Cloud Optimized `GeoTIFF`.
    Pyramid(PyramidArgs),
    /// Join adjoining images into one: a VRT that refers to them.
    Mosaic(MosaicArgs),
    /// Cut an image and its label into tiles to train on elsewhere.
    Tiles(TilesArgs),
    /// Write what was changed in a label, step by step, as CSV or `GeoJSON`.
    History(HistoryArgs),
    /// Merge two people's labels of one image and say how well they agree.
    Merge(MergeArgs),
    /// Copy a project with its images into one folder, for another machine.
    Pack(PackArgs),
    /// Draw an image with its masks into a PNG, as the viewer draws it.
    Render(RenderArgs),
    /// Say which graphics adapters there are and what training would use.
    Doctor(DoctorArgs),
    /// Do the whole job: sample, train, predict, evaluate, pictures and a report.
    Demo(DemoArgs),
}

/// What can be done with a data set.
#[derive(Debug, clap::Subcommand)]
pub enum DatasetWork {
    /// Say what a data set holds, how it was recognized, and what is wrong with it.
    Inspect(InspectArgs),
}

/// Arguments of `sample`.
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Extent in pixels.
    #[arg(long, value_name = "WxH", default_value = "4096x4096", value_parser = parse_size)]
    pub size: ImageSize,
    /// Another seed is another landscape.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Leave the overviews out of the file.
    #[arg(long)]
    pub no_overviews: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// The image file.
    pub path: PathBuf,
    /// Read all pixels and state the checksum of each band, as `gdalinfo -checksum` does.
    #[arg(long)]
    pub checksum: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `train`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("ground").required(true).args(["image", "data", "resume"])))]
pub struct TrainArgs {
    /// The image to learn from.
    #[arg(long, value_name = "FILE", requires = "label")]
    pub image: Option<PathBuf>,
    /// Its label.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "resume"])]
    pub label: Option<PathBuf>,
    /// A data set to learn from, in any usual arrangement; see `dataset inspect`.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Goes on with a run that was stopped or killed, with its own recipe.
    #[arg(long, value_name = "RUN", conflicts_with_all = OF_NEW_RUNS)]
    pub resume: Option<PathBuf>,
    /// The run folder to write.
    #[arg(long, value_name = "RUN")]
    pub out: Option<PathBuf>,
    /// A recipe that comes with the program (without, balanced); the options below change it.
    #[arg(long, value_name = "NAME", conflicts_with = "recipe", value_parser = parse_preset)]
    pub preset: Option<Preset>,
    /// A recipe file (TOML); the options below change it.
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// Passes over the training steps.
    #[arg(long)]
    pub epochs: Option<u32>,
    /// Searches a learning rate with a network that is thrown away, instead of training; a table
    /// and a picture go into the run folder.
    #[arg(long)]
    pub find_rate: bool,
    /// Patches in a step.
    #[arg(long)]
    pub batch: Option<usize>,
    /// Side of a patch in pixels.
    #[arg(long)]
    pub patch: Option<u32>,
    /// Steps in an epoch.
    #[arg(long)]
    pub steps: Option<u32>,
    /// Which bands of the images are learned from: color, all, or a list such as 4,1,2.
    #[arg(long, value_name = "BANDS")]
    pub bands: Option<Bands>,
    /// Learning rate.
    #[arg(long)]
    pub lr: Option<f64>,
    /// Decides order, augmentation and first weights.
    #[arg(long)]
    pub seed: Option<u64>,
    /// auto, gpu, cpu, or an adapter's name.
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// What is said of the data set.
    #[command(flatten)]
    pub corrections: CorrectionArgs,
    /// Trains once for each of so many portions of --data: each portion chooses once and the others
    /// are learned from. The same command goes on after a stop.
    #[arg(long, value_name = "K", conflicts_with_all = ["image", "find_rate"])]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=100))]
    pub folds: Option<u32>,
    /// Trains once from each of these seeds, with the same files held out; with --folds each
    /// portion from each.
    #[arg(long, value_name = "SEEDS", value_delimiter = ',')]
    #[arg(conflicts_with_all = ["image", "seed", "find_rate"])]
    pub seeds: Vec<u64>,
    /// Print one JSON line an epoch and a last one; with --folds or --seeds one line in all.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// The label: a mask file, polygons and lines (.geojson, .gpkg, .shp), COCO (.coco.json) or
    /// YOLO segments (.txt).
    pub input: PathBuf,
    /// The file to write: .tif, .png (indices), .rgb.png (class colors), .binary.png, .geojson,
    /// .gpkg, .coco.json or .yolo.txt.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The image that the label lies on: gives extent and place.
    #[arg(long, value_name = "IMAGE")]
    pub like: Option<PathBuf>,
    /// A class table (classes.toml).
    #[arg(long, value_name = "FILE")]
    pub classes: Option<PathBuf>,
    /// The attribute of polygons that says the class, as a number or a name.
    #[arg(long, default_value = "class")]
    pub attribute: String,
    /// The class index that a value of the attribute stands for; may be given often.
    #[arg(long = "value", value_name = "VALUE=CLASS", value_parser = parse_value)]
    pub values: Vec<(String, u8)>,
    /// The layer of a `.gpkg`; without it all are read.
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// How wide lines are, in meters.
    #[arg(long, value_name = "METERS")]
    pub line_width: Option<f64>,
    /// The attribute that says how wide a line is, in meters.
    #[arg(long, value_name = "NAME")]
    pub width_attribute: Option<String>,
    /// How the mask file codes its classes: auto, index, binary or rgb.
    #[arg(long, default_value = "auto")]
    pub mask_encoding: Encoding,
    /// Colors that are no class become the one with the nearest code within this distance in RGB
    /// (40 without a number, 442 is any), as after lossy compression.
    #[arg(
        long,
        value_name = "DISTANCE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "40"
    )]
    pub snap_colors: Option<u16>,
    /// What 0, or black, stands for in a mask file: class or unlabeled.
    #[arg(long, value_name = "MEANING", value_parser = parse_zero)]
    pub zero: Option<ZeroMeans>,
    /// How a mask file on another grid is laid onto the image of --like: georeference, corner or
    /// scale.
    #[arg(long, value_name = "HOW", value_parser = parse_align, requires = "like")]
    pub align: Option<Align>,
    /// Moves simplified borders by up to so many pixels; neighbors keep one border.
    #[arg(long, value_name = "PIXELS", value_parser = parse_tolerance)]
    pub simplify: Option<f64>,
    /// Ground smaller than so many pixels goes to its surroundings before it becomes polygons.
    #[arg(long, value_name = "PIXELS")]
    pub min_pixels: Option<u64>,
    /// Classes whose polygons get right angles, by index.
    #[arg(long, value_name = "CLASSES", value_delimiter = ',')]
    pub square: Vec<u8>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `tiles`.
#[derive(Debug, Args)]
pub struct TilesArgs {
    /// The image.
    pub image: PathBuf,
    /// Its label; without it the one beside the image.
    #[arg(long, value_name = "FILE")]
    pub label: Option<PathBuf>,
    /// The folder to write `train`, `val` and `test` into.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Side of a tile in pixels.
    #[arg(long, default_value_t = 512)]
    pub side: u32,
    /// Pixels that neighbors share.
    #[arg(long, default_value_t = 0)]
    pub overlap: u32,
    /// What happens at the image's edge: drop, pad or shift.
    #[arg(long, default_value = "pad", value_parser = parse_edge)]
    pub edge: Edge,
    /// Share of the tiles for validation, 0 to 1.
    #[arg(long, default_value_t = 0.1)]
    pub validation: f64,
    /// Share of the tiles for tests, 0 to 1.
    #[arg(long, default_value_t = 0.1)]
    pub test: f64,
    /// Share of a tile that must be labeled, 0 to 1.
    #[arg(long, default_value_t = 0.0, value_parser = parse_share)]
    pub min_labeled: f64,
    /// Also write YOLO segments and data.yaml.
    #[arg(long)]
    pub yolo: bool,
    /// Also write COCO annotations, one file a part.
    #[arg(long)]
    pub coco: bool,
    /// Chooses which ground goes where.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The project (.orthobrush).
    pub project: PathBuf,
    /// The image whose label it is.
    #[arg(long, value_name = "FILE")]
    pub image: PathBuf,
    /// The file to write: .csv or .geojson.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Arguments of `merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// One project (.orthobrush).
    pub ours: PathBuf,
    /// The other project.
    pub theirs: PathBuf,
    /// The image whose labels are merged.
    #[arg(long, value_name = "FILE")]
    pub image: PathBuf,
    /// Whose class holds where both differ: ours, theirs, or agreed (none).
    #[arg(long, default_value = "ours", value_parser = super::project::parse_rule)]
    pub rule: MergeRule,
    /// The mask to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// A mask of their classes where both differ.
    #[arg(long, value_name = "FILE")]
    pub disagreement: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `pack`.
#[derive(Debug, Args)]
pub struct PackArgs {
    /// The project (.orthobrush).
    pub project: PathBuf,
    /// The folder to make.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The image.
    pub path: PathBuf,
    /// A label to draw in a second pane.
    #[arg(long, value_name = "FILE")]
    pub label: Option<PathBuf>,
    /// A prediction to draw in another pane.
    #[arg(long, value_name = "FILE")]
    pub prediction: Option<PathBuf>,
    /// The ground to show in level-0 pixels; all of it without.
    #[arg(long, value_name = "X,Y,W,H", value_parser = parse_rect)]
    pub rect: Option<PixelRect>,
    /// How the image is shown.
    #[command(flatten)]
    pub look: LookArgs,
    /// Extent of each pane in pixels.
    #[arg(long, value_name = "WxH", default_value = "1280x800", value_parser = parse_size)]
    pub size: ImageSize,
    /// The PNG to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// How an image is shown.
#[derive(Debug, Args)]
pub struct LookArgs {
    /// The bands that are shown, from 1: three as red, green, blue, such as 4,3,2, or one.
    #[arg(long, value_name = "R,G,B|BAND", value_parser = parse_shown_bands)]
    pub bands: Option<ShownBands>,
    /// Colors of one band: grey, viridis, inferno, blue-red, brown-green, terrain.
    #[arg(long, value_name = "NAME", value_parser = parse_ramp, requires = "bands")]
    pub ramp: Option<Ramp>,
    /// Which values are black and white: usual, min-max, 2% (cut off at each end), 2sd (standard
    /// deviations around the mean), or FROM..TO.
    #[arg(long, value_name = "HOW", value_parser = parse_contrast, default_value = "usual")]
    pub contrast: Contrast,
    /// Above 1 dark things are brighter; 0.1 to 5.
    #[arg(long, default_value_t = 1.0, value_parser = parse_gamma)]
    pub gamma: f32,
}

impl LookArgs {
    /// The look that they describe.
    pub fn look(&self) -> Look {
        let bands = match (self.bands, self.ramp) {
            (Some(ShownBands::One(band, _)), Some(ramp)) => Some(ShownBands::One(band, ramp)),
            (bands, _) => bands,
        };
        Look {
            bands,
            contrast: self.contrast,
            gamma: self.gamma,
        }
    }
}

/// Arguments of `screenshot`.
#[derive(Debug, Args)]
pub struct ScreenshotArgs {
    /// The image or folder to open; the welcome screen without.
    pub path: Option<PathBuf>,
    /// A label to open.
    #[arg(long, value_name = "FILE")]
    pub label: Option<PathBuf>,
    /// A prediction to open.
    #[arg(long, value_name = "FILE")]
    pub prediction: Option<PathBuf>,
    /// Number of panes, 1 to 4.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub panes: u8,
    /// Extent of the window in pixels.
    #[arg(long, value_name = "WxH", default_value = "1280x800", value_parser = parse_size)]
    pub size: ImageSize,
    /// The PNG to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// auto, gpu, cpu, or an adapter's name.
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// Epochs of the training; fewer are quicker and worse.
    #[arg(long)]
    pub epochs: Option<u32>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
