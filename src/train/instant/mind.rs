use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use rayon::prelude::*;

use super::head::{Examples, Head};
use super::scribbles::Scribbles;
use super::seen::{BLOCK, MARGIN, Moments, SIDE, SeenTile, WINDOW};
use super::sight::{Level, Sight};
use super::store::{SeenTiles, TileAt};
use super::texture::color_maps;
use crate::dataset::{MirroredWindow, Scene};
use crate::geom::{ImageSize, PixelRect};
use crate::job::{Cancelled, JobContext};
use crate::label::{MASK_TILE_SIZE, Mask, UNLABELED};
use crate::nn::{FrozenLite0, Lite0};
use crate::raster::TileSource;
use crate::train::batch::{images_on, numbers};
use crate::train::{Certainty, TrainError};

/// Bytes of what was seen of tiles.
const SEEN_BYTES: usize = 256 << 20;
/// Bytes of decoded tiles of the image.
const DECODED_BYTES: usize = 48 << 20;

/// What is asked: the classes of some ground, from the labels there are.
pub struct InstantOrder {
    /// What is known from before; comes back as [`InstantEvent::Back`].
    pub mind: Box<InstantMind>,
    /// A number of the image; never that of another one.
    pub image: u64,
    /// The image.
    pub source: Arc<dyn TileSource>,
    /// The label as it is now.
    pub label: Mask,
    /// Who made it.
    pub origins: Mask,
    /// The ground, in level-0 pixels; whole tiles around it are answered.
    pub area: PixelRect,
    /// What says how sure an answer is.
    pub measures: Vec<Certainty>,
}

/// What an instant answer says.
#[derive(Debug)]
pub enum InstantEvent {
    /// The classes of one tile.
    Block {
        /// Its pixels, level 0.
        rect: PixelRect,
        /// Row by row; 255 where the image has no data.
        classes: Vec<u8>,
        /// How sure each pixel is by each measure of the order, 254 being certain.
        sure: Vec<(Certainty, Vec<u8>)>,
        /// See [`InstantReport::nearest`].
        nearest: Option<u32>,
    },
    /// Some of the ground is new and looked at now; may be lost.
    Looked {
        /// Tiles that are seen by now.
        tiles: usize,
        /// Tiles that are to be seen.
        of: usize,
    },
    /// All ground is answered, or why not.
    Ended(InstantReport),
    /// What is known now, for the next order; comes last, whatever happened.
    Back(Box<InstantMind>),
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InstantReport {
    /// Whether there is an answer.
    pub outcome: InstantOutcome,
    /// Classes that are labeled.
    pub num_classes: usize,
    /// Labeled pixels that count.
    pub num_pixels: u64,
    /// `None` when all labeled tiles count, so that the view plays no part in the answers. Of so
    /// many that only the nearest do, a number that tells these from others.
    pub nearest: Option<u32>,
    /// Windows that the encoder had to look at; 0 where all was seen before.
    pub looked_at: u64,
    /// Seconds from the order on.
    pub seconds: f64,
}

/// Whether there is an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstantOutcome {
    /// All ground that was asked for is answered.
    Answered,
    /// Fewer than two classes are labeled; the ground was looked at all the same, so that the first
    /// answer finds it seen.
    TooFewClasses,
}

/// What instant answers remember: the encoder, and what it saw.
///
/// It travels with each order and comes back, so that it is nobody's while it is used.
pub struct InstantMind {
    sight: Sight,
    levels: Vec<Level>,
    encoder: Option<FrozenLite0>,
    of: Option<(u64, Scene)>,
    tiles: SeenTiles,
    /// Windows looked at so far.
    looked_at: u64,
}

impl InstantMind {
    /// A mind that knows nothing yet.
    pub fn new(sight: Sight) -> Self {
        Self {
            sight,
            levels: sight.levels(),
            encoder: None,
            of: None,
            tiles: SeenTiles::new(SEEN_BYTES),
            looked_at: 0,
        }
    }

    /// Bytes of what it saw.
    pub const fn bytes_used(&self) -> usize {
        self.tiles.bytes()
    }

    /// Turns to an image; what was seen of another one is forgotten.
    fn turn_to(&mut self, image: u64, source: &Arc<dyn TileSource>) {
        if self.of.as_ref().is_none_or(|(known, _)| *known != image) {
            let nothing = Mask::new(source.info().size);
            let scene = Scene::tiled(String::new(), Arc::clone(source), nothing, DECODED_BYTES);
            self.of = Some((image, scene));
            self.tiles.clear();
        }
    }

