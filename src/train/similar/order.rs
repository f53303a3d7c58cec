use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use burn::tensor::{Device, Tensor, TensorData};

use super::index::{CHANNELS, FeatureIndex, STAGE, STRIDE};
use super::store::FeatureStore;
use crate::dataset::{MirroredWindow, Scene};
use crate::geom::PixelRect;
use crate::job::JobContext;
use crate::label::Mask;
use crate::nn::{FrozenLite0, Lite0};
use crate::raster::{FilePrint, TileSource};
use crate::train::TrainError;
use crate::train::batch::numbers;

/// Side in pixels of what is looked at together: a multiple of every cell's side up to 256.
const BLOCK: u32 = 768;
/// Pixels around a block that are looked at along with it.
const MARGIN: u32 = 64;
/// Bytes of decoded tiles of the image.
const DECODED_BYTES: usize = 48 << 20;

/// The image that is to be looked at as a whole.
pub struct SimilarOrder {
    /// Its pixels.
    pub source: Arc<dyn TileSource>,
    /// Where it is found again what was seen before.
    pub kept: Option<KeptLooks>,
}

/// Where what an image looks like is kept.
pub struct KeptLooks {
    /// The folder.
    pub store: FeatureStore,
    /// The image's file.
    pub image: PathBuf,
    /// The time.
    pub now: SystemTime,
}

/// What looking at an image says.
#[derive(Debug)]
pub enum SimilarEvent {
    /// Share of the image that was looked at, 0 to 1.
    Progress(f32),
    /// What the image looks like; comes last.
    Index(Arc<FeatureIndex>),
}

/// Finds what was seen of an image before, else looks at it and keeps what is seen.
pub(in crate::train) fn run(
    order: SimilarOrder,
    job: &JobContext<SimilarEvent>,
) -> anyhow::Result<()> {
    let size = order.source.info().size;
    // A file that has no print, as a folder of tiles, is looked at each time.
    let print = |kept: KeptLooks| Some((FilePrint::of(&kept.image).ok()?, kept));
    let kept = order.kept.and_then(print);
    let known = kept
        .as_ref()
        .and_then(|(print, kept)| kept.store.find(print, size, kept.now));
    if let Some(index) = known {
        return Ok(job.tell(SimilarEvent::Index(Arc::new(index)))?);
    }
    let index = Arc::new(look(order.source, job)?);
    job.tell(SimilarEvent::Index(Arc::clone(&index)))?;
    if let Some((print, kept)) = kept
        && let Err(error) = kept.store.keep(&print, &index, kept.now)
    {
        tracing::warn!("What the image looks like cannot be kept: {error}");
    }
    Ok(())
}

/// Looks at an image, block by block.
fn look(
    source: Arc<dyn TileSource>,
    job: &JobContext<SimilarEvent>,
) -> anyhow::Result<FeatureIndex> {
    let size = source.info().size;
    let mut index = FeatureIndex::new(size);
    let scene = Scene::tiled(String::new(), source, Mask::new(size), DECODED_BYTES);
    let device = Device::flex();
    let encoder = Lite0::new(3, &device).frozen();
    let block = BLOCK.next_multiple_of(index.step());
    let [across, down] = [size.width, size.height].map(|side| side.div_ceil(block));
    for at in 0..across * down {
        job.check()?;
        let corner = (at % across * block, at / across * block);
        let part = PixelRect::new(corner.0, corner.1, block, block);
        let window = Window::read(&scene, corner, block)?;
        let features = window.features(&encoder, &device)?;
        index.note(part.intersect(size.bounds()), |cell, sum| {
            window.add(&features, cell, sum)
        });
        job.tell(SimilarEvent::Progress(
            (at + 1) as f32 / (across * down) as f32,
        ))?;
    }
    index.finish();
    Ok(index)
}

/// The pixels of a block and around it.
struct Window {
    /// Where the block begins.
    corner: (u32, u32),
    side: usize,
    rgba: Vec<u8>,
}

impl Window {
    fn read(scene: &Scene, corner: (u32, u32), block: u32) -> Result<Self, TrainError> {
        let side = (block + 2 * MARGIN).next_multiple_of(32);
        let start = |at: u32| i64::from(at) - i64::from(MARGIN);
        Ok(Self {
            corner,
            side: side as usize,
            rgba: scene.read_window(MirroredWindow {
                x: start(corner.0),
                y: start(corner.1),
                side,
            })?,
        })
    }

    /// The encoder's map of the window, by channel and row.
    fn features(&self, encoder: &FrozenLite0, device: &Device) -> Result<Vec<f32>, TrainError> {
        let planes = (0..3).flat_map(|color| self.rgba.iter().skip(color).step_by(4));
        let planes = planes.map(|&value| (f32::from(value) - Lite0::CENTER) / Lite0::SPREAD);
        let shape = [1, 3, self.side, self.side];
        let images: Tensor<4> =
            Tensor::from_data(TensorData::new(planes.collect::<Vec<f32>>(), shape), device);
        let map = encoder.first_features(images, STAGE + 1).pop();
        numbers(map.expect("as many maps as stages"))
    }

