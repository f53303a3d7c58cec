use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::SystemTime;

use egui::{Key, Modal, TextEdit, Ui};

use super::chooser;
use super::panels::area::check;
use super::predicting::predict_there;
use super::theme;
use super::training::{Correction, take_list};
use super::view::{CommandQueue, View, Waiting};
use crate::dataset::Part;
use crate::session::{
    CheckCommand, ClassCommand, Command, ExportOrder, FinetuneCommand, ImportCommand, Joining,
    LayerKind, ProjectCommand, QueueCommand, RecipeCommand, RunsCommand, SearchCommand, Session,
    TrainOn,
};

/// What a file or folder is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileWish {
    /// An image to open.
    Open,
    /// A folder of images to open.
    OpenFolder,
    /// A mask to open as a layer.
    OpenMask(LayerKind),
    /// A file to save a layer to.
    SaveAs(LayerKind),
    /// A file to write the label to, for other programs.
    Export,
    /// A file to write the image to as a Cloud Optimized `GeoTIFF`.
    ExportImage,
    /// A folder of adjoining images that become one.
    JoinFolder,
    /// An image whose bands come behind those of the open one.
    AddBands,
    /// A folder for tiles of image and label.
    ExportTiles,
    /// A run folder to predict with.
    PredictWith,
    /// A run whose model is to be used.
    ChooseModel,
    /// A recipe file to take over.
    OpenRecipe,
    /// A search file to take over.
    OpenSearch,
    /// A file to write the recipe to.
    SaveRecipe,
    /// A list of the samples of a part, for the recipe.
    PartList(Part),
    /// A data set to look at.
    OpenDataset,
    /// What is said of the data set instead of what was recognized.
    Correct(Correction),
    /// A run, or a folder of runs, to look at.
    OpenRuns,
    /// A file for the report, table or curves of the shown run.
    ExportRun,
    /// A file for the table or curves of the ticked runs.
    ExportRuns,
    /// A run folder whose training goes on.
    Resume,
    /// A class table to read.
    OpenClasses,
    /// A file to write the classes to.
    SaveClasses,
    /// A file to write the history to.
    ExportHistory,
    /// A file to write areas and checked points to.
    ExportAreas,
    /// Another's project to compare with.
    OpenTheirs,
    /// A folder to pack the project into.
    Pack,
    /// The folder where missing images are now.
    Relink,
}

/// The open file dialog: a path field that always works, and the system's own chooser beside it.
#[derive(Debug, Default)]
pub struct Dialogs {
    wish: Option<FileWish>,
    path: String,
    chooser: Option<Receiver<Option<PathBuf>>>,
    lacks_chooser: bool,
}

impl Dialogs {
    /// Opens the dialog for `wish`.
    pub fn ask(&mut self, wish: FileWish) {
        *self = Self {
            wish: Some(wish),
            ..Self::default()
        };
    }
}

