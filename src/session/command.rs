use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{
    DataCommand, ExportOrder, FinetuneCommand, InkChoice, InstantCommand, KeptPlace, Over,
    OverlayCommand, Pause, PlaceCommand, Predicting, QueueCommand, RecipeCommand, ReviewCommand,
    RunsCommand, TrainOn, WandSettings, Wholesale,
};
use crate::geom::{ImagePoint, PixelRect};
use crate::label::{BrushShape, Hint, MaskDecisions};
use crate::train::{Certainty, Recipe};

/// Everything that can change a session. Windows, scripts and tests all speak it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Saves the label, and when that has worked does what follows.
    SaveThen(Box<Command>),
    /// Gives up strokes that were not saved, so that something else can be opened.
    DiscardStrokes,
    /// Opens an image, or a folder of images as a list.
    Open {
        /// An image file or a folder.
        path: PathBuf,
    },
    /// Opens a mask onto the open image.
    OpenMask {
        /// Which layer it becomes.
        layer: LayerKind,
        /// An index, binary or RGB-coded mask file.
        path: PathBuf,
    },
    /// Takes a mask file over after a look at it.
    Import(ImportCommand),
    /// Writes the sample project into a folder and opens it.
    OpenSample {
        /// Where it goes; an existing sample there is opened as it is.
        folder: PathBuf,
    },
    /// Opens another image of the list.
    Step(StepTo),
    /// Says something about places in the open image.
    Place(PlaceCommand),
    /// Does something with the project file.
    Project(ProjectCommand),
    /// Changes keys: what an action is called in settings files to its keys.
    SetKeys(BTreeMap<String, Vec<String>>),
    /// Marks the open image of the list as done, or not.
    MarkDone {
        /// The new mark.
        is_done: bool,
    },
    /// Looks for the list's missing files below another folder.
    Relink {
        /// Where the files are now.
        folder: PathBuf,
    },
    /// Saves the label to its own file.
    SaveLabel,
    /// Saves a layer to a file, whose extension says the format.
    SaveAs {
        /// Which layer.
        layer: LayerKind,
        /// `.tif`, `.tiff` or `.png`.
        path: PathBuf,
    },
    /// Writes the label for other programs; its own file stays what it is.
    Export(ExportOrder),
    /// Makes `class` the one that tools paint; 255 erases.
    SelectClass(u8),
    /// Changes to the class painted before.
    SwapClass,
    /// Takes another tool.
    SelectTool(Tool),
    /// Sets the brush's diameter in level-0 pixels.
    SetBrushDiameter(f64),
    /// Makes small pictures of the images at these places of the list, instead of those that were
    /// asked for before.
    MakeThumbnails {
        /// Places, from 0.
        of: Vec<usize>,
    },
    /// Prepares the ground around a place for the tool in hand, unless that is done already.
    PrepareGround {
        /// Where, in level-0 pixels.
        at: ImagePoint,
        /// What is seen, in level-0 pixels.
        visible: PixelRect,
    },
    /// Sets how large superpixels are on a side, in level-0 pixels.
    SetSuperpixelSide(u32),
    /// Makes the brush square, or round.
    SetBrushShape(BrushShape),
    /// Paints only over unlabeled pixels, or over all.
    SetOnlyUnlabeled(bool),
    /// Changes the class table or how a class is treated.
    Class(ClassCommand),
    /// Shows or hides a layer.
    ShowLayer {
        /// Which layer.
        layer: LayerKind,
        /// Whether it is drawn.
        is_visible: bool,
    },
    /// Sets how much a layer covers the image, 0 to 1.
    SetOpacity {
        /// Which layer.
        layer: LayerKind,
        /// 0 = not at all, 1 = fully.
        opacity: f32,
    },
    /// Puts the brush down. Makes an empty label when there is none.
    BeginStroke {
        /// Where, in level-0 pixels.
        at: ImagePoint,
        /// The class painted; 255 erases.
        class: u8,
    },
    /// Draws the brush on.
    ExtendStroke {
        /// Where to, in level-0 pixels.
        to: ImagePoint,
    },
    /// Lifts the brush; the stroke is one undo step.
    EndStroke,
    /// Takes the open stroke back.
    CancelStroke,
    /// Fills a polygon, even-odd.
    FillPolygon {
        /// Corners in level-0 pixels; the last joins the first.
        corners: Vec<ImagePoint>,
        /// The class painted, 255 erases; `None`: the active one.
        class: Option<u8>,
    },
    /// Fills the region of equal label under a point with the active class.
    FloodFill {
        /// Where, in level-0 pixels.
        at: ImagePoint,
    },
    /// Chooses pixels, or does something with the chosen ones.
    Selection(SelectionCommand),
    /// Sets what the magic wand takes for alike.
    SetWand(WandSettings),
    /// Changes the whole label, or the part of it that is selected, as one undo step.
    Wholesale {
        /// What is done.
        change: Wholesale,
        /// Where, in level-0 pixels; `None`: everywhere.
        within: Option<PixelRect>,
    },
    /// Shows over the label what a change would do.
    Preview {
        /// What would be done.
        change: Wholesale,
        /// Where it is shown, in level-0 pixels.
        part: PixelRect,
    },
    /// Shows no such thing any more.
    DropPreview,
    /// Makes the class under a point the active one.
    PickClass {
        /// Where, in level-0 pixels.
        at: ImagePoint,
    },
    /// Takes the last step back.
    Undo,
    /// Does the last undone step again.
    Redo,
    /// Sets what tools paint: the active class, or what the prediction says.
    SetInk(InkChoice),
    /// Takes the prediction over as far as the ink and the selection say, as one undo step.
    AcceptPrediction(Over),
    /// Walks through the places where label and prediction differ.
    Review(ReviewCommand),
    /// Trains a network; the label is frozen, painting goes on.
    StartTraining {
        /// How to train.
        recipe: Box<Recipe>,
        /// What to learn from.
        on: TrainOn,
        /// The run folder; `None` makes the next one beside the image.
        out: Option<PathBuf>,
    },
    /// Searches a learning rate for a training, with a network that is thrown away.
    FindRate {
        /// How to train; its own learning rate does not count.
        recipe: Box<Recipe>,
        /// What to learn from.
        on: TrainOn,
        /// Where the table and the picture go; `None` is one folder beside the runs.
        out: Option<PathBuf>,
    },
    /// Lets the training rest, while its device serves predictions, or go on.
    PauseTraining(Pause),
    /// Trains many networks one after the other, or judges one.
    Queue(QueueCommand),
    /// Going on from a model with what was corrected.
    Finetune(FinetuneCommand),
    /// Chooses how predictions are made.
    SetPredicting(Predicting),
    /// Predicts the image or parts of it, or holds two predictions against each other.
    Prediction(super::PredictionCommand),
    /// Answers from the scribbles at hand.
    Instant(InstantCommand),
    /// Looks at runs and compares them.
    Runs(RunsCommand),
    /// Reads or writes a recipe file.
    Recipe(RecipeCommand),
    /// Looks at a data set before it is learned from.
    Data(DataCommand),
    /// Stops a job. A stopped training keeps the best network so far.
    StopJob(super::JobId),
}