    /// What is seen of a tile; if it is new, its block is looked at.
    fn seen(&mut self, at: TileAt) -> Result<Arc<SeenTile>, TrainError> {
        if let Some(tile) = self.tiles.get(at) {
            return Ok(tile);
        }
        let (_, scene) = self.of.as_ref().expect("an order turns to an image first");
        let size = scene.size();
        let tiles = [size.width, size.height].map(|side| side.div_ceil(MASK_TILE_SIZE));
        let block = (at.0 / BLOCK * BLOCK, at.1 / BLOCK * BLOCK);
        let corner = |index: u32| i64::from(index) * SIDE as i64 - MARGIN as i64;
        let rgba = scene.read_window(MirroredWindow {
            x: corner(block.0),
            y: corner(block.1),
            side: WINDOW as u32,
        })?;
        let maps = self.looked(&rgba)?;
        self.looked_at += 1;
        let around = (0..BLOCK).flat_map(|row| (0..BLOCK).map(move |col| (col, row)));
        let inside =
            around.filter(|(col, row)| block.0 + col < tiles[0] && block.1 + row < tiles[1]);
        // The one that was asked for comes last, so that it stays however little there is room for.
        let mut inside: Vec<TileAt> = inside.collect();
        inside.sort_by_key(|(col, row)| (block.0 + col, block.1 + row) == at);
        let cut = |&(col, row): &TileAt| {
            let pixel = |index: u32| MARGIN + index as usize * SIDE;
            let corner = (pixel(col), pixel(row));
            Arc::new(SeenTile::cut(&self.levels, &maps, &rgba, corner))
        };
        let tiles: Vec<Arc<SeenTile>> = inside.par_iter().map(cut).collect();
        for ((col, row), tile) in inside.into_iter().zip(tiles) {
            self.tiles.keep((block.0 + col, block.1 + row), tile);
        }
        Ok(self
            .tiles
            .get(at)
            .expect("a tile of the image was kept last"))
    }

    /// The maps of a window.
    fn looked(&mut self, rgba: &[u8]) -> Result<Vec<Vec<f32>>, TrainError> {
        let mut maps = color_maps(rgba, WINDOW);
        if self.sight == Sight::Pretrained {
            let device = Device::flex();
            let encoder = (self.encoder).get_or_insert_with(|| Lite0::new(3, &device).frozen());
            let planes = (0..3).flat_map(|color| rgba.iter().skip(color).step_by(4));
            let planes = planes.map(|&value| (f32::from(value) - Lite0::CENTER) / Lite0::SPREAD);
            let images = images_on(&device, planes.collect(), 1, WINDOW);
            let stages = self.levels.len() - maps.len();
            for map in encoder.first_features(images, stages) {
                maps.push(numbers(map)?);
            }
        }
        Ok(maps)
    }

    /// The head that the scribbles teach; `None` when they are of fewer than two classes.
    fn learned<E>(
        &mut self,
        scribbles: &Scribbles,
        job: &JobContext<E>,
    ) -> anyhow::Result<Option<Head>> {
        if scribbles.num_classes < 2 {
            return Ok(None);
        }
        let (mut examples, mut moments) = (Examples::default(), Moments::default());
        for (at, known) in &scribbles.tiles {
            job.check()?;
            let tile = self.seen(*at)?;
            tile.count(&mut moments);
            for known in known {
                let (x, y) = (usize::from(known.x), usize::from(known.y));
                tile.features_at(x, y, &mut examples.features);
                examples.classes.push(known.class);
            }
        }
        let head = Head::learned(&examples, (&moments, &self.levels), job.cancel_token());
        job.check()?;
        Ok(head)
    }
}

impl std::fmt::Debug for InstantMind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstantMind")
            .field("sight", &self.sight)
            .field("bytes", &self.bytes_used())
            .finish_non_exhaustive()
    }
}

/// Carries an order out and gives the mind back.
pub(in crate::train) fn run(
    order: InstantOrder,
    job: &JobContext<InstantEvent>,
) -> anyhow::Result<()> {
    let InstantOrder { mut mind, .. } = order;
    let asked = Asked {
        image: order.image,
        source: order.source,
        masks: [order.label, order.origins],
        area: order.area,
        measures: order.measures,
    };
    let ended = asked.answered_by(&mut mind, job);
    // It goes home from a cancelled order, too.
    let told = job.tell(InstantEvent::Back(mind));
    ended?;
    Ok(told?)
}

/// An order without its mind.
struct Asked {
    image: u64,
    source: Arc<dyn TileSource>,
    masks: [Mask; 2],
    area: PixelRect,
    measures: Vec<Certainty>,
}

