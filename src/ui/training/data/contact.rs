use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use egui::{
    Color32, ColorImage, FontId, Painter, Pos2, Rangef, Rect, RichText, Role, Sense, Slider,
    TextEdit, TextureHandle, TextureOptions, Ui, WidgetInfo, pos2, vec2,
};

use crate::dataset::{Discovery, Part, Sample, SetParts, hash};
use crate::raster::RgbaTile;
use crate::session::{Command, ContactTile, DataCommand, DataSet, MOST_PICTURES};
use crate::ui::text;
use crate::ui::view::CommandQueue;

/// How wide a picture is at least, in points.
const NARROWEST: f32 = 132.0;
const NAME: f32 = 18.0;
const GAP: f32 = 8.0;
/// Pictures that go to the graphics card in a frame; the others follow in the next ones.
const MOST_LOADED: usize = 16;

/// All samples in small with their masks over them; only those in sight are laid out and read.
pub struct ContactSheet {
    /// How much the masks cover, 0 to 1.
    opacity: f32,
    /// Only samples whose names hold this are listed.
    search: String,
    /// Whether samples stand in another order than their names', so that a screen shows all kinds.
    is_mixed: bool,
    of: Option<Arc<Discovery>>,
    listed: Listed,
    /// The samples whose pictures were asked for.
    shown: Vec<usize>,
    textures: HashMap<usize, Textures>,
}

/// The image and its mask on the graphics card.
type Textures = (TextureHandle, Option<TextureHandle>);

/// Places of samples in the order of the sheet.
#[derive(Default)]
struct Listed {
    places: Vec<usize>,
    /// The words in small letters and the order that it is of.
    of: Option<(String, bool)>,
}

impl Default for ContactSheet {
    fn default() -> Self {
        Self {
            opacity: ContactTile::COVER,
            search: String::new(),
            is_mixed: true,
            of: None,
            listed: Listed::default(),
            shown: Vec::new(),
            textures: HashMap::new(),
        }
    }
}

impl ContactSheet {
    /// Brings the list up to date.
    fn follow(&mut self, discovery: &Arc<Discovery>) {
        if !(self.of.as_ref()).is_some_and(|of| Arc::ptr_eq(of, discovery)) {
            self.of = Some(Arc::clone(discovery));
            self.textures.clear();
            self.shown.clear();
            self.listed.of = None;
        }
        let of = (self.search.trim().to_lowercase(), self.is_mixed);
        if self.listed.of.as_ref() != Some(&of) {
            self.listed.places = listed(&discovery.samples, &of.0, of.1);
            self.listed.of = Some(of);
        }
    }

    /// Asks for the pictures of `shown` if that was not done yet.
    fn ask(&mut self, shown: Vec<usize>, commands: &mut CommandQueue) {
        if self.textures.len() > MOST_PICTURES {
            self.textures.retain(|at, _| shown.contains(at));
        }
        if self.shown != shown {
            commands.push(Command::Data(DataCommand::Show(shown.clone())));
            self.shown = shown;
        }
    }
}

/// Places of the samples whose names hold `searched`, by name or mixed.
fn listed(samples: &[Sample], searched: &str, is_mixed: bool) -> Vec<usize> {
    let is_found =
        |at: &usize| searched.is_empty() || samples[*at].name.to_lowercase().contains(searched);
    let mut places: Vec<usize> = (0..samples.len()).filter(is_found).collect();
    if is_mixed {
        places.sort_by_cached_key(|at| hash(&[*at as u64]));
    }
    places
}

/// The rows of a height that a range of the screen shows, of `rows` that begin at `top`.
fn rows_in_sight(seen: Rangef, top: f32, height: f32, rows: usize) -> Range<usize> {
    let row = |y: f32| ((y - top) / height).max(0.0);
    let end = (row(seen.max).ceil() as usize).min(rows);
    (row(seen.min) as usize).min(end)..end
}