impl FileWish {
    const fn title(self) -> &'static str {
        match self {
            Self::Open => "Open image",
            Self::OpenFolder => "Open folder",
            Self::OpenMask(LayerKind::Label) => "Open label",
            Self::OpenMask(_) => "Open prediction",
            Self::SaveAs(LayerKind::Label | LayerKind::Preview) => "Save label as",
            Self::SaveAs(LayerKind::Prediction | LayerKind::Replaced) => "Save prediction as",
            Self::SaveAs(LayerKind::Origins) => "Save origins as",
            Self::SaveAs(LayerKind::Certainty(_)) => "Save certainty as",
            Self::SaveAs(LayerKind::Kept(_)) => "Save kept prediction as",
            Self::Export => "Export label",
            Self::ExportImage => "Save the image with overviews",
            Self::JoinFolder => "Join images into one",
            Self::AddBands => "Add bands of the same ground",
            Self::ExportTiles => "Cut into tiles",
            Self::OpenClasses => "Open classes",
            Self::SaveClasses => "Save classes as",
            Self::ExportHistory => "Export the history",
            Self::ExportAreas => "Export areas and points",
            Self::OpenTheirs => "Compare with another project",
            Self::Pack => "Pack the project into a folder",
            Self::PredictWith => "Predict with a run",
            Self::ChooseModel => "Use the model of a run",
            Self::Resume => "Go on with a training",
            Self::OpenRecipe => "Load a recipe",
            Self::OpenSearch => "Load a search",
            Self::SaveRecipe => "Save the recipe",
            Self::PartList(Part::Train) => "List of training samples",
            Self::PartList(Part::Validation) => "List of validation samples",
            Self::PartList(Part::Test) => "List of test samples",
            Self::OpenDataset => "Open dataset",
            Self::Correct(Correction::Images) => "Folder with the images",
            Self::Correct(Correction::Masks) => "Folder with the masks",
            Self::Correct(Correction::Classes) => "List of classes",
            Self::OpenRuns => "Open runs",
            Self::ExportRun => "Export the run",
            Self::ExportRuns => "Export the ticked runs",
            Self::Relink => "Find missing images",
        }
    }

    const fn verb(self) -> &'static str {
        match self {
            Self::SaveAs(_)
            | Self::Export
            | Self::ExportImage
            | Self::ExportTiles
            | Self::SaveClasses
            | Self::SaveRecipe
            | Self::ExportRun
            | Self::ExportRuns
            | Self::ExportAreas
            | Self::ExportHistory => "Save",
            Self::JoinFolder => "Join",
            Self::AddBands => "Add",
            _ => "Open",
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::Open => "A GeoTIFF, JPEG 2000 (.jp2), PNG, JPEG, WebP or VRT file",
            Self::OpenFolder => "A folder of images, or one with `images` and `masks` inside",
            Self::OpenMask(LayerKind::Label) => {
                "A mask (.tif, .png), or polygons and lines (.geojson, .gpkg, .shp)"
            }
            Self::OpenMask(_) => "A GeoTIFF or PNG: class indices, 0 and 255, or class colors",
            Self::SaveAs(_) => "The ending says the format: .tif or .png",
            Self::Export => {
                "Polygons (.geojson, .gpkg), COCO (.coco.json), YOLO (.yolo.txt), masks (.tif, .png, .rgb.png, .binary.png)"
            }
            Self::Correct(Correction::Images) => "Its images and those in folders below are taken",
            Self::Correct(Correction::Masks) => "Masks are matched with images by their names",
            Self::OpenClasses | Self::SaveClasses | Self::Correct(Correction::Classes) => {
                "classes.toml, .csv (index,name,color), class_dict.csv, or label_colors.txt"
            }
            Self::ExportImage => {
                "A .tif file: a Cloud Optimized GeoTIFF that opens at once anywhere"
            }
            Self::JoinFolder => {
                "A folder of adjoining images with places on the map; a .vrt is written into it"
            }
            Self::AddBands => {
                "Infrared or height, in the folder of the image or below; a .vrt is written beside it"
            }
            Self::ExportTiles => "A new folder for the images and masks",
            Self::ExportHistory => "A .csv or .geojson file: each step with its classes and area",
            Self::ExportAreas => "A .csv file; the points come beside it as .points.csv",
            Self::OpenTheirs => "Somebody else's .orthobrush file with a label of this image",
            Self::Pack => "A new folder: the project, its images and masks",
            Self::OpenRecipe | Self::OpenSearch | Self::SaveRecipe => "A .toml file",
            Self::PartList(_) => "A text file with a sample's name or path a line",
            Self::OpenDataset => "A folder of images and masks, in any usual arrangement",
            Self::OpenRuns => "A run folder, or a folder of run folders",
            Self::ExportRun => "A report (.html, .md), the curves (.png), or a table row (.csv)",
            Self::ExportRuns => "The final table (.html, .md, .csv), or the curves (.png)",
            Self::PredictWith | Self::ChooseModel | Self::Resume => {
                "A run folder: the one that holds recipe.toml"
            }
            Self::Relink => "The folder that holds the images now",
        }
    }

    /// Whether curves can be written as a picture instead.
    const fn is_of_runs(self) -> bool {
        matches!(self, Self::ExportRun | Self::ExportRuns)
    }

    /// The command that takes the file; `None` where the view alone takes it.
    fn command(self, path: PathBuf, view: &mut View, session: &Session) -> Option<Command> {
        Some(match self {
            Self::PartList(part) => {
                take_list(&mut view.form, part, path, session);
                return None;
            }
            Self::Export | Self::ExportTiles => Command::Export(view.export.order(path)),
            Self::ExportImage => Command::Export(ExportOrder::Pyramid { path }),
            Self::JoinFolder => Command::Export(ExportOrder::Joined(Joining::Folder(path))),
            Self::AddBands => Command::Export(ExportOrder::Joined(Joining::Bands(path))),
            Self::Open | Self::OpenFolder => Command::Open { path },
            Self::OpenMask(LayerKind::Label) => Command::Import(ImportCommand::Examine { path }),
            Self::OpenMask(layer) => Command::OpenMask { layer, path },
            Self::SaveAs(layer) => Command::SaveAs { layer, path },
            Self::ExportHistory => Command::Project(ProjectCommand::ExportHistory { path }),
            Self::ExportAreas => check(CheckCommand::Export(path)),
            Self::OpenTheirs => Command::Project(ProjectCommand::OpenTheirs { path }),
            Self::Pack => Command::Project(ProjectCommand::Pack { folder: path }),
            Self::OpenClasses => Command::Class(ClassCommand::Load { path }),
            Self::SaveClasses => Command::Class(ClassCommand::Save { path }),
            Self::PredictWith => predict_there(Some(path), session, view),
            Self::ChooseModel => Command::Finetune(FinetuneCommand::Activate { run: path }),
            Self::OpenRuns => Command::Runs(RunsCommand::Open {
                folder: path,
                now: SystemTime::now(),
            }),
            Self::OpenRecipe => Command::Recipe(RecipeCommand::Load { path }),
            Self::OpenSearch => Command::Queue(QueueCommand::Search(SearchCommand::Load { path })),
            Self::SaveRecipe => {
                let recipe = Box::new(view.form.recipe.clone());
                Command::Recipe(RecipeCommand::Save { recipe, path })
            }
            Self::OpenDataset => view.open_dataset(&path),
            Self::Correct(what) => what.command(path, &view.form, session),
            Self::ExportRun => Command::Runs(view.training.chosen.export_shown(path)),
            Self::ExportRuns => Command::Runs(view.training.chosen.export_ticked(path)),
            Self::Resume => Command::StartTraining {
                recipe: Box::default(),
                on: TrainOn::Resume(path),
                out: None,
            },
            Self::Relink => Command::Relink { folder: path },
        })
    }
}

