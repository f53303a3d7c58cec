//! The tile pipeline on a headless adapter: what is drawn is what the file holds.

use std::path::Path;
use std::sync::Arc;

use orthobrush::disk::replace_file;
use orthobrush::geom::{Camera, ImagePoint, ImageSize, PixelRect, ScreenSize, TileKey};
use orthobrush::label::{Mask, MaskLevels, MaskTile};
use orthobrush::raster::{Contrast, Look, Pyramid, Shading, ShownBands, TileCache, open_raster};
use orthobrush::render::{
    ComparisonView, ImageTiles, Looked, MaskTiles, MaskView, Offscreen, PaneDraw, PaneScene,
    Renderer, SourceId, VerdictColors,
};
use orthobrush::session::{Change, Command, PlaceCommand, Session};

use crate::fixture::{gpu, opened, sample, turn};

const SIZE: ImageSize = ImageSize::new(300, 200);
const CANVAS: ScreenSize = ScreenSize::new(300.0, 200.0);
const BLACK: [u8; 4] = [0, 0, 0, 255];
const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

fn pyramid() -> Pyramid {
    let source = open_raster(&sample().ortho).expect("the sample opens");
    Pyramid::new(source, Arc::new(TileCache::new(64 << 20)))
}

/// Prepares a scene, loading tiles until none is missing.
fn prepared(renderer: &mut Renderer, pyramid: &Pyramid, scene: &PaneScene<'_>) -> PaneDraw {
    loop {
        renderer.begin_frame();
        let (draw, wants) = renderer.prepare(scene);
        if wants.is_empty() {
            return draw;
        }
        for key in wants {
            let tile = pyramid.tile(key).expect("a tile");
            renderer.upload_image(SourceId(1), key, &tile);
        }
    }
}

fn image_scene(pyramid: &Pyramid, camera: Camera) -> PaneScene<'static> {
    let image = ImageTiles {
        source: SourceId(1),
        shape: pyramid.shape(),
        shading: Shading::PLAIN,
    };
    PaneScene {
        canvas: CANVAS,
        camera,
        image: Some(image),
        masks: Vec::new(),
        comparison: None,
    }
}

#[test]
fn actual_pixels_are_the_files_bytes() {
    let _turn = turn();
    let pyramid = pyramid();
    let mut renderer = Renderer::new(gpu(), 64 << 20);
    // Across the corner of four tiles.
    let rect = PixelRect::new(362, 412, SIZE.width, SIZE.height);
    let center = ImagePoint::new(362.0 + 150.0, 412.0 + 100.0);
    let scene = image_scene(&pyramid, Camera { center, scale: 1.0 });
    let draw = prepared(&mut renderer, &pyramid, &scene);
    let offscreen = Offscreen::new(&gpu(), SIZE).expect("small");
    let drawn = offscreen
        .picture(&[(0, SIZE.width, draw)], BLACK)
        .expect("a picture");
    let source = open_raster(&sample().ortho).expect("the sample opens");
    let expected = source.read_rgba(0, rect).expect("pixels");
    assert!(drawn == expected, "the picture differs from the file");
}

/// A TIFF of at least four bands of 16 bits; band b of pixel (x, y) is 100 (b + 1) (1 + x % 10).
fn write_bands(path: &Path, size: ImageSize, bands: u32) {
    let value = |x: u32, band: u32| (100 * (band + 1) * (1 + x % 10)) as u16;
    let rows = (0..size.height).flat_map(|_| 0..size.width);
    let pixels = rows.flat_map(|x| (0..bands).map(move |band| value(x, band)));
    let data: Vec<u8> = pixels.flat_map(u16::to_le_bytes).collect();
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        let mut entry = [tag.to_le_bytes(), kind.to_le_bytes()].concat();
        entry.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
        entry
    };
    let directory = 8 + data.len() as u32;
    let behind = directory + 2 + 10 * 12 + 4;
    let extra = bands - 3;
    // Two numbers have room in the entry itself.
    let extra_at = if extra > 2 { behind + 2 * bands } else { 0 };
    let mut file = [*b"II\x2a\0", directory.to_le_bytes()].concat();
    file.extend(&data);
    file.extend(10_u16.to_le_bytes());
    for entry in [
        entry(256, 4, 1, size.width),
        entry(257, 4, 1, size.height),
        entry(258, 3, bands, behind),
        entry(259, 3, 1, 1),
        entry(262, 3, 1, 2),
        entry(273, 4, 1, 8),
        entry(277, 3, 1, bands),
        entry(278, 4, 1, size.height),
        entry(279, 4, 1, data.len() as u32),
        entry(338, 3, extra, extra_at),
    ] {
        file.extend(entry);
    }
    file.extend([0; 4]);
    file.extend([16, 0].repeat(bands as usize));
    file.extend([0, 0].repeat(extra as usize));
    replace_file(path, &file).expect("a file");
}