/// The sheet, what it lists and how much the masks cover.
pub fn contact_ui(
    ui: &mut Ui,
    (data, discovery, parts): (&DataSet, &Arc<Discovery>, Option<&SetParts>),
    sheet: &mut ContactSheet,
    commands: &mut CommandQueue,
) {
    sheet.follow(discovery);
    choices_ui(ui, discovery.samples.len(), sheet);
    let count = ((ui.available_width() + GAP) / (NARROWEST + GAP))
        .floor()
        .max(1.0);
    let width = ((ui.available_width() + GAP) / count - GAP).floor();
    let (count, height) = (count as usize, width + NAME + GAP);
    let rows = sheet.listed.places.len().div_ceil(count);
    let extent = vec2(ui.available_width(), height * rows as f32);
    let (_, all) = ui.allocate_space(extent);
    let in_sight = rows_in_sight(ui.clip_rect().y_range(), all.top(), height, rows);
    let end = (in_sight.end * count).min(sheet.listed.places.len());
    let shown = sheet.listed.places[in_sight.start * count..end].to_vec();
    let mut loaded = 0;
    for (place, &at) in (in_sight.start * count..).zip(&shown) {
        let (column, row) = (place % count, place / count);
        let corner = vec2(column as f32 * (width + GAP), row as f32 * height);
        let rect = Rect::from_min_size(all.min + corner, vec2(width, width + NAME));
        let tile = data.pictures.get(at);
        if let Some(tile) = tile
            && loaded < MOST_LOADED
            && !sheet.textures.contains_key(&at)
        {
            sheet.textures.insert(at, load(ui, tile));
            loaded += 1;
        }
        let textures = sheet.textures.get(&at);
        let sample = &discovery.samples[at];
        let badge = badge(sample, at, parts);
        sample_ui(ui, (sample, badge), (rect, at), (textures, sheet.opacity));
    }
    if loaded == MOST_LOADED {
        ui.request_repaint();
    }
    sheet.ask(shown, commands);
}

fn choices_ui(ui: &mut Ui, count: usize, sheet: &mut ContactSheet) {
    ui.horizontal_wrapped(|ui| {
        let search = TextEdit::singleline(&mut sheet.search)
            .hint_text("Find a sample")
            .desired_width(180.0);
        let search = ui.add(search);
        search.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Find a sample"));
        let found = sheet.listed.places.len() as u64;
        ui.weak(text::of_all(found, count as u64));
        let help = "In an order that shows all kinds at a glance, the same each time; else by name";
        ui.checkbox(&mut sheet.is_mixed, "Mixed")
            .on_hover_text(help);
        let label = ui.label("Masks cover");
        let percent =
            |value: f64, _: std::ops::RangeInclusive<usize>| format!("{:.0} %", value * 100.0);
        let slider = Slider::new(&mut sheet.opacity, 0.0..=1.0).custom_formatter(percent);
        ui.add(slider).labelled_by(label.id);
    });
}

fn load(ui: &Ui, tile: &ContactTile) -> Textures {
    let load = |picture: &Arc<RgbaTile>| {
        let size = [picture.size.width as usize, picture.size.height as usize];
        let image = ColorImage::from_rgba_unmultiplied(size, &picture.pixels);
        ui.load_texture("contact", image, TextureOptions::LINEAR)
    };
    (load(&tile.image), tile.mask.as_ref().map(load))
}

/// The part that the recipe's rule gives a sample, where its pixels change nothing of it.
fn badge(sample: &Sample, at: usize, parts: Option<&SetParts>) -> Option<&'static str> {
    let stated = parts.filter(|parts| parts.are_stated && sample.mask.is_some())?;
    let part = stated.parts.get(at).copied()?;
    Some(part.map_or("left out", Part::folder))
}

fn badge_ui(painter: &Painter, corner: Pos2, words: &str) {
    let font = FontId::proportional(11.0);
    let galley = painter.layout_no_wrap(words.to_owned(), font, Color32::WHITE);
    let rect = Rect::from_min_size(corner, galley.size() + vec2(8.0, 2.0));
    painter.rect_filled(rect, 3.0, Color32::from_black_alpha(170));
    painter.galley(rect.min + vec2(4.0, 1.0), galley, Color32::WHITE);
}

