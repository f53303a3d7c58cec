use super::state::Session;
use super::{Command, CommandError};

impl Session {
    /// The only door. Each arm hands over to the file that owns the subject.
    ///
    /// # Errors
    /// [`CommandError`] says what was wrong; nothing was changed then.
    pub fn apply(&mut self, command: Command) -> Result<(), CommandError> {
        match command {
            Command::SaveThen(next) => self.save_then(*next),
            Command::DiscardStrokes => self.discard_strokes(),
            Command::Open { path } => self.open(&path),
            Command::Import(command) => self.apply_import(command),
            Command::OpenMask { layer, path } => self.open_mask(layer, path),
            Command::OpenSample { folder } => self.open_sample(folder),
            Command::Step(to) => self.step(to),
            Command::MarkDone { is_done } => self.mark_done(is_done),
            Command::Relink { folder } => self.relink(&folder),
            Command::Project(command) => self.apply_project(command),
            Command::Place(command) => self.apply_place(command),
            Command::SetKeys(keys) => self.set_keys(keys),
            Command::SaveLabel => self.save_label(),
            Command::SaveAs { layer, path } => self.save_as(layer, path),
            Command::Export(order) => self.export(order),
            Command::SelectClass(class) => self.select_class(class),
            Command::SwapClass => self.select_class(self.palette.previous),
            Command::SelectTool(tool) => self.select_tool(tool),
            Command::SetBrushDiameter(diameter) => self.set_brush_diameter(diameter),
            Command::PrepareGround { at, visible } => self.prepare_ground(at, visible),
            Command::MakeThumbnails { of } => self.make_thumbnails(&of),
            Command::SetSuperpixelSide(side) => self.set_superpixel_side(side),
            Command::SetBrushShape(shape) => self.set_brush_shape(shape),
            Command::SetOnlyUnlabeled(only) => self.set_only_unlabeled(only),
            Command::Class(command) => self.apply_class(command),
            Command::ShowLayer { layer, is_visible } => self.show_layer(layer, is_visible),
            Command::SetOpacity { layer, opacity } => self.set_opacity(layer, opacity),
            Command::BeginStroke { at, class } => self.begin_stroke(at, class),
            Command::ExtendStroke { to } => self.extend_stroke(to),
            Command::EndStroke => self.end_stroke(),
            Command::CancelStroke => self.cancel_stroke(),
            Command::FillPolygon { corners, class } => self.fill_polygon(&corners, class),
            Command::FloodFill { at } => self.flood_fill(at),
            Command::Selection(command) => self.apply_selection(command),
            Command::SetWand(wand) => self.set_wand(wand),
            Command::Wholesale { change, within } => self.change_wholesale(change, within),
            Command::Preview { change, part } => self.preview_change(change, part),
            Command::DropPreview => self.leave_preview(),
            Command::PickClass { at } => self.pick_class(at),
            Command::Undo => self.undo(),
            Command::Redo => self.redo(),
            Command::SetInk(ink) => self.set_ink(ink),
            Command::Review(command) => self.apply_review(command),
            Command::AcceptPrediction(over) => self.accept_prediction(over),
            Command::StartTraining { recipe, on, out } => self.start_training(*recipe, &on, out),
            Command::FindRate { recipe, on, out } => self.find_rate(*recipe, &on, out),
            Command::PauseTraining(pause) => self.pause_training(pause),
            Command::Queue(command) => self.apply_queue(command),
            Command::Finetune(command) => self.apply_finetune(command),
            Command::SetPredicting(choice) => self.set_predicting(choice),
            Command::Prediction(command) => self.apply_prediction(command),
            Command::Instant(command) => self.apply_instant(command),
            Command::Runs(command) => self.apply_runs(command),
            Command::Recipe(command) => self.apply_recipe(command),
            Command::Data(command) => self.apply_data(command),
            Command::StopJob(id) => self.stop(id),
        }
    }
}