/// Changes of the class table and of how a class is treated.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassCommand {
    /// Adds a class with a name of its own.
    Add {
        /// What it is called.
        name: String,
    },
    /// Renames a class.
    Rename {
        /// Which class.
        class: u8,
        /// What it is called now.
        name: String,
    },
    /// Gives a class another color; no pixel changes.
    Recolor {
        /// Which class.
        class: u8,
        /// The new color.
        color: [u8; 3],
    },
    /// Shows or hides a class in all layers.
    Show {
        /// Which class.
        class: u8,
        /// Whether it is drawn.
        is_visible: bool,
    },
    /// Hides all classes but this one, or shows all again.
    Solo {
        /// Which class.
        class: u8,
    },
    /// Shows a class at another place of the list.
    Move {
        /// Which class.
        class: u8,
        /// The place, 0 being the first.
        place: usize,
    },
    /// Takes a class out of the table; its pixels go over to another, as one undo step.
    Remove {
        /// Which class.
        class: u8,
        /// The class that gets its pixels; 255: none.
        into: u8,
    },
    /// Says which class is the ground that is nothing else; it is not drawn over the image.
    Background {
        /// Which class; `None`: there is none.
        class: Option<u8>,
    },
    /// Gives all classes colors that most people can tell apart.
    DefaultColors,
    /// Takes names and colors from a file: `.toml`, `.csv`, or `.txt` in `CamVid`'s form.
    Load {
        /// The file.
        path: PathBuf,
    },
    /// Writes names and colors into a file: `.toml`, `.csv` (`class_dict.csv` in `DeepGlobe`'s form)
    /// or `.txt` in `CamVid`'s form.
    Save {
        /// The file.
        path: PathBuf,
    },
    /// Locks a class, so that no tool paints over it, or unlocks it.
    Lock {
        /// Which class.
        class: u8,
        /// Whether it is locked.
        is_locked: bool,
    },
}