fn sample_ui(
    ui: &mut Ui,
    (sample, badge): (&Sample, Option<&str>),
    (rect, at): (Rect, usize),
    (textures, opacity): (Option<&Textures>, f32),
) {
    let response = ui.interact(rect, ui.scope_id().with(("sample", at)), Sense::hover());
    response
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("Sample {}", sample.name)));
    let width = rect.width();
    let square = Rect::from_min_size(rect.min, vec2(width, width));
    let painter = ui.painter_at(rect);
    painter.rect_filled(square, 3.0, ui.visuals().extreme_bg_color);
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    if let Some((image, mask)) = textures {
        let size = image.size_vec2();
        let extent = size * (width / size.max_elem().max(1.0));
        let shown = Rect::from_center_size(square.center(), extent);
        painter.image(image.id(), shown, whole, Color32::WHITE);
        if let Some(mask) = mask {
            let tint = Color32::from_white_alpha((opacity * 255.0) as u8);
            painter.image(mask.id(), shown, whole, tint);
        }
    }
    let name = egui::Label::new(RichText::new(&sample.name).small().weak()).truncate();
    let foot = Rect::from_min_max(square.left_bottom(), rect.max);
    ui.place(foot, name);
    if let Some(badge) = badge {
        badge_ui(&painter, square.min + vec2(4.0, 4.0), badge);
    }
    let part = sample.part.map_or("no part", |part| part.folder());
    let words = match (&sample.mask, badge) {
        (Some(_), Some(badge)) => format!("{} ({badge} by the recipe)", sample.name),
        (Some(_), None) => format!("{} ({part})", sample.name),
        (None, _) => format!("{} ({part}), without a mask", sample.name),
    };
    response.on_hover_text(words);
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::dataset::parts::PartRule;
    use crate::dataset::{Corrections, Layout, LayoutKind, MaskEncoding, MaskSource, OffPalette};
    use crate::geom::ImageSize;
    use crate::label::Encoding;
    use crate::session::{DataPhase, SamplePictures};

    const COUNT: usize = 25_000;
    /// A window of 1280 x 800 shows 9 columns and not quite 6 rows.
    const MOST_IN_SIGHT: usize = 9 * 7;

    fn discovery() -> Arc<Discovery> {
        let sample = |number: usize| Sample {
            name: format!("{number:05}"),
            image: format!("{number:05}.png").into(),
            mask: None,
            part: None,
            group: None,
        };
        Arc::new(Discovery {
            folder: PathBuf::new(),
            layout: Layout {
                kind: LayoutKind::ImagesOnly,
                why: String::new(),
            },
            samples: (0..COUNT).map(sample).collect(),
            classes: None,
            are_classes_made: false,
            ignored: Vec::new(),
            encoding: MaskEncoding {
                form: Encoding::Auto,
                threshold: 128,
                off_palette: OffPalette::default(),
                why: String::new(),
            },
            are_voids_nodata: false,
            notes: Vec::new(),
            side: Vec::new(),
            lonely_masks: Vec::new(),
            datasets: Vec::new(),
        })
    }

    fn data_set(discovery: &Arc<Discovery>) -> DataSet {
        DataSet {
            folder: PathBuf::new(),
            corrections: Corrections::default(),
            phase: DataPhase::Seen,
            discovery: Some(Arc::clone(discovery)),
            pictures: SamplePictures::default(),
            inspection: None,
            widths: None,
            parts: PartRule::default(),
            leaks: None,
            parted: None,
            job: None,
        }
    }

    /// Lays out a frame that is scrolled to `offset`; the samples that it asks for.
    fn frame(
        ctx: &egui::Context,
        data: &DataSet,
        sheet: &mut ContactSheet,
        offset: f32,
    ) -> Option<Vec<usize>> {
        let discovery = data.discovery.clone().expect("recognized");
        let mut commands = Vec::new();
        let input = egui::RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1_280.0, 800.0))),
            ..egui::RawInput::default()
        };
        drop(ctx.run_ui(input, |ui| {
            egui::ScrollArea::vertical()
                .auto_shrink(false)
                .vertical_scroll_offset(offset)
                .show(ui, |ui| {
                    contact_ui(ui, (data, &discovery, None), sheet, &mut commands);
                });
        }));
        commands.pop().map(|command| match command {
            Command::Data(DataCommand::Show(samples)) => samples,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_frame_lays_out_and_keeps_little_of_25_000_samples() {
        let ctx = egui::Context::default();
        let discovery = discovery();
        let (mut data, mut sheet) = (data_set(&discovery), ContactSheet::default());
        let picture = RgbaTile::blank(ImageSize::new(4, 4));
        let tile = ContactTile {
            image: Arc::new(picture),
            mask: None,
        };
        let mut seen = std::collections::HashSet::new();
        for step in 0..60_u8 {
            let offset = f32::from(step) * 7_000.0;
            let asked = [0; 2].map(|_| frame(&ctx, &data, &mut sheet, offset));
            let [first, settled] = asked;
            let asked = settled.or(first).expect("others are in sight");
            assert!(
                (1..=MOST_IN_SIGHT).contains(&asked.len()),
                "{}",
                asked.len()
            );
            for &at in &asked {
                data.pictures.keep(at, Some(tile.clone()));
            }
            seen.extend(asked);
            for _ in 0..=MOST_IN_SIGHT.div_ceil(MOST_LOADED) {
                let before = sheet.textures.len();
                assert_eq!(frame(&ctx, &data, &mut sheet, offset), None, "asked once");
                assert!(sheet.textures.len() <= before + MOST_LOADED);
            }
            assert!(sheet.textures.len() <= MOST_PICTURES + MOST_IN_SIGHT);
            assert!(data.pictures.len() <= MOST_PICTURES);
            assert!(sheet.shown.iter().all(|at| sheet.textures.contains_key(at)));
        }
        assert!(
            seen.len() > MOST_PICTURES,
            "{} samples in sight",
            seen.len()
        );
    }

    #[test]
    fn the_part_of_a_sample_is_shown_where_it_is_stated() {
        let sample = Sample {
            mask: Some(MaskSource::File("a.png".into())),
            ..discovery().samples[0].clone()
        };
        let mut parts = SetParts {
            parts: vec![Some(Part::Validation), None],
            are_stated: true,
            notes: Vec::new(),
        };
        let shown = |parts: &SetParts| [0, 1].map(|at| badge(&sample, at, Some(parts)));
        assert_eq!(shown(&parts), [Some("val"), Some("left out")]);
        parts.are_stated = false;
        assert_eq!(shown(&parts), [None, None]);
        assert_eq!(badge(&sample, 0, None), None);
    }

    #[test]
    fn samples_are_found_by_name_and_mixed_without_losing_any() {
        let discovery = discovery();
        let all = listed(&discovery.samples, "", false);
        assert_eq!(all, (0..COUNT).collect::<Vec<_>>());
        let mut mixed = listed(&discovery.samples, "", true);
        assert_ne!(mixed, all);
        mixed.sort_unstable();
        assert_eq!(mixed, all);
        let found = listed(&discovery.samples, "0012", false);
        let expected = [12].into_iter().chain(120..130).chain([10_012, 20_012]);
        assert_eq!(found, expected.collect::<Vec<_>>());
    }

    #[test]
    fn rows_in_sight_are_those_that_the_screen_cuts() {
        let seen = |top: f32| rows_in_sight(Rangef::new(0.0, 100.0), top, 30.0, 10);
        assert_eq!(seen(0.0), 0..4);
        assert_eq!(seen(-45.0), 1..5);
        assert_eq!(seen(200.0), 0..0);
        assert_eq!(seen(-290.0), 9..10);
        assert_eq!(seen(-1_000.0), 10..10);
    }
}
