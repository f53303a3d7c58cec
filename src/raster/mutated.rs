//! Small files of every format, damaged at random from a seed: each ends in pixels or in an error.
//!
//! Runs for some seconds, longer where `ORTHOBRUSH_FUZZ_SECONDS` says so; `ORTHOBRUSH_FUZZ_SEED`
//! begins elsewhere. What fails is named by its format and number, which together with the seed
//! say which bytes it had.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::layers::held_bands;
use super::open_raster;
use super::source::TileSource;
use crate::geom::PixelRect;

const USUAL_SECONDS: u64 = 6;
const USUAL_SEED: u64 = 20_261_122;
/// Nothing that is read here takes long; a guard against loops that do not end.
const LONGEST: Duration = Duration::from_secs(30);

/// Numbers that headers trip over.
const AWKWARD: [u32; 10] = [
    0,
    1,
    2,
    0x7F,
    0xFF,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
];

/// Random numbers (xorshift64*).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }
}

/// Changes one to eight things in a file.
fn damage(file: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(8) {
        let len = file.len();
        if len < 8 {
            return;
        }
        let at = dice.below(len - 4);
        let awkward = AWKWARD[dice.below(AWKWARD.len())];
        match dice.below(8) {
            0 => file[at] ^= 1 << dice.below(8),
            1 => file[at] = dice.next() as u8,
            2 => file[at..at + 4].copy_from_slice(&awkward.to_le_bytes()),
            3 => file[at..at + 4].copy_from_slice(&awkward.to_be_bytes()),
            4 => file[at..at + 2].copy_from_slice(&(awkward as u16).to_le_bytes()),
            5 => {
                let end = (at + dice.below(64)).min(len);
                file[at..end].fill(awkward as u8);
            }
            6 => {
                let from = dice.below(len - 4);
                let span = dice.below(64).min(len - at.max(from));
                file.copy_within(from..from + span, at);
            }
            _ => file.truncate(at.max(8)),
        }
    }
}

/// Reads what a viewer and a checksum would.
fn look_at(source: &dyn TileSource) {
    let info = source.info();
    let window = PixelRect::new(0, 0, 400, 400);
    let bands = held_bands(source.tile_bands(), &source.color_bands());
    for (stored, size) in info.level_sizes.iter().enumerate().take(4) {
        let rect = window.intersect(size.bounds());
        drop(source.read_rgba(stored, rect));
        drop(source.read_tile(stored, rect, &bands));
    }
    let rect = window.intersect(info.size.bounds());
    drop(source.tile_samples(&bands));
    drop(source.read_index(rect));
    drop(source.read_wide(rect));
    for band in 0..info.bands.min(4) {
        drop(source.read_values(rect, band));
    }
}

fn seeds(folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds: Vec<(&str, Vec<u8>)> = super::tiff::made_files()
        .into_iter()
        .map(|file| ("tif", file))
        .collect();
    seeds.push(("j2k", super::jp2::made_file()));
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 40, 30);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Sixteen);
    let mut writer = encoder.write_header().expect("a header");
    let samples: Vec<u8> = (0..40 * 30 * 6).map(|at| (at * 7 % 251) as u8).collect();
    writer.write_image_data(&samples).expect("pixels");
    writer.finish().expect("a file");
    seeds.push(("png", png));
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 80);
    let colors = jpeg_encoder::ColorType::Rgb;
    encoder
        .encode(&samples[..40 * 30 * 3], 40, 30, colors)
        .expect("a file");
    seeds.push(("jpg", jpeg));
    let part = folder.join("part.tif");
    crate::disk::replace_file(&part, &super::tiff::made_files()[0]).expect("a part");
    let vrt = "<VRTDataset rasterXSize=\"60\" rasterYSize=\"40\">\n<GeoTransform>2, 1, 0, 9, 0, -1</GeoTransform>\n\
         <VRTRasterBand dataType=\"Byte\" band=\"1\"><NoDataValue>7</NoDataValue>\n<SimpleSource>\
         <SourceFilename relativeToVRT=\"1\">part.tif</SourceFilename><SourceBand>1</SourceBand>\n\
         <SrcRect xOff=\"0\" yOff=\"0\" xSize=\"9\" ySize=\"9\"/>\
         <DstRect xOff=\"5.5\" yOff=\"3\" xSize=\"30\" ySize=\"20\"/></SimpleSource>\n\
         </VRTRasterBand></VRTDataset>\n";
    seeds.push(("vrt", vrt.as_bytes().to_vec()));
    seeds
}

#[test]
fn damaged_files_of_every_format_end_in_pixels_or_an_error() {
    let number = |name: &str, usual: u64| {
        let said = std::env::var(name).ok().and_then(|text| text.parse().ok());
        said.unwrap_or(usual)
    };
    let seconds = number("ORTHOBRUSH_FUZZ_SECONDS", USUAL_SECONDS);
    let mut dice = Dice(number("ORTHOBRUSH_FUZZ_SEED", USUAL_SEED) | 1);
    let folder = tempfile::tempdir().expect("a folder");
    let seeds = seeds(folder.path());
    let began = Instant::now();
    let mut tried = 0_u64;
    while began.elapsed() < Duration::from_secs(seconds) {
        let (ending, seed) = &seeds[tried as usize % seeds.len()];
        let mut file = seed.clone();
        if tried >= seeds.len() as u64 {
            damage(&mut file, &mut dice);
        }
        let path: PathBuf = folder.path().join(format!("damaged.{ending}"));
        let written = File::create(&path).and_then(|mut to| to.write_all(&file));
        written.expect("written");
        let start = Instant::now();
        match open_raster(&path) {
            Ok(source) => look_at(&*source),
            Err(error) => assert!(
                tried >= seeds.len() as u64,
                "a sound {ending} does not open: {error}"
            ),
        }
        assert!(
            start.elapsed() < LONGEST,
            "file {tried} ({ending}) takes too long"
        );
        tried += 1;
    }
    assert!(tried > seeds.len() as u64, "there was time for no damage");
}
