//! Images that are joined on the command line and opened as one.

use std::path::{Path, PathBuf};

use orthobrush::geom::{Georef, ImageSize};
use orthobrush::raster::{PixelKind, TiffOptions, TiffWriter, open_raster};
use orthobrush::session::{Command as Order, ExportOrder, Joining, Session};
use serde_json::Value;

use crate::fixture::{finish, session, settle};
use crate::program::{json, refused, text};

const SIDE: u32 = 96;

/// A square of one grey at a column and row of such squares.
fn square(folder: &Path, name: &str, grey: u8, (col, row): (u32, u32)) -> PathBuf {
    let meters = |count: u32| f64::from(count * SIDE) * 0.5;
    let (x, y) = (1_000.0 + meters(col), 2_000.0 - meters(row));
    let options = TiffOptions {
        georef: Some(Georef::north_up(x, y, 0.5, Some(2_180))),
        ..TiffOptions::new(ImageSize::new(SIDE, SIDE), PixelKind::Rgb)
    };
    let path = folder.join(name);
    let mut writer = TiffWriter::create(&path, options).expect("created");
    let pixels = vec![grey; (SIDE * SIDE * 3) as usize];
    writer.write_rows(&pixels).expect("written");
    writer.finish().expect("finished");
    path
}

#[test]
fn images_of_a_folder_are_joined_and_open_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    square(folder.path(), "a.tif", 40, (0, 0));
    square(folder.path(), "b.tif", 80, (1, 0));
    square(folder.path(), "c.tif", 120, (1, 1));
    let out = folder.path().join("all.vrt");
    let mosaic = ["mosaic", text(folder.path()), "--out", text(&out), "--json"];
    let report = json(&mosaic);
    assert_eq!(
        (&report["files"], &report["width"]),
        (&3.into(), &192.into())
    );
    let info = json(&["info", text(&out), "--checksum", "--json"]);
    let expected = [
        ("width", Value::from(192)),
        ("height", Value::from(192)),
        ("bands", Value::from(3)),
        ("dtype", Value::from("uint8")),
        ("compression", Value::from("VRT")),
        ("epsg", Value::from(2_180)),
        (
            "bounds",
            serde_json::json!([1_000.0, 1_904.0, 1_096.0, 2_000.0]),
        ),
        ("nodata", Value::Null),
    ];
    for (name, value) in expected {
        assert_eq!(info[name], value, "{name}");
    }
    assert_eq!(info["checksums"].as_array().map(Vec::len), Some(3));
    // The window opens it as an image.
    let mut session = session();
    finish(&mut session, Order::Open { path: out.clone() });
    assert_eq!(
        session.image().expect("an image").size(),
        ImageSize::new(192, 192)
    );
}

#[test]
fn the_window_joins_images_and_opens_what_they_make() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = square(folder.path(), "a.tif", 40, (0, 0));
    square(folder.path(), "b.tif", 80, (1, 0));
    let join = |joining| Order::Export(ExportOrder::Joined(joining));
    let mut session = session();
    let infrared = Joining::Bands(folder.path().join("nir/a.tif"));
    assert!(
        session.apply(join(infrared.clone())).is_err(),
        "nothing is open"
    );
    let whole = join(Joining::Folder(folder.path().to_owned()));
    finish(&mut session, whole.clone());
    let size = |session: &Session| session.image().expect("an image").size();
    assert_eq!(size(&session), ImageSize::new(192, 96));
    session.apply(whole).expect("accepted");
    let errors = settle(&mut session);
    assert!(errors[0].contains("joined already"), "{errors:?}");

    let below = folder.path().join("nir");
    std::fs::create_dir(&below).expect("made");
    square(&below, "a.tif", 200, (0, 0));
    finish(&mut session, Order::Open { path: first });
    finish(&mut session, join(infrared));
    let image = session.image().expect("an image");
    assert_eq!(
        (image.size(), image.info().bands),
        (ImageSize::new(96, 96), 6)
    );
    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = square(elsewhere.path(), "c.tif", 9, (0, 0));
    session
        .apply(join(Joining::Bands(other)))
        .expect("accepted");
    let errors = settle(&mut session);
    assert!(
        errors[0].contains("in the folder of its images"),
        "{errors:?}"
    );
}

#[test]
fn what_makes_no_mosaic_is_said_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = square(folder.path(), "a.tif", 40, (0, 0));
    let below = folder.path().join("below");
    std::fs::create_dir(&below).expect("made");
    let check = |images: &[&Path], out: &Path, words: &str| {
        let images: Vec<&str> = images.iter().map(|path| text(path)).collect();
        let arguments = [&["mosaic", "--out", text(out)], &images[..]].concat();
        refused(&arguments, &[words]);
    };
    let out = folder.path().join("m.vrt");
    check(&[&first], &below.join("m.vrt"), "above it");
    check(&[&first], &first, "OUT.vrt");
    check(&[&below], &out, "no image to join");
    check(&[&first, &folder.path().join("gone.tif")], &out, "gone.tif");
    assert!(!out.exists());
}

#[test]
fn a_folder_of_tiles_is_an_image_and_not_a_list() {
    let folder = tempfile::tempdir().expect("a folder");
    let tile = folder.path().join("3/4");
    std::fs::create_dir_all(&tile).expect("made");
    let file = std::fs::File::create(tile.join("4.png")).expect("created");
    let mut encoder = png::Encoder::new(file, 256, 256);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("a header");
    writer
        .write_image_data(&vec![99; 256 * 256 * 3])
        .expect("pixels");
    drop(writer);
    let info = json(&["info", text(folder.path()), "--json"]);
    assert_eq!(
        (&info["width"], &info["epsg"]),
        (&256.into(), &3_857.into())
    );
    let mut session = session();
    finish(
        &mut session,
        Order::Open {
            path: folder.path().to_owned(),
        },
    );
    assert_eq!(
        session.image().expect("an image").size(),
        ImageSize::new(256, 256)
    );
    assert!(open_raster(&folder.path().join("3")).is_err());
}