/// Choosing pixels, and what becomes of them. While there is a selection tools paint only in it.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectionCommand {
    /// Selects the ground whose color is like that under a point.
    Alike {
        /// Where, in level-0 pixels.
        at: ImagePoint,
        /// Where to look, in level-0 pixels; `None`: the whole image.
        within: Option<PixelRect>,
    },
    /// Selects the ground in a polygon.
    Polygon {
        /// Corners in level-0 pixels; the last joins the first.
        corners: Vec<ImagePoint>,
        /// What becomes of what was selected before.
        how: SelectHow,
    },
    /// Points at an object, or away from it; what is found is selected.
    Object {
        /// A click or a stroke, for or against.
        hint: Hint,
        /// What is seen of the image, in level-0 pixels: objects are not larger.
        visible: PixelRect,
    },
    /// Fills the selection with the active class.
    Fill,
    /// Drops the selection.
    Drop,
}

/// What becomes of a selection when something else is selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelectHow {
    /// It goes.
    #[default]
    Replace,
    /// It grows.
    Add,
    /// It shrinks.
    Subtract,
}

/// Taking a mask file over after a look at it.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportCommand {
    /// Looks at a mask file and opens it as the label; one that leaves questions open waits for
    /// [`ImportCommand::Take`].
    Examine {
        /// The file.
        path: PathBuf,
    },
    /// Takes a mask file over as decided, as one undo step.
    Take {
        /// The file.
        path: PathBuf,
        /// What its pixels mean and where they lie.
        decisions: MaskDecisions,
    },
    /// Draws the polygons and lines that wait over the label, as one undo step.
    Draw {
        /// The attribute that says the class, by index or name.
        attribute: String,
        /// How wide lines are, in meters, or in pixels where the image has no place on the map.
        line_width: f64,
    },
    /// Shows polygons and lines over the image.
    Overlay(OverlayCommand),
    /// Gives the file up that waits for answers.
    Leave,
}

/// What can be done with a project file besides working in it.
#[derive(Clone, Debug, PartialEq)]
pub enum ProjectCommand {
    /// Writes what was changed when, step by step.
    ExportHistory {
        /// `.csv` or `.geojson`.
        path: PathBuf,
    },
    /// Shows another's label of the open image as a prediction, and says how well both agree.
    OpenTheirs {
        /// Their project.
        path: PathBuf,
    },
    /// Copies the project with its images into one folder.
    Pack {
        /// The folder, which must not be there or be empty.
        folder: PathBuf,
    },
    /// Saves the labels of all listed images whose files lack something, each to its own file.
    SaveAllLabels,
}

/// The mask layers that an image can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LayerKind {
    /// What people say is there; tools paint here.
    Label,
    /// What a network says is there.
    Prediction,
    /// How sure the network is of each pixel by a measure: 254 is certain.
    Certainty(Certainty),
    /// A prediction that is kept to show and hold others against.
    Kept(KeptPlace),
    /// What another model predicted, where the prediction that took its place is not there yet.
    Replaced,
    /// What a change that is being put together would do to the label.
    Preview,
    /// Who made each pixel of the label; see [`Session::origins`](super::Session::origins).
    Origins,
}

/// Where to go in the list of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepTo {
    /// The one after the open image.
    Next,
    /// The one before the open image.
    Previous,
    /// The next that is not marked as done.
    NextNotDone,
    /// One by its place in the list.
    Index(usize),
}

/// What the pointer does on a canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tool {
    /// Moves the picture.
    Pan,
    /// Paints the active class.
    #[default]
    Brush,
    /// Paints "unlabeled".
    Eraser,
    /// Paints whole superpixels: small regions of like color.
    Superpixel,
    /// Fills the region of equal label under the pointer.
    Fill,
    /// Fills a polygon.
    Polygon,
    /// Fills what is drawn around.
    Lasso,
    /// Fills a rectangle.
    Rectangle,
    /// Selects ground of like color under the pointer.
    Wand,
    /// Selects the object that one points at.
    Object,
    /// Paints along clicked points, as wide as the brush.
    Line,
    /// Measures along clicked points and around them.
    Ruler,
    /// Takes the class under the pointer.
    Picker,
}

impl Tool {
    /// Whether it changes the label, or selects ground that is to be changed.
    pub const fn corrects(self) -> bool {
        !matches!(self, Self::Pan | Self::Ruler | Self::Picker)
    }
}
