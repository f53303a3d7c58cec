use std::path::PathBuf;

use egui::{ColorImage, RichText, Slider, TextureHandle, TextureOptions, Ui, vec2};

use super::super::view::CommandQueue;
use crate::raster::RgbaTile;
use crate::session::{Command, RunEntry, RunSamples, RunsCommand, Session};

/// The widest a picture is drawn; beyond, pixels of a patch are only larger.
const WIDEST: f32 = 720.0;
const TWO_COLUMNS: f32 = 820.0;

/// The fixed patches of a run, by epoch.
#[derive(Default)]
pub struct Samples {
    /// The run and the epoch that were asked for.
    wanted: Option<(PathBuf, u32)>,
    /// The epoch that a person chose; the best one otherwise.
    chosen: Option<(PathBuf, u32)>,
    /// What is on the graphics card: run, epoch and pictures.
    shown: Option<(PathBuf, u32, Vec<TextureHandle>)>,
}

impl Samples {
    /// The epoch that was chosen for the patches of this run, if one was.
    pub fn chosen(&self, entry: &RunEntry) -> Option<u32> {
        let [first, last] = epochs_of(entry)?;
        let chosen = self.chosen.as_ref();
        let chosen = chosen.filter(|(run, _)| *run == entry.record.folder);
        chosen.map(|&(_, epoch)| epoch.clamp(first, last))
    }
}

/// The first and the last epoch that left pictures.
fn epochs_of(entry: &RunEntry) -> Option<[u32; 2]> {
    let epochs = || entry.samples.iter().map(|&(_, epoch)| epoch);
    Some([epochs().min()?, epochs().max()?])
}

/// An epoch slider, and what the network made of the same patches after that epoch.
pub fn samples_ui(
    ui: &mut Ui,
    entry: &RunEntry,
    session: &Session,
    samples: &mut Samples,
    commands: &mut CommandQueue,
) {
    let Some([first, last]) = epochs_of(entry) else {
        ui.weak("Pictures of fixed validation patches appear here after the first epoch.");
        return;
    };
    let run = &entry.record.folder;
    let best = entry.record.best_epoch().unwrap_or(last);
    let mut epoch = (samples.chosen(entry)).unwrap_or_else(|| best.clamp(first, last));
    ui.horizontal(|ui| {
        let label = ui.label("Epoch");
        ui.spacing_mut().slider_width = (ui.available_width() - 260.0).clamp(80.0, 360.0);
        let slider = Slider::new(&mut epoch, first..=last);
        let slider = ui.add_enabled(first < last, slider).labelled_by(label.id);
        if slider.changed() {
            samples.chosen = Some((run.clone(), epoch));
            // The table of classes, which was drawn before, follows.
            ui.request_repaint();
        }
        if epoch != best
            && ui
                .button("Best")
                .on_hover_text("The epoch whose network was kept")
                .clicked()
        {
            samples.chosen = None;
            ui.request_repaint();
        }
    });
    // Where an epoch left no pictures, the nearest one stands in.
    let known = entry.samples.iter().map(|&(_, known)| known);
    let near = known.min_by_key(|known| known.abs_diff(epoch));
    ask(run.clone(), near.unwrap_or(epoch), samples, commands);
    take(ui, session.runs().samples.as_ref(), samples);
    if let Some((of, epoch, pictures)) = &samples.shown
        && of == run
    {
        pictures_ui(ui, *epoch, pictures);
    }
}

fn ask(run: PathBuf, epoch: u32, samples: &mut Samples, commands: &mut CommandQueue) {
    let wanted = Some((run, epoch));
    if samples.wanted == wanted {
        return;
    }
    if let Some((run, epoch)) = &wanted {
        let run = run.clone();
        let epoch = *epoch;
        commands.push(Command::Runs(RunsCommand::ShowSamples { run, epoch }));
    }
    samples.wanted = wanted;
}

/// Brings pictures that a job read to the graphics card, once.
fn take(ui: &Ui, read: Option<&RunSamples>, samples: &mut Samples) {
    let Some(read) = read else { return };
    let is_known = samples
        .shown
        .as_ref()
        .is_some_and(|(run, epoch, pictures)| {
            (run, *epoch, pictures.len()) == (&read.run, read.epoch, read.pictures.len())
        });
    if is_known {
        return;
    }
    let texture = |(number, picture): (usize, &std::sync::Arc<RgbaTile>)| {
        let size = [picture.size.width as usize, picture.size.height as usize];
        let image = ColorImage::from_rgba_unmultiplied(size, &picture.pixels);
        ui.load_texture(format!("sample {number}"), image, TextureOptions::LINEAR)
    };
    let pictures = read.pictures.iter().enumerate().map(texture).collect();
    samples.shown = Some((read.run.clone(), read.epoch, pictures));
}

fn pictures_ui(ui: &mut Ui, epoch: u32, pictures: &[TextureHandle]) {
    if pictures.is_empty() {
        ui.weak(format!("The pictures of epoch {epoch} cannot be read."));
        return;
    }
    let num_columns = if ui.available_width() < TWO_COLUMNS {
        1
    } else {
        2
    };
    ui.columns(num_columns, |columns| {
        for column in columns.iter_mut().take(pictures.len()) {
            names_ui(column);
        }
        for (number, picture) in pictures.iter().enumerate() {
            let column = &mut columns[number % num_columns];
            let width = column.available_width().min(WIDEST);
            let size = picture.size_vec2();
            let shown = vec2(width, width * size.y / size.x.max(1.0));
            let image = egui::Image::new((picture.id(), shown))
                .alt_text(format!("Sample {} after epoch {epoch}", number + 1));
            column.add(image);
        }
    });
}

/// What stands under each other in a strip of four panes.
fn names_ui(ui: &mut Ui) {
    let width = ui.available_width().min(WIDEST) / 4.0;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for (name, help) in [
            ("Image", "As the network is given it"),
            ("Label", "What people say; dark grey is unlabeled"),
            ("Prediction", "What the network says"),
            ("Error", "Red where both differ; dark grey without a label"),
        ] {
            let words = RichText::new(name).small().weak();
            ui.add_sized([width, 14.0], egui::Label::new(words))
                .on_hover_text(help);
        }
    });
}
