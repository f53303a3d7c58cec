//! Mask files that leave questions open are looked at, asked about, and taken over as one step.

use std::path::Path;

use orthobrush::exchange::{Edge, Generalize, TilePlan, TileShares};
use orthobrush::geom::{Georef, ImageSize, PixelRect};
use orthobrush::label::{Align, ClassTable, Mask, MaskDecisions, SaveAs, ZeroMeans, save_mask};
use orthobrush::raster::{TileSource, open_raster};
use orthobrush::session::{
    Command, ExportOrder, ImportCommand, LayerKind, OverlayCommand, Session,
};

use crate::fixture::{finish, own_sample, session};

fn label(session: &Session) -> Mask {
    session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .clone()
}

#[test]
fn a_mask_of_another_pixel_size_is_asked_about_and_aligned() {
    let (folder, ortho) = own_sample();
    let georef = open_raster(&ortho)
        .expect("an image")
        .info()
        .georef
        .clone()
        .expect("a place");
    let [a, b, c, d, e, f] = georef.map_from_image;
    let coarse = Georef {
        map_from_image: [2.0 * a, 2.0 * b, c, 2.0 * d, 2.0 * e, f],
        ..georef
    };
    let size = ImageSize::new(512, 512);
    let mut mask = Mask::filled(size, 1);
    mask.set_rect(PixelRect::new(100, 50, 30, 20), &[4; 600]);
    let path = folder.path().join("coarse.tif");
    let table = ClassTable::landcover_ai();
    save_mask(&path, &mask, &table, Some(&coarse), SaveAs::GeoTiff).expect("saved");
    table
        .save(&path.with_extension("classes.toml"))
        .expect("saved");

    let mut session = session();
    finish(&mut session, Command::Open { path: ortho });
    let before = label(&session);
    finish(
        &mut session,
        Command::Import(ImportCommand::Examine { path: path.clone() }),
    );
    let audit = session.examined().expect("it asks").audit.clone();
    assert!(!audit.is_same_size() && !audit.open_questions().is_empty());
    assert_eq!(label(&session), before, "nothing is done yet");
    assert_eq!(audit.suggested().align, Align::Refuse, "a person decides");
    let decisions = MaskDecisions {
        align: Align::ByGeoreference,
        ..audit.suggested()
    };
    finish(
        &mut session,
        Command::Import(ImportCommand::Take { path, decisions }),
    );
    assert!(session.examined().is_none());
    let after = label(&session);
    assert_eq!(after.histogram()[4], 4 * 600);
    assert_eq!(
        [199, 200, 259, 260].map(|x| after.get(x, 100)),
        [1, 4, 4, 1]
    );
    assert_eq!(
        session.origin_areas()[0],
        1_024 * 1_024,
        "all of it is imported"
    );
    finish(&mut session, Command::Undo);
    assert_eq!(label(&session), before);
}

#[test]
fn what_zero_stands_for_is_decided_by_a_person() {
    let (folder, ortho) = own_sample();
    let mut mask = Mask::filled(ImageSize::new(1_024, 1_024), 0);
    mask.set_rect(PixelRect::new(100, 50, 30, 20), &[4; 600]);
    let path = folder.path().join("plain.png");
    let table = ClassTable::from_values([0, 4]);
    save_mask(&path, &mask, &table, None, SaveAs::IndexPng).expect("saved");
    let mut session = session();
    finish(&mut session, Command::Open { path: ortho });
    let decisions = MaskDecisions {
        zero: ZeroMeans::Unlabeled,
        ..MaskDecisions::default()
    };
    finish(
        &mut session,
        Command::Import(ImportCommand::Take { path, decisions }),
    );
    let counts = label(&session).histogram();
    let labeled: u64 = counts[..255].iter().sum();
    assert_eq!((labeled, counts[255]), (600, 1_024 * 1_024 - 600));
}

