//! Strongly varied training patches from a large JPEG-compressed `GeoTIFF`, one thread, beside
//! albumentations and rasterio on the same files, round by round in turn, so that whatever else
//! the machine does falls on both.
//!
//! `cargo bench --bench loading`; `PYTHON` names an interpreter that has albumentations and
//! rasterio. Without one only our own time is printed.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use orthobrush::dataset::parts::PartRule;
use orthobrush::dataset::{
    Augment, Bands, Ground, PatchConfig, PatchSource, PixelSize, RareClasses, Scene,
};
use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::label::Mask;
use orthobrush::raster::{Compression, Overviews, PixelKind, TiffOptions, TiffWriter, open_raster};
use orthobrush::sample::{World, paint_band};

const ROUNDS: u64 = 9;
const PATCHES: u64 = 200;
const SIDE: u32 = 256;
/// Holds the whole image decoded, on either side.
const CACHE_MIB: usize = 512;
const BAND_ROWS: u32 = 500;

fn main() {
    // `cargo test --benches` asks for a run that only shows that it works.
    let is_measuring = std::env::args().any(|arg| arg == "--bench");
    let (size, rounds, patches) = if is_measuring {
        (ImageSize::new(9_500, 9_000), ROUNDS, PATCHES)
    } else {
        (ImageSize::new(1_536, 1_536), 1, 4)
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = Files::written(folder.path(), size);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.expect("a pool of one thread");
    pool.install(|| compare(&files, rounds, patches));
}

fn compare(files: &Files, rounds: u64, patches: u64) {
    println!("{patches} patches of {SIDE} x {SIDE} a round, one thread");
    let strong = files.source(Augment::strong());
    let still = files.source(Augment::None);
    let mut peer = Peer::start(files, patches);
    // Most tiles are decoded in the first rounds, by either.
    let cold = [
        seconds(&strong, 0, patches),
        peer.as_mut().map_or(0.0, Peer::round),
    ];
    let (mut own, mut plain, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        own.push(seconds(&strong, round, patches));
        plain.push(seconds(&still, round, patches));
        other.extend(peer.as_mut().map(Peer::round));
    }
    let rate = |seconds: f64| patches as f64 / seconds;
    let own = median(&mut own);
    println!(
        "  Orthobrush, strong:    {:.0} patches/s (first round {:.0})",
        rate(own),
        rate(cold[0])
    );
    println!(
        "  Orthobrush, none:      {:.0} patches/s",
        rate(median(&mut plain))
    );
    if !other.is_empty() {
        let other = median(&mut other);
        println!(
            "  Python, strong:        {:.0} patches/s (first round {:.0})",
            rate(other),
            rate(cold[1])
        );
        println!("  ratio:                 {:.2}", other / own);
    }
}

fn seconds(source: &PatchSource, epoch: u64, patches: u64) -> f64 {
    let began = Instant::now();
    for index in 0..patches {
        let patch = source.patch(1, epoch, index).expect("a patch");
        assert_eq!(patch.labels.len(), (SIDE * SIDE) as usize);
    }
    began.elapsed().as_secs_f64()
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A landscape and its classes.
struct Files {
    image: PathBuf,
    mask: PathBuf,
    labels: Mask,
}

impl Files {
    fn written(folder: &Path, size: ImageSize) -> Self {
        let (image, mask) = (folder.join("ortho.tif"), folder.join("label.tif"));
        let jpeg = TiffOptions {
            compression: Compression::Jpeg { quality: 85 },
            overviews: Overviews::None,
            tile: 256,
            ..TiffOptions::new(size, PixelKind::Rgb)
        };
        let index = TiffOptions {
            overviews: Overviews::None,
            ..TiffOptions::new(size, PixelKind::Index { palette: None })
        };
        let mut pixels = TiffWriter::create(&image, jpeg).expect("an image");
        let mut classes = TiffWriter::create(&mask, index).expect("a mask");
        let mut labels = Mask::new(size);
        let world = World::new(1);
        for y in (0..size.height).step_by(BAND_ROWS as usize) {
            let rows = BAND_ROWS.min(size.height - y);
            let band = paint_band(&world, y, rows, size.width);
            pixels.write_rows(&band.rgb).expect("rows");
            classes.write_rows(&band.truth).expect("rows");
            labels.set_rect(PixelRect::new(0, y, size.width, rows), &band.truth);
        }
        pixels.finish().expect("an image");
        classes.finish().expect("a mask");
        Self {
            image,
            mask,
            labels,
        }
    }

    fn source(&self, augment: Augment) -> PatchSource {
        let raster = open_raster(&self.image).expect("an image");
        let labels = self.labels.clone();
        let scene = Scene::tiled("bench".to_owned(), raster, labels, CACHE_MIB << 20);
        let num_classes = (0..255_u8)
            .rfind(|&class| self.labels.histogram()[usize::from(class)] > 0)
            .map_or(0, |class| usize::from(class) + 1);
        let config = PatchConfig {
            seed: 1,
            side: SIDE,
            num_classes,
            augment,
            parts: PartRule::default(),
            keep: None,
            rare: RareClasses::default(),
            pixel_size: PixelSize::Auto,
            bands: Bands::Color,
        };
        PatchSource::new(Ground::Image(Arc::new(scene)), config).expect("a source")
    }
}

/// The same in another process.
struct Peer {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start(files: &Files, patches: u64) -> Option<Self> {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let numbers = [u64::from(SIDE), patches, CACHE_MIB as u64];
        let mut process = Command::new(&python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/loading.py"))
            .args([&files.image, &files.mask])
            .args(numbers.map(|number| number.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut answers = BufReader::new(process.stdout.take()?);
        let mut line = String::new();
        answers.read_line(&mut line).ok()?;
        let versions = line.strip_prefix("ready ")?;
        println!("  albumentations, rasterio {}", versions.trim());
        Some(Self { process, answers })
    }

    fn round(&mut self) -> f64 {
        let stdin = self.process.stdin.as_mut().expect("a pipe");
        stdin.write_all(b"\n").expect("a line");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        line.trim().parse().expect("seconds")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Without its input it ends by itself.
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}