/// Draws the open dialogs.
pub fn dialogs_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    file_dialog_ui(ui, session, view, commands);
    unsaved_dialog_ui(ui, session, view, commands);
}

fn file_dialog_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let Some(wish) = view.dialogs.wish else {
        return;
    };
    take_choice(&mut view.dialogs);
    if view.dialogs.path.is_empty() {
        view.dialogs.path = suggested(session, view, wish);
    }
    let mut is_closed = false;
    Modal::new(egui::Id::unique("file dialog")).show(ui.ctx(), |ui| {
        ui.set_width(460.0);
        ui.heading(wish.title());
        ui.weak(wish.hint());
        ui.add_space(6.0);
        let label = ui.label("Path");
        let width = ui.available_width();
        let field = ui.add(TextEdit::singleline(&mut view.dialogs.path).desired_width(width));
        let field = field.labelled_by(label.id);
        if ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        if view.dialogs.lacks_chooser {
            let words = "No file chooser was found here; type the path above instead";
            theme::words(ui, theme::WARNING, words);
        }
        let entered = ui.input(|input| input.key_pressed(Key::Enter));
        ui.horizontal(|ui| {
            let is_given = !view.dialogs.path.trim().is_empty();
            let go = ui.add_enabled(is_given, egui::Button::new(wish.verb()));
            let go = go.clicked();
            if is_given && (go || entered) {
                let path = PathBuf::from(view.dialogs.path.trim());
                if wish.is_of_runs() && path.extension().is_some_and(|ending| ending == "png") {
                    view.training.draw_picture(ui.ctx(), path);
                } else {
                    commands.extend(wish.command(path, view, session));
                }
                is_closed = true;
            }
            if ui
                .button("Browse…")
                .on_hover_text("The system's own file chooser")
                .clicked()
            {
                view.dialogs.chooser = browse(ui.ctx().clone(), wish);
            }
            is_closed |= ui.button("Cancel").clicked();
        });
        is_closed |= ui.input(|input| input.key_pressed(Key::Escape));
    });
    if is_closed {
        view.dialogs.wish = None;
    }
}