#[test]
fn polygons_are_drawn_into_the_label_by_their_attribute() {
    let (folder, ortho) = own_sample();
    let mut session = session();
    finish(&mut session, Command::Open { path: ortho });
    let before = label(&session);
    let path = folder.path().join("label.gpkg");
    let order = ExportOrder::File {
        path: path.clone(),
        generalize: None,
    };
    finish(&mut session, Command::Export(order));
    // Everything is another class, and the exported polygons bring it back.
    for command in [
        Command::SelectClass(1),
        Command::FillPolygon {
            corners: [
                (0.0, 0.0),
                (1_024.0, 0.0),
                (1_024.0, 1_024.0),
                (0.0, 1_024.0),
            ]
            .map(|(x, y)| orthobrush::geom::ImagePoint::new(x, y))
            .to_vec(),
            class: None,
        },
    ] {
        finish(&mut session, command);
    }
    finish(
        &mut session,
        Command::Import(ImportCommand::Examine { path }),
    );
    let vectors = session.vectors().expect("they wait");
    assert!(
        vectors.attributes.iter().any(|name| name == "class"),
        "{:?}",
        vectors.attributes
    );
    let attribute = "class".to_owned();
    let line_width = 3.0;
    finish(
        &mut session,
        Command::Import(ImportCommand::Draw {
            attribute,
            line_width,
        }),
    );
    let after = label(&session);
    for (class, &pixels) in before.histogram().iter().enumerate().take(255) {
        if class != 1 {
            assert_eq!(after.histogram()[class], pixels, "class {class}");
        }
    }
}

#[test]
fn polygons_can_lie_over_the_image_and_change_no_pixel() {
    let (folder, ortho) = own_sample();
    let mut session = session();
    finish(
        &mut session,
        Command::Open {
            path: ortho.clone(),
        },
    );
    let before = label(&session);
    let path = folder.path().join("label.geojson");
    let order = ExportOrder::File {
        path: path.clone(),
        generalize: Some(Generalize {
            tolerance_px: 2.0,
            min_pixels: 50,
            ..Generalize::default()
        }),
    };
    finish(&mut session, Command::Export(order));
    let overlay = |command| Command::Import(ImportCommand::Overlay(command));
    finish(
        &mut session,
        Command::Import(ImportCommand::Examine { path }),
    );
    finish(&mut session, overlay(OverlayCommand::Add));
    let [shown] = session.overlays() else {
        panic!("one overlay, not {}", session.overlays().len());
    };
    assert!(shown.is_visible && session.vectors().is_none());
    let shapes = shown.outlines.len();
    assert!(shapes > 5, "{shapes} outlines");
    let inside =
        |at: &[f64; 4]| at[0] >= -1.0 && at[1] >= -1.0 && at[2] <= 1_025.0 && at[3] <= 1_025.0;
    assert!(shown.outlines.iter().all(|outline| inside(&outline.bounds)));
    assert_eq!(label(&session), before);
    assert!(!session.can_undo());
    // It follows to another image of the same ground.
    finish(&mut session, Command::Open { path: ortho });
    assert_eq!(session.overlays()[0].outlines.len(), shapes);
    finish(&mut session, overlay(OverlayCommand::Remove { place: 0 }));
    assert!(session.overlays().is_empty());
}

#[test]
fn image_and_label_are_cut_into_tiles() {
    let (folder, ortho) = own_sample();
    let mut session = session();
    finish(&mut session, Command::Open { path: ortho });
    let tiles = folder.path().join("tiles");
    let order = |side, overlap| ExportOrder::Tiles {
        folder: tiles.clone(),
        plan: TilePlan {
            side,
            overlap,
            edge: Edge::Pad,
        },
        shares: TileShares {
            validation: 0.25,
            test: 0.0,
            seed: 1,
        },
        min_labeled: 0.0,
        shapes: Vec::new(),
    };
    assert!(session.apply(Command::Export(order(256, 256))).is_err());
    finish(&mut session, Command::Export(order(256, 0)));
    let count = |part: &str| {
        let folder = tiles.join(part).join("images");
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    };
    assert_eq!(count("train") + count("val"), 16);
    assert!(count("val") > 0);
}

#[test]
fn an_image_is_written_with_overviews_but_never_over_itself() {
    let (folder, ortho) = own_sample();
    let mut session = session();
    let order = |path: &Path| {
        let path = path.to_owned();
        Command::Export(ExportOrder::Pyramid { path })
    };
    let out = folder.path().join("cog.tif");
    assert!(session.apply(order(&out)).is_err(), "nothing is open");
    finish(
        &mut session,
        Command::Open {
            path: ortho.clone(),
        },
    );
    assert!(session.apply(order(&ortho)).is_err());
    finish(&mut session, order(&out));
    let (before, after) = (open_raster(&ortho).unwrap(), open_raster(&out).unwrap());
    assert_eq!(after.info().size, before.info().size);
    assert_eq!(after.info().georef, before.info().georef);
    assert!(after.info().level_sizes.len() > 1);
    let rect = PixelRect::new(300, 200, 64, 64);
    let read = |source: &dyn TileSource| source.read_rgba(0, rect).unwrap();
    assert_eq!(read(&*after), read(&*before));
}
