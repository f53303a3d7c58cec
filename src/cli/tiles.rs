use anyhow::Context as _;
use serde_json::json;

use super::args::TilesArgs;
use crate::disk::path_text;
use crate::exchange::{TilePlan, TileReport, TileShapes, TileShares, TileWork, write_tiles};
use crate::label::{Control, Encoding, load_mask};
use crate::raster::open_raster;
use crate::session::companion_label;

/// Cuts an image and its label into tiles for training elsewhere.
pub fn run(args: &TilesArgs) -> anyhow::Result<()> {
    let source = open_raster(&args.image)?;
    let label = args.label.clone().or_else(|| companion_label(&args.image));
    let label = label.with_context(|| {
        let image = args.image.display();
        format!("No label lies beside the image; name one with --label FILE: {image}")
    })?;
    let loaded = load_mask(&label, Some(source.info().size), Encoding::Auto, None)?;
    let notes = loaded.notes.iter();
    notes.for_each(|note| eprintln!("note: {note}"));
    let asked = [(args.yolo, TileShapes::Yolo), (args.coco, TileShapes::Coco)];
    let shapes = asked.into_iter().filter(|(is_asked, _)| *is_asked);
    let shapes: Vec<TileShapes> = shapes.map(|(_, shapes)| shapes).collect();
    let stem = args.image.file_stem().unwrap_or_default().to_string_lossy();
    let work = TileWork {
        stem: &stem,
        read: &|rect| source.read_rgba(0, rect).map_err(|error| error.to_string()),
        mask: &loaded.mask,
        classes: &loaded.classes,
        plan: TilePlan {
            side: args.side,
            overlap: args.overlap,
            edge: args.edge,
        },
        shares: TileShares {
            validation: args.validation,
            test: args.test,
            seed: args.seed,
        },
        min_labeled: args.min_labeled,
        shapes: &shapes,
    };
    let report = write_tiles(&args.out, &work, &Control::default())?.expect("nobody cancels");
    tell(args, &report);
    Ok(())
}

fn tell(args: &TilesArgs, report: &TileReport) {
    let notes = report.notes.iter();
    notes.for_each(|note| eprintln!("note: {note}"));
    if args.json {
        say!(
            "{}",
            json!({
                "out": path_text(&args.out),
                "train": report.num_train,
                "val": report.num_validation,
                "test": report.num_test,
                "left_out_unlabeled": report.num_unlabeled,
                "left_out_across": report.num_across,
            })
        );
    } else {
        say!(
            "{} tiles to train on, {} to validate with, {} to test with: {}",
            report.num_train,
            report.num_validation,
            report.num_test,
            args.out.display()
        );
        let left_out = report.num_unlabeled + report.num_across;
        if left_out > 0 {
            say!(
                "{left_out} left out: {} with too little label, {} across ground of two parts",
                report.num_unlabeled,
                report.num_across
            );
        }
    }
}
