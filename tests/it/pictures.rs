//! The tile pipeline on a headless adapter: what is drawn is what the file holds.

use std::sync::Arc;

use orthobrush::geom::{Camera, ImagePoint, ImageSize, PixelRect, ScreenSize, TileKey};
use orthobrush::label::{Mask, MaskLevels, MaskTile};
use orthobrush::raster::{Pyramid, TileCache, open_raster};
use orthobrush::render::{
    ComparisonView, ImageTiles, MaskTiles, MaskView, Offscreen, PaneDraw, PaneScene, Renderer,
    SourceId, VerdictColors,
};

use crate::fixture::{gpu, sample, turn};

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
    let offscreen = Offscreen::new(&gpu(), SIZE);
    let drawn = offscreen
        .picture(&[(0, SIZE.width, draw)], BLACK)
        .expect("a picture");
    let source = open_raster(&sample().ortho).expect("the sample opens");
    let expected = source.read_rgba(0, rect).expect("pixels");
    assert!(drawn == expected, "the picture differs from the file");
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
    let offscreen = Offscreen::new(&gpu(), SIZE);
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
    let offscreen = Offscreen::new(&gpu(), SIZE);
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
    let offscreen = Offscreen::new(&gpu(), ImageSize::new(256, 256));
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
    let mut truth = Mask::filled(size, 0);
    truth.set_rect(size.bounds(), &[1, 1, 0, 0, 255, 2, 2, 1]);
    let mut predicted = Mask::filled(size, 0);
    predicted.set_rect(size.bounds(), &[1, 0, 1, 0, 1, 2, 0, 255]);
    let colors = VerdictColors {
        agreed: [10, 0, 0, 255],
        found: [20, 0, 0, 255],
        invented: [30, 0, 0, 255],
        missed: [40, 0, 0, 255],
        different: [50, 0, 0, 255],
    };
    let offscreen = Offscreen::new(&gpu(), size);
    let drawn = |renderer: &mut Renderer, truth: &Mask, class: Option<u8>| -> Vec<u8> {
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
                class,
                colors,
            }),
        };
        renderer.begin_frame();
        let (draw, _) = renderer.prepare(&scene);
        let picture = offscreen
            .picture(&[(0, 4, draw)], BLACK)
            .expect("a picture");
        picture.chunks_exact(4).map(|pixel| pixel[0]).collect()
    };
    // Unlabeled and unpredicted ground has no verdict.
    let of_one = [20, 40, 30, 10, 0, 10, 10, 0];
    assert_eq!(drawn(&mut renderer, &truth, Some(1)), of_one);
    assert_eq!(
        drawn(&mut renderer, &truth, None),
        [10, 50, 50, 10, 0, 10, 50, 0]
    );
    let stroke = PixelRect::new(2, 0, 1, 1);
    truth.set_rect(stroke, &[1]);
    renderer.mask_changed(SourceId(7), size, stroke);
    assert_eq!(drawn(&mut renderer, &truth, Some(1))[2], 20);
}