    /// Adds the vectors of the encoder's cells in `cell` that have data to `sum`, and counts them.
    fn add(&self, features: &[f32], cell: PixelRect, sum: &mut [f32; CHANNELS]) -> usize {
        let wide = self.side / STRIDE as usize;
        let place = |at: u32, corner: u32| ((at - corner + MARGIN) / STRIDE) as usize;
        let mut count = 0;
        for y in (cell.y..cell.bottom()).step_by(STRIDE as usize) {
            for x in (cell.x..cell.right()).step_by(STRIDE as usize) {
                let (col, row) = (place(x, self.corner.0), place(y, self.corner.1));
                if self.is_void(col, row) {
                    continue;
                }
                count += 1;
                for (sum, channel) in sum.iter_mut().zip(features.chunks_exact(wide * wide)) {
                    *sum += channel[row * wide + col];
                }
            }
        }
        count
    }

    /// Whether most of one of the encoder's cells has no data.
    fn is_void(&self, col: usize, row: usize) -> bool {
        let stride = STRIDE as usize;
        let rows = (0..stride).map(|y| ((row * stride + y) * self.side + col * stride) * 4);
        let void = rows.map(|first| {
            let pixels = self.rgba[first..first + stride * 4].chunks_exact(4);
            pixels.filter(|pixel| pixel[3] == 0).count()
        });
        void.sum::<usize>() * 2 > stride * stride
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::geom::ImageSize;
    use crate::job::{JobEvent, Waker};
    use crate::label::Selection;
    use crate::raster::open_raster;
    use crate::train::Engine;

    const HOUSES: [(u32, u32); 5] = [(96, 96), (320, 80), (500, 300), (180, 400), (640, 180)];

    /// Uneven green ground with red squares on it.
    fn village() -> image::RgbaImage {
        let is_house = |x: u32, y: u32| {
            let is_in = |&(left, top): &(u32, u32)| {
                (left..left + 32).contains(&x) && (top..top + 32).contains(&y)
            };
            HOUSES.iter().any(is_in)
        };
        image::RgbaImage::from_fn(768, 512, |x, y| {
            let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 7 & 31;
            let noise = noise as u8;
            let color = if is_house(x, y) {
                [170 + noise, 60, 50]
            } else {
                [60 + noise, 100 + noise + (x / 12) as u8, 50]
            };
            let has_data = y < 480;
            image::Rgba([color[0], color[1], color[2], if has_data { 255 } else { 0 }])
        })
    }

    /// What the picture at `path` looks like, and what was told while it was looked at.
    fn looked_at(path: &Path, store: Option<&FeatureStore>) -> (FeatureIndex, Vec<f32>) {
        let source = open_raster(path).expect("opens");
        let kept = store.map(|store| KeptLooks {
            store: store.clone(),
            image: path.to_owned(),
            now: SystemTime::UNIX_EPOCH,
        });
        let engine = Engine::start().expect("a thread");
        let job = engine.look_over(SimilarOrder { source, kept }, Waker::none());
        let (mut index, mut shares) = (None, Vec::new());
        while let Some(event) = job.next_within(std::time::Duration::from_mins(2)) {
            match event {
                JobEvent::Said(SimilarEvent::Progress(share)) => shares.push(share),
                JobEvent::Said(SimilarEvent::Index(done)) => index = Some(done),
                JobEvent::Finished => break,
                ended => panic!("{ended:?}"),
            }
        }
        (Arc::unwrap_or_clone(index.expect("an index")), shares)
    }

    #[test]
    fn one_house_shows_where_the_others_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("village.png");
        village().save(&path).expect("written");
        let store = FeatureStore::new(&folder.path().join("kept"), 1 << 20);
        let (index, shares) = looked_at(&path, Some(&store));
        assert_eq!(
            (index.size(), shares),
            (ImageSize::new(768, 512), vec![1.0])
        );
        let (again, shares) = looked_at(&path, Some(&store));
        assert!(
            again == index && shares.is_empty(),
            "it is not looked at twice"
        );
        let [(x, y), others @ ..] = HOUSES;
        let shown = Selection::of_rect(PixelRect::new(x, y, 32, 32));
        let found = index.alike(&shown, others.len());
        let is_found = |&(x, y): &(u32, u32)| {
            let house = PixelRect::new(x, y, 32, 32);
            found.iter().any(|it| !it.rect.intersect(house).is_empty())
        };
        assert!(others.iter().all(is_found), "{found:?}");
        let in_the_void = Selection::of_rect(PixelRect::new(64, 484, 64, 24));
        assert_eq!(index.alike(&in_the_void, 3), []);
    }
}