/// Where the file could go; empty when nothing suggests itself.
fn suggested(session: &Session, view: &View, wish: FileWish) -> String {
    match wish {
        FileWish::SaveAs(layer) => suggested_path(session, layer),
        FileWish::ExportAreas => {
            let path = session.beside_image("_areas.csv");
            path.map_or_else(String::new, |path| path.display().to_string())
        }
        FileWish::ExportImage => {
            let path = session.beside_image("_cog.tif");
            path.map_or_else(String::new, |path| path.display().to_string())
        }
        FileWish::JoinFolder => {
            let list = session.list();
            list.map_or_else(String::new, |list| list.folder.display().to_string())
        }
        FileWish::Export | FileWish::ExportTiles => view.export.suggested_path(session),
        FileWish::ExportRun | FileWish::ExportRuns => view.training.suggested_path(session, wish),
        _ => String::new(),
    }
}

fn suggested_path(session: &Session, layer: LayerKind) -> String {
    let own = session.layer(layer).and_then(|shown| shown.path.clone());
    let ending = match layer {
        LayerKind::Label | LayerKind::Preview => "_label.tif",
        LayerKind::Prediction | LayerKind::Replaced => "_prediction.tif",
        LayerKind::Origins => "_origins.tif",
        LayerKind::Certainty(by) => &format!("_prediction.{}.tif", by.name()),
        LayerKind::Kept(_) => "_kept.tif",
    };
    let path = own.or_else(|| session.beside_image(ending));
    path.map_or_else(String::new, |path| path.display().to_string())
}

fn take_choice(dialogs: &mut Dialogs) {
    if let Some(chosen) = dialogs
        .chooser
        .as_ref()
        .and_then(|chooser| chooser.try_recv().ok())
    {
        dialogs.chooser = None;
        match chosen {
            Some(path) => dialogs.path = path.display().to_string(),
            None => dialogs.lacks_chooser = !chooser::is_there(),
        }
    }
}

