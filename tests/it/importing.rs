//! Mask files that leave questions open are looked at, asked about, and taken over as one step.

use orthobrush::geom::{Georef, ImageSize, PixelRect};
use orthobrush::label::{Align, ClassTable, Mask, MaskDecisions, SaveAs, ZeroMeans, save_mask};
use orthobrush::raster::open_raster;
use orthobrush::session::{Command, ImportCommand, LayerKind, Session};

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
    finish(&mut session, Command::Export { path: path.clone() });
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
