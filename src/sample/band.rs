use rayon::prelude::*;

use super::canvas::{Canvas, UNLABELED, speck};
use super::noise::Draw;
use super::paint_ground::paint_ground;
use super::paint_road::{RoadField, paint_roads};
use super::paint_tree::paint_trees;
use super::paint_village::{paint_buildings, paint_plots};
use super::road::CELL;
use super::world::World;

/// Columns and rows painted as one piece of work.
const BLOCK: u32 = 256;
const BLOCK_ROWS: u32 = 256;

/// Some whole rows of a landscape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Red, green and blue of each pixel.
    pub rgb: Vec<u8>,
    /// The true class of each pixel.
    pub truth: Vec<u8>,
    /// The class that a hasty person would have drawn, 255 where nobody has drawn yet.
    pub hasty: Vec<u8>,
}

/// Paints `rows` whole rows of `width` pixels from row `y0` on.
///
/// The pixels depend on the world alone, never on how the rows are cut into bands.
pub fn paint_band(world: &World, y0: u32, rows: u32, width: u32) -> Band {
    let count = width as usize * rows as usize;
    let mut band = Band {
        rgb: vec![0; count * 3],
        truth: vec![0; count],
        hasty: vec![UNLABELED; count],
    };
    let pieces: Vec<(u32, u32)> = (0..rows)
        .step_by(BLOCK_ROWS as usize)
        .flat_map(|row| {
            (0..width)
                .step_by(BLOCK as usize)
                .map(move |col| (col, row))
        })
        .collect();
    let painted: Vec<((u32, u32), u32, Band)> = pieces
        .into_par_iter()
        .map(|(col, row)| {
            let wide = BLOCK.min(width - col);
            let high = BLOCK_ROWS.min(rows - row);
            (
                (col, row),
                wide,
                paint_block(world, (col, y0 + row), (wide, high)),
            )
        })
        .collect();
    for ((col, row), wide, piece) in painted {
        let wide = wide as usize;
        for (line, classes) in piece.truth.chunks_exact(wide).enumerate() {
            let to = (row as usize + line) * width as usize + col as usize;
            let from = line * wide;
            band.truth[to..to + wide].copy_from_slice(classes);
            band.hasty[to..to + wide].copy_from_slice(&piece.hasty[from..from + wide]);
            band.rgb[to * 3..(to + wide) * 3]
                .copy_from_slice(&piece.rgb[from * 3..(from + wide) * 3]);
        }
    }
    band
}

fn paint_block(world: &World, (col, row): (u32, u32), (width, height): (u32, u32)) -> Band {
    let mut canvas = Canvas::new(
        col as i32 - 1,
        row as i32 - 1,
        width as usize + 2,
        height as usize + 2,
    );
    let scene = world.scene(&canvas.bounds());
    let roads = RoadField::measure(&mut canvas, &scene.segments);
    paint_ground(&mut canvas, &scene, &roads);
    paint_plots(&mut canvas, &scene);
    paint_roads(&mut canvas, &scene, &roads);
    paint_buildings(&mut canvas, &scene);
    paint_trees(&mut canvas, &scene);
    develop(&canvas, world)
}

/// From light to bytes: the blur of the lens, the cast of the flight and the noise of the sensor.
fn develop(canvas: &Canvas, world: &World) -> Band {
    let (width, height) = (canvas.width - 2, canvas.height - 2);
    let count = width * height;
    let mut band = Band {
        rgb: Vec::with_capacity(count * 3),
        truth: Vec::with_capacity(count),
        hasty: Vec::with_capacity(count),
    };
    for line in 1..=height {
        for column in 1..=width {
            let index = line * canvas.width + column;
            let (x, y) = canvas.pixel(index);
            let noise = 1.7 * (speck(61, x, y) + speck(62, x, y));
            for channel in 0..3 {
                let value = blurred(canvas, index, channel) * world.cast[channel];
                let own = 1.1 * speck(63 + channel as u32, x, y);
                band.rgb
                    .push((value + noise + own + 0.5).clamp(0.0, 255.0) as u8);
            }
            band.truth.push(canvas.truth[index]);
            let is_left_out = is_unlabeled(world.seed, x, y);
            band.hasty.push(if is_left_out {
                UNLABELED
            } else {
                canvas.hasty[index]
            });
        }
    }
    band
}

fn blurred(canvas: &Canvas, index: usize, channel: usize) -> f32 {
    let at = |i: usize| canvas.color[i][channel];
    let (up, down) = (index - canvas.width, index + canvas.width);
    0.52 * at(index) + 0.12 * (at(index - 1) + at(index + 1) + at(up) + at(down))
}

/// Whether nobody has labeled pixel (x, y): one rectangle in every cell.
fn is_unlabeled(seed: u64, x: i32, y: i32) -> bool {
    let side = CELL as i32;
    let (cx, cy) = (x.div_euclid(side), y.div_euclid(side));
    let mut draw = Draw::at(seed ^ 0x0BAD, cx, cy);
    let (width, height) = (draw.between(150.0, 270.0), draw.between(150.0, 250.0));
    let left = draw.between(0.0, CELL - width);
    let top = draw.between(0.0, CELL - height);
    let (u, v) = (x.rem_euclid(side) as f32, y.rem_euclid(side) as f32);
    u >= left && u < left + width && v >= top && v < top + height
}