/// Draws bands of an image of [`write_bands`] that is 60 pixels wide, each from 0 to its greatest
/// value, and checks them.
#[track_caller]
fn check_bands(renderer: &mut Renderer, pyramid: &Pyramid, bands: [u16; 3]) {
    let camera = Camera {
        center: ImagePoint::new(30.0, 20.0),
        scale: 5.0,
    };
    let values = pyramid.statistics().expect("values");
    let top = bands.map(|band| 1_000.0 * f64::from(band + 1));
    let look = Look {
        bands: Some(ShownBands::Colors(bands)),
        contrast: Contrast::Fixed(top.map(|top| [0.0, top])),
        gamma: 1.0,
    };
    let shading = look.shading(values, &[0, 1, 2]);
    renderer.pick_bands(SourceId(1), shading.picks);
    let mut scene = image_scene(pyramid, camera);
    scene.image.as_mut().expect("an image").shading = shading;
    let draw = prepared(renderer, pyramid, &scene);
    let offscreen = Offscreen::new(&gpu(), SIZE).expect("small");
    let drawn = offscreen
        .picture(&[(0, SIZE.width, draw)], BLACK)
        .expect("a picture");
    for x in 0..60_usize {
        let at = (100 * 300 + 5 * x + 2) * 4;
        let expected = (255.0 * (1 + x % 10) as f64 / 10.0).round();
        for shown in &drawn[at..at + 3] {
            let difference = (f64::from(*shown) - expected).abs();
            assert!(
                difference <= 1.0,
                "{bands:?} column {x}: {shown} for {expected}"
            );
        }
    }
}

#[test]
fn any_bands_in_any_range_are_shown_without_reading_again() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bands.tif");
    write_bands(&path, ImageSize::new(60, 40), 4);
    let source = open_raster(&path).expect("it opens");
    let pyramid = Pyramid::of_samples(source, Arc::new(TileCache::new(64 << 20)));
    pyramid.look_around().expect("values");
    // Whatever is shown from here on comes from memory.
    std::fs::remove_file(&path).expect("removed");
    let mut renderer = Renderer::new(gpu(), 64 << 20);
    for bands in [[3, 1, 0], [2, 2, 2]] {
        check_bands(&mut renderer, &pyramid, bands);
    }
}

#[test]
fn bands_that_tiles_do_not_hold_are_read_when_they_are_picked() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bands.tif");
    write_bands(&path, ImageSize::new(60, 40), 20);
    let source = open_raster(&path).expect("it opens");
    let first = Pyramid::of_samples(source, Arc::new(TileCache::new(64 << 20)));
    first.look_around().expect("values");
    assert!(first.holding(&[11, 5, 0]).is_none());
    assert!(first.holding(&[99, 5, 0]).is_none());
    let other = first.holding(&[19, 15, 3]).expect("other bands");
    other.look_around().expect("values");
    std::fs::remove_file(&path).expect("removed");
    let mut renderer = Renderer::new(gpu(), 64 << 20);
    check_bands(&mut renderer, &first, [11, 5, 0]);
    renderer.outdate(SourceId(1));
    check_bands(&mut renderer, &other, [19, 15, 3]);
    // Neighbours are there as well.
    check_bands(&mut renderer, &other, [18, 2, 16]);
}