impl Asked {
    fn answered_by(
        &self,
        mind: &mut InstantMind,
        job: &JobContext<InstantEvent>,
    ) -> anyhow::Result<()> {
        let (began, looked_at) = (Instant::now(), mind.looked_at);
        let size = self.source.info().size;
        mind.turn_to(self.image, &self.source);
        let tiles = tiles_outwards(self.area, size);
        let Some(&near) = tiles.first() else {
            return Ok(());
        };
        let [label, origins] = &self.masks;
        let scribbles = Scribbles::of(label, origins, near);
        let head = mind.learned(&scribbles, job)?;
        let head = head.map(|head| (head, scribbles.nearest));
        self.look(mind, &tiles, head.as_ref(), job)?;
        let outcome = match head {
            Some(_) => InstantOutcome::Answered,
            None => InstantOutcome::TooFewClasses,
        };
        job.tell(InstantEvent::Ended(InstantReport {
            outcome,
            num_classes: scribbles.num_classes,
            num_pixels: scribbles.num_pixels,
            nearest: scribbles.nearest,
            looked_at: mind.looked_at - looked_at,
            seconds: began.elapsed().as_secs_f64(),
        }))?;
        Ok(())
    }

    /// Answers the tiles by a head and what its scribbles are known by: first those that were seen
    /// before, then one after another.
    fn look(
        &self,
        mind: &mut InstantMind,
        tiles: &[TileAt],
        head: Option<&(Head, Option<u32>)>,
        job: &JobContext<InstantEvent>,
    ) -> anyhow::Result<()> {
        let tell = |at: TileAt, tile: &SeenTile| match head {
            Some(head) => job.tell(self.block(at, tile, head)),
            None => Ok(()),
        };
        let (known, new): (Vec<TileAt>, Vec<TileAt>) =
            tiles.iter().partition(|&&at| mind.tiles.has(at));
        let first = known.len();
        let known = known
            .into_iter()
            .filter_map(|at| Some((at, mind.tiles.get(at)?)));
        let known: Vec<(TileAt, Arc<SeenTile>)> = known.collect();
        (known.par_iter())
            .try_for_each(|(at, tile)| -> Result<(), Cancelled> { tell(*at, tile) })?;
        for (seen, at) in (first..).zip(new) {
            job.check()?;
            job.mention(InstantEvent::Looked {
                tiles: seen,
                of: tiles.len(),
            });
            let tile = mind.seen(at)?;
            tell(at, &tile)?;
        }
        Ok(())
    }

    fn block(
        &self,
        at: TileAt,
        tile: &SeenTile,
        (head, nearest): &(Head, Option<u32>),
    ) -> InstantEvent {
        let size = self.source.info().size;
        let rect = tile_rect(at, size);
        let logits = tile.logits(head);
        let area = SIDE * SIDE;
        let places = super::super::predict::greatest(&logits, area);
        let of_block = |said: &dyn Fn(usize) -> u8| -> Vec<u8> {
            let rows = 0..rect.height as usize;
            let pixels = rows.flat_map(|y| y * SIDE..y * SIDE + rect.width as usize);
            let said = |place| {
                if tile.is_void(place) {
                    UNLABELED
                } else {
                    said(place)
                }
            };
            pixels.map(said).collect()
        };
        let shares = vec![1.0; area];
        let measured = self.measures.iter().map(|measure| {
            let sure = measure.of(&logits, &shares, &places);
            (*measure, of_block(&|place| sure[place]))
        });
        InstantEvent::Block {
            rect,
            classes: of_block(&|place| head.classes()[usize::from(places[place])]),
            sure: measured.collect(),
            nearest: *nearest,
        }
    }
}

fn tile_rect(at: TileAt, size: ImageSize) -> PixelRect {
    let side = MASK_TILE_SIZE;
    PixelRect::new(at.0 * side, at.1 * side, side, side).intersect(size.bounds())
}

/// The tiles that touch `area` in an image of `size`, from its middle outwards.
fn tiles_outwards(area: PixelRect, size: ImageSize) -> Vec<TileAt> {
    let area = area.intersect(size.bounds());
    if area.is_empty() {
        return Vec::new();
    }
    let span = |from: u32, to: u32| from / MASK_TILE_SIZE..to.div_ceil(MASK_TILE_SIZE);
    let columns = span(area.x, area.right());
    let rows = span(area.y, area.bottom());
    let mut tiles: Vec<TileAt> = rows
        .flat_map(|row| columns.clone().map(move |col| (col, row)))
        .collect();
    // Twice the distance of a tile's middle from that of the area.
    let away = |index: u32, from: u32, to: u32| {
        let middle = (u64::from(index) * 2 + 1) * u64::from(MASK_TILE_SIZE);
        middle.abs_diff(u64::from(from) + u64::from(to)).pow(2)
    };
    tiles.sort_by_key(|&(col, row)| {
        let apart = away(col, area.x, area.right()) + away(row, area.y, area.bottom());
        (apart, row, col)
    });
    tiles
}