/// Opens the system's chooser; its answer comes by channel. A machine without one answers at once
/// with nothing, and one that hangs blocks only its own thread.
fn browse(ctx: egui::Context, wish: FileWish) -> Option<Receiver<Option<PathBuf>>> {
    // Made here, since macOS wants that on the window's own thread; waited for elsewhere.
    let dialog = rfd::AsyncFileDialog::new().set_title(wish.title());
    let (sender, receiver) = sync_channel(1);
    let answer = move |path: Option<PathBuf>| {
        // A dialog that was closed in the meantime needs no answer.
        drop(sender.send(path));
        ctx.request_repaint();
    };
    let waiting = match wish {
        FileWish::OpenFolder
        | FileWish::JoinFolder
        | FileWish::PredictWith
        | FileWish::ChooseModel
        | FileWish::Resume
        | FileWish::OpenRuns
        | FileWish::OpenDataset
        | FileWish::Correct(Correction::Images | Correction::Masks)
        | FileWish::Relink
        | FileWish::Pack
        | FileWish::ExportTiles => wait_for(dialog.pick_folder(), answer),
        FileWish::SaveAs(_)
        | FileWish::Export
        | FileWish::ExportImage
        | FileWish::SaveClasses
        | FileWish::ExportRun
        | FileWish::SaveRecipe
        | FileWish::ExportRuns
        | FileWish::ExportAreas
        | FileWish::ExportHistory => wait_for(dialog.save_file(), answer),
        FileWish::Open
        | FileWish::AddBands
        | FileWish::OpenRecipe
        | FileWish::OpenSearch
        | FileWish::PartList(_)
        | FileWish::OpenMask(_)
        | FileWish::OpenClasses
        | FileWish::Correct(Correction::Classes)
        | FileWish::OpenTheirs => wait_for(dialog.pick_file(), answer),
    };
    waiting
        .inspect_err(|error| tracing::error!("no file chooser: {error}"))
        .ok()?;
    Some(receiver)
}

fn wait_for(
    choice: impl Future<Output = Option<rfd::FileHandle>> + Send + 'static,
    answer: impl FnOnce(Option<PathBuf>) + Send + 'static,
) -> std::io::Result<()> {
    let wait = move || {
        let chosen = pollster::block_on(choice);
        answer(chosen.map(|file| file.path().to_owned()));
    };
    thread::Builder::new()
        .name("file-chooser".to_owned())
        .spawn(wait)
        .map(drop)
}

fn unsaved_dialog_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    match view.waiting {
        Waiting::Nothing | Waiting::CloseNow => {}
        Waiting::CloseAfterSaving => {
            if !session.would_lose_work() {
                close_now(ui, view);
            } else if session.is_idle() {
                // Saving failed; its message says why.
                view.waiting = Waiting::Nothing;
            }
        }
        Waiting::Command(_) | Waiting::Close => ask_ui(ui, view, commands),
    }
}

fn close_now(ui: &Ui, view: &mut View) {
    view.waiting = Waiting::CloseNow;
    ui.send_viewport_cmd(egui::ViewportCommand::Close);
}

fn ask_ui(ui: &Ui, view: &mut View, commands: &mut CommandQueue) {
    Modal::new(egui::Id::unique("unsaved")).show(ui.ctx(), |ui| {
        ui.set_width(400.0);
        ui.heading("Save the label first?");
        ui.label("It has strokes that its file lacks.");
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            if ui.button("Save and go on").clicked() {
                if let Waiting::Command(next) = std::mem::take(&mut view.waiting) {
                    commands.push(Command::SaveThen(next));
                } else {
                    commands.push(Command::SaveLabel);
                    view.waiting = Waiting::CloseAfterSaving;
                }
            }
            if ui.button("Discard the strokes").clicked() {
                match std::mem::take(&mut view.waiting) {
                    Waiting::Command(next) => commands.extend([Command::DiscardStrokes, *next]),
                    _ => close_now(ui, view),
                }
            }
            if ui.button("Go on working").clicked() {
                view.waiting = Waiting::Nothing;
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::RASTER_EXTENSIONS;

    #[test]
    fn the_dialog_names_what_opens() {
        let hint = FileWish::Open.hint().to_lowercase();
        let as_said = |ending: &'static str| match ending {
            "tif" => "tiff",
            "jpg" => "jpeg",
            "j2k" | "jpx" => "jpeg 2000",
            ending => ending,
        };
        for ending in RASTER_EXTENSIONS.into_iter().chain(["vrt"]) {
            assert!(hint.contains(as_said(ending)), "{ending}: {hint}");
        }
    }
}