#[test]
fn a_session_turns_to_tiles_of_the_bands_that_are_picked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bands.tif");
    write_bands(&path, ImageSize::new(60, 40), 20);
    let mut session = opened(&path);
    let pyramid = |session: &Session| Arc::clone(&session.image().expect("an image").pyramid);
    let pick = |session: &mut Session, bands| {
        let look = Look {
            bands: Some(ShownBands::Colors(bands)),
            ..Look::default()
        };
        let command = Command::Place(PlaceCommand::Look(look));
        session.apply(command).expect("the command is accepted");
        session.take_changes()
    };
    session.take_changes();
    let before = pyramid(&session);
    before.look_around().expect("values");
    assert!(pick(&mut session, [11, 5, 0]).is_empty());
    assert!(Arc::ptr_eq(&before, &pyramid(&session)));
    let shading = session.shading();
    assert!(matches!(
        pick(&mut session, [19, 15, 3])[..],
        [Change::OtherBands(_)]
    ));
    // As before, until something is known of these bands.
    assert_eq!(session.shading(), shading);
    pyramid(&session).look_around().expect("values");
    let shading = session.shading().expect("values");
    // Tiles hold 1 to 5 and 13 to 19.
    assert_eq!(shading.picks, [11, 7, 2]);
}

#[test]
fn magnified_pixels_are_whole_squares() {
    let _turn = turn();
    let pyramid = pyramid();
    let mut renderer = Renderer::new(gpu(), 64 << 20);
    let camera = Camera {
        center: ImagePoint::new(30.0, 20.0),
        scale: 10.0,
    };
    let scene = image_scene(&pyramid, camera);
    let draw = prepared(&mut renderer, &pyramid, &scene);
    let offscreen = Offscreen::new(&gpu(), SIZE).expect("small");
    let drawn = offscreen
        .picture(&[(0, SIZE.width, draw)], BLACK)
        .expect("a picture");
    let source = open_raster(&sample().ortho).expect("the sample opens");
    let pixels = source
        .read_rgba(0, PixelRect::new(15, 10, 30, 20))
        .expect("pixels");
    for (y, row) in drawn.chunks_exact(SIZE.width as usize * 4).enumerate() {
        for (x, pixel) in row.chunks_exact(4).enumerate() {
            let at = (y / 10 * 30 + x / 10) * 4;
            assert_eq!(pixel, &pixels[at..at + 4], "at {x}, {y}");
        }
    }
}

#[test]
fn a_mask_is_drawn_in_its_classes_colors() {
    let _turn = turn();
    let mut renderer = Renderer::new(gpu(), 64 << 20);
    let mut mask = Mask::filled(ImageSize::new(600, 400), 1);
    mask.set_rect(PixelRect::new(250, 100, 20, 1), &[2; 20]);
    let mut palette = [[0; 4]; 256];
    palette[1] = [255, 0, 0, 255];
    palette[2] = [0, 0, 255, 255];
    let camera = Camera {
        center: ImagePoint::new(260.0, 100.0),
        scale: 1.0,
    };
    let offscreen = Offscreen::new(&gpu(), SIZE).expect("small");
    let mut draw = |mask: &Mask| {
        let levels = std::cell::RefCell::new(MaskLevels::new(mask.size()));
        let tile = |key: TileKey| -> MaskTile { levels.borrow_mut().tile(mask, key) };
        let view = MaskView {
            source: SourceId(7),
            size: mask.size(),
            tile: &tile,
            palette,
            look: orthobrush::render::MaskLook::Fill,
        };
        let scene = PaneScene {
            canvas: CANVAS,
            camera,
            image: None,
            masks: vec![view],
            comparison: None,
        };
        renderer.begin_frame();
        let (draw, wants) = renderer.prepare(&scene);
        assert!(wants.is_empty());
        let drawn = offscreen
            .picture(&[(0, SIZE.width, draw)], BLACK)
            .expect("a picture");
        let at = |x: usize, y: usize| {
            let from = (y * SIZE.width as usize + x) * 4;
            [drawn[from], drawn[from + 1], drawn[from + 2]]
        };
        // The canvas shows the mask from (110, 0).
        [
            at(139, 100),
            at(140, 100),
            at(159, 100),
            at(160, 100),
            at(150, 101),
        ]
    };
    assert_eq!(draw(&mask), [RED, BLUE, BLUE, RED, RED]);
}

