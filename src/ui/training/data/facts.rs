use egui::{Grid, RichText, Ui};

use crate::dataset::{Discovery, Inspection};
use crate::ui::text;
use crate::ui::training::header::{Tile, tile_ui};

/// Sizes that are listed.
const MOST_SIZES: usize = 6;
const CHANNELS_IN_A_LINE: usize = 3;

/// What a data set comes to, in large numbers.
pub fn tiles_ui(ui: &mut Ui, discovery: &Discovery, inspection: Option<&Inspection>) {
    let samples = discovery.samples.len();
    let masks = discovery
        .samples
        .iter()
        .filter(|sample| sample.mask.is_some())
        .count();
    let mut tiles = vec![Tile {
        name: "Samples",
        value: text::grouped(samples as u64),
        note: format!("{} with masks", text::grouped(masks as u64)),
        help: "Images that were found, and how many have a mask to learn from".to_owned(),
    }];
    if let Some(inspection) = inspection {
        let classes = inspection
            .classes
            .iter()
            .filter(|class| class.pixels > 0)
            .count();
        tiles.push(Tile {
            name: "Classes",
            value: classes.to_string(),
            note: format!("of {} in the table", inspection.classes.len()),
            help: "Classes that occur in the masks".to_owned(),
        });
        if let Some(majority) = &inspection.majority {
            tiles.push(Tile {
                name: "Majority baseline",
                value: format!("{:.3}", majority.share),
                note: format!("always answering {}", majority.name),
                help: "The pixel accuracy that no training is needed for; an accuracy says little \
                       that is not far above it"
                    .to_owned(),
            });
        }
        let size = inspection.sizes.first();
        tiles.extend(size.map(|size| Tile {
            name: "Commonest size",
            value: format!("{} × {}", size.width, size.height),
            note: format!(
                "{} images",
                text::of_all(size.images as u64, inspection.num_looked as u64)
            ),
            help: "Columns and rows in pixels".to_owned(),
        }));
    }
    ui.horizontal_wrapped(|ui| tiles.iter().for_each(|tile| tile_ui(ui, tile)));
}

/// Parts, sizes, depths and colors.
pub fn facts_ui(ui: &mut Ui, inspection: &Inspection) {
    let rows = rows(inspection);
    Grid::new("facts")
        .num_columns(2)
        .spacing([18.0, 5.0])
        .show(ui, |ui| {
            for (name, value) in rows {
                ui.label(RichText::new(name).weak());
                ui.label(value);
                ui.end_row();
            }
        });
}

/// Mean and deviation of every channel, a line for each few of them.
fn channel_words(inspection: &Inspection) -> [String; 2] {
    let named = inspection.channels.iter().map(|channel| {
        let name = &channel.name;
        channel.words().map(|number| format!("{name} {number}"))
    });
    let named: Vec<[String; 2]> = named.collect();
    [0, 1].map(|which| {
        let lines = named.chunks(CHANNELS_IN_A_LINE).map(|line| {
            let words = line.iter().map(|words| words[which].as_str());
            words.collect::<Vec<_>>().join(", ")
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

/// The first of these sizes, and how many more there are.
fn first_of(sizes: impl ExactSizeIterator<Item = String>) -> String {
    let rest = sizes.len().saturating_sub(MOST_SIZES);
    let rest = (rest > 0).then(|| format!("{rest} more"));
    let sizes = sizes.take(MOST_SIZES).chain(rest);
    sizes.collect::<Vec<_>>().join(", ")
}

fn rows(inspection: &Inspection) -> Vec<(&'static str, String)> {
    let parts = inspection.parts.iter().map(|part| {
        let name = part.part.unwrap_or("without a part");
        let images = text::count_of(part.images, "image");
        format!("{name}: {images}, {}", text::count_of(part.masks, "mask"))
    });
    let sizes = inspection.sizes.iter();
    let sizes = sizes.map(|size| {
        let images = text::grouped(size.images as u64);
        format!("{} × {} ({images})", size.width, size.height)
    });
    let pixels = inspection.pixel_sizes.iter();
    let pixels = pixels.map(|size| {
        let images = text::grouped(size.images as u64);
        format!("{} ({images})", size.words())
    });
    let depths = |depths: &[crate::dataset::DepthCount]| {
        let words = depths.iter().map(|depth| {
            let bands = if depth.bands == 1 {
                "channel"
            } else {
                "channels"
            };
            let files = text::grouped(depth.files as u64);
            format!("{} {bands} of {} ({files})", depth.bands, depth.sample)
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let mut rows = vec![
        ("Parts", parts.collect::<Vec<_>>().join("\n")),
        ("Sizes", first_of(sizes)),
        ("Pixel sizes", first_of(pixels)),
        ("Images", depths(&inspection.image_depths)),
        ("Masks", depths(&inspection.mask_depths)),
    ];
    let [mean, deviation] = channel_words(inspection);
    rows.push(("Mean", mean));
    rows.push(("Deviation", deviation));
    rows.push((
        "Without data",
        format!("{:.1} % of the ground", inspection.nodata_share * 100.0),
    ));
    rows.push((
        "Unlabeled",
        format!("{} pixels", text::grouped(inspection.unlabeled_pixels)),
    ));
    rows.retain(|(_, value)| !value.is_empty());
    rows
}