#[test]
fn an_edit_reaches_the_card_by_its_dirty_rectangle() {
    let _turn = turn();
    let mut renderer = Renderer::new(gpu(), 64 << 20);
    let mut mask = Mask::filled(ImageSize::new(256, 256), 1);
    mask.set_rect(PixelRect::new(0, 0, 1, 1), &[2]);
    let mut palette = [[0; 4]; 256];
    palette[1] = [255, 0, 0, 255];
    palette[2] = [0, 0, 255, 255];
    let center = ImagePoint::new(128.0, 128.0);
    let camera = Camera { center, scale: 1.0 };
    let offscreen = Offscreen::new(&gpu(), ImageSize::new(256, 256)).expect("small");
    let blue_pixels = |renderer: &mut Renderer, mask: &Mask| {
        let tile = |key: TileKey| mask.tile(key.col, key.row).clone();
        let view = MaskView {
            source: SourceId(7),
            size: mask.size(),
            tile: &tile,
            palette,
            look: orthobrush::render::MaskLook::Fill,
        };
        let canvas = ScreenSize::new(256.0, 256.0);
        let scene = PaneScene {
            canvas,
            camera,
            image: None,
            masks: vec![view],
            comparison: None,
        };
        renderer.begin_frame();
        let (draw, _) = renderer.prepare(&scene);
        let drawn = offscreen
            .picture(&[(0, 256, draw)], BLACK)
            .expect("a picture");
        drawn
            .chunks_exact(4)
            .filter(|pixel| pixel[2] == 255)
            .count()
    };
    assert_eq!(blue_pixels(&mut renderer, &mask), 1);
    let changed = PixelRect::new(100, 50, 30, 40);
    mask.set_rect(changed, &[2; 30 * 40]);
    assert_eq!(
        blue_pixels(&mut renderer, &mask),
        1,
        "the card has not been told"
    );
    renderer.mask_changed(SourceId(7), mask.size(), changed);
    assert_eq!(blue_pixels(&mut renderer, &mask), 1 + 30 * 40);
}

#[test]
fn errors_are_colored_by_class_and_follow_the_brush() {
    let _turn = turn();
    let mut renderer = Renderer::new(gpu(), 64 << 20);
    let size = ImageSize::new(4, 2);
    let [mut truth, mut predicted] = [(); 2].map(|()| Mask::filled(size, 0));
    truth.set_rect(size.bounds(), &[1, 1, 0, 0, 255, 2, 2, 1]);
    predicted.set_rect(size.bounds(), &[1, 0, 1, 0, 1, 2, 0, 255]);
    let colors = VerdictColors {
        agreed: [10, 0, 0, 255],
        found: [20, 0, 0, 255],
        invented: [30, 0, 0, 255],
        missed: [40, 0, 0, 255],
        different: [50, 0, 0, 255],
    };
    let offscreen = Offscreen::new(&gpu(), size).expect("small");
    let drawn = |renderer: &mut Renderer, truth: &Mask, looked: Looked| -> Vec<u8> {
        let of_truth = |key: TileKey| truth.tile(key.col, key.row).clone();
        let of_predicted = |key: TileKey| predicted.tile(key.col, key.row).clone();
        let scene = PaneScene {
            canvas: ScreenSize::new(4.0, 2.0),
            camera: Camera {
                center: ImagePoint::new(2.0, 1.0),
                scale: 1.0,
            },
            image: None,
            masks: Vec::new(),
            comparison: Some(ComparisonView {
                truth: MaskTiles {
                    source: SourceId(7),
                    tile: &of_truth,
                },
                predicted: MaskTiles {
                    source: SourceId(8),
                    tile: &of_predicted,
                },
                size,
                looked,
                colors,
            }),
        };
        renderer.begin_frame();
        let (draw, _) = renderer.prepare(&scene);
        let picture = (offscreen.picture(&[(0, 4, draw)], BLACK)).expect("a picture");
        picture.chunks_exact(4).map(|pixel| pixel[0]).collect()
    };
    // Unlabeled and unpredicted ground has no verdict.
    let pair = |truth, predicted| Looked::Pair { truth, predicted };
    for (looked, expected) in [
        (Looked::Class(1), [20, 40, 30, 10, 0, 10, 10, 0]),
        (Looked::All, [10, 50, 50, 10, 0, 10, 50, 0]),
        (pair(1, 0), [10, 50, 10, 10, 0, 10, 10, 0]),
        (pair(1, 1), [20, 10, 10, 10, 0, 10, 10, 0]),
    ] {
        assert_eq!(drawn(&mut renderer, &truth, looked), expected);
    }
    let stroke = PixelRect::new(2, 0, 1, 1);
    truth.set_rect(stroke, &[1]);
    renderer.mask_changed(SourceId(7), size, stroke);
    assert_eq!(drawn(&mut renderer, &truth, Looked::Class(1))[2], 20);
}
