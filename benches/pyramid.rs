//! `orthobrush pyramid` beside `vips tiffsave --pyramid` and `gdaladdo` on the same files:
//! `cargo bench --bench pyramid -- OUT [--large] [--image FILE]`. Then how soon the same files are
//! looked at, without overviews and with, beside `vips thumbnail`.
//!
//! A picture (FILE, else a made-up landscape) is repeated until it fills 9,500 × 9,000 pixels, with
//! `--large` 30,000 × 30,000 as well, in tiles of 512: as it is, by LZW and by JPEG of quality 89.
//! The disk's flushing is left out (`eatmydata`, where it is there) and the files were read before.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use orthobrush::geom::ImageSize;
use orthobrush::raster::{Compression, Overviews, PixelKind, TiffOptions, TiffWriter, open_raster};
use orthobrush::sample::{SampleConfig, write_sample};

const JPEG_QUALITY: u8 = 89;
/// Runs of each program; the fastest counts.
const RUNS: usize = 3;

/// What a program took.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
    megabytes: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let place = arguments.iter().position(|argument| argument == "--image");
    let image = place.and_then(|at| arguments.get(at + 1)).cloned();
    let is_folder = |word: &&String| !word.starts_with("--") && Some(*word) != image.as_ref();
    let Some(out) = arguments.iter().find(is_folder).map(PathBuf::from) else {
        println!("Name a folder to work in: cargo bench --bench pyramid -- OUT");
        return;
    };
    fs::create_dir_all(&out).expect("a folder");
    let image = image.map_or_else(|| landscape(&out), PathBuf::from);
    let mut sizes = vec![ImageSize::new(9_500, 9_000)];
    if arguments.iter().any(|argument| argument == "--large") {
        sizes.push(ImageSize::new(30_000, 30_000));
    }
    let mut looks = Vec::new();
    println!("| input | program | wall, s | CPU, s | memory, MB | times as long as Orthobrush |");
    println!("|---|---|---:|---:|---:|---:|");
    for size in sizes {
        for compression in [
            Compression::None,
            Compression::Lzw,
            Compression::Jpeg {
                quality: JPEG_QUALITY,
            },
        ] {
            compare(&out, &image, size, compression, &mut looks);
        }
    }
    println!();
    println!(
        "| input | first picture, ms | sharp, ms | vips thumbnail, ms | own work of a frame, 95 %, ms \
         | until a missed tile came, 95 %, ms | memory, MB |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for look in &looks {
        println!("{look}");
    }
}

/// How soon an image is looked at, and what looking costs, as a row.
fn looked_at(name: &str, path: &Path, out: &Path) -> String {
    let mut vips = timed("vips");
    vips.arg("thumbnail")
        .arg(path)
        .arg(out.join("small.jpg"))
        .arg("1024");
    let mut theirs = f64::INFINITY;
    let mut ours: Option<serde_json::Value> = None;
    let sharp = |report: &serde_json::Value| report["sharp_ms"].as_f64().unwrap_or(f64::INFINITY);
    for _ in 0..RUNS {
        theirs = cost(&mut vips).map_or(theirs, |cost| theirs.min(cost.wall * 1e3));
        let output = Command::new(env!("CARGO_BIN_EXE_orthobrush"))
            .args(["bench", "view", "--seconds", "5", "--json"])
            .arg(path)
            .output();
        let report = output
            .ok()
            .and_then(|output| serde_json::from_slice(&output.stdout).ok());
        let reports = [ours.take(), report].into_iter().flatten();
        ours = reports.min_by(|a, b| sharp(a).total_cmp(&sharp(b)));
    }
    drop(fs::remove_file(out.join("small.jpg")));
    let Some(report) = ours else {
        return format!("| {name} | not measured | | {theirs:.0} | | | |");
    };
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or(f64::NAN);
    // The first part of the path: actual pixels, one screen a second.
    let pan = &report["parts"][0];
    format!(
        "| {name} | {:.0} | {:.0} | {theirs:.0} | {:.1} | {:.0} | {:.0} |",
        number(&report["first_picture_ms"]),
        sharp(&report),
        number(&pan["frame_ms"][1]),
        number(&pan["wait_ms"][1]),
        number(&report["peak_mib"]) * 1.048_576,
    )
}

fn landscape(out: &Path) -> PathBuf {
    let config = SampleConfig {
        size: ImageSize::new(2_048, 2_048),
        seed: 1,
        has_overviews: false,
    };
    let paths = write_sample(out, &config, |_| std::ops::ControlFlow::Continue(()));
    paths.expect("a sample").ortho
}

/// Repeats an image until it fills `size`.
fn write_input(path: &Path, image: &Path, size: ImageSize, compression: Compression) {
    let source = open_raster(image).expect("an image");
    let (tile, bounds) = (source.info().size, source.info().size.bounds());
    let rgba = source.read_rgba(0, bounds).expect("pixels");
    let rgb: Vec<u8> = (rgba.chunks_exact(4))
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();
    let options = TiffOptions {
        compression,
        overviews: Overviews::None,
        ..TiffOptions::new(size, PixelKind::Rgb)
    };
    let mut writer = TiffWriter::create(path, options).expect("a file");
    let row_len = 3 * tile.width as usize;
    for y in 0..size.height {
        let row = &rgb[(y % tile.height) as usize * row_len..][..row_len];
        let row = row.iter().cycle().take(3 * size.width as usize);
        writer
            .write_rows(&row.copied().collect::<Vec<_>>())
            .expect("a row");
    }
    writer.finish().expect("a whole file");
}

fn compare(
    out: &Path,
    image: &Path,
    size: ImageSize,
    compression: Compression,
    looks: &mut Vec<String>,
) {
    let input = out.join("in.tif");
    write_input(&input, image, size, compression);
    drop(fs::read(&input));
    let name = format!("{} × {}, {compression:?}", size.width, size.height);
    let mut commands = commands(out, &input, compression);
    let mut best: [Option<Cost>; 3] = [None; 3];
    // In turn, so that what the disk still has to do falls on each of them.
    for _ in 0..RUNS {
        for ((_, command), best) in commands.iter_mut().zip(&mut best) {
            for name in ["in.tif.ovr", "ours.tif", "theirs.tif"] {
                drop(fs::remove_file(out.join(name)));
            }
            let costs = [cost(command), *best].into_iter().flatten();
            *best = costs.min_by(|a, b| a.wall.total_cmp(&b.wall));
        }
    }
    let ours = best[0].map_or(f64::NAN, |cost| cost.wall);
    for ((program, _), best) in commands.iter().zip(best) {
        let Some(best) = best else {
            println!("| {name} | {program} | not there | | | |");
            continue;
        };
        println!(
            "| {name} | {program} | {:.2} | {:.2} | {:.0} | {:.2} |",
            best.wall,
            best.cpu,
            best.megabytes,
            best.wall / ours
        );
    }
    drop(fs::remove_file(out.join("in.tif.ovr")));
    // The loop above left the last program's file alone.
    cost(&mut commands[0].1);
    looks.push(looked_at(
        &format!("{name}, without overviews"),
        &input,
        out,
    ));
    looks.push(looked_at(
        &format!("{name}, with"),
        &out.join("ours.tif"),
        out,
    ));
    for name in ["in.tif", "in.tif.ovr", "ours.tif", "theirs.tif"] {
        drop(fs::remove_file(out.join(name)));
    }
}

/// The same work for each program, by its own words.
fn commands(out: &Path, input: &Path, compression: Compression) -> [(&'static str, Command); 3] {
    let [ours, theirs] = ["ours.tif", "theirs.tif"].map(|name| out.join(name));
    let (codec, overviews) = match compression {
        Compression::Jpeg { .. } => (
            "--compression jpeg --Q 89",
            "--config COMPRESS_OVERVIEW JPEG --config JPEG_QUALITY_OVERVIEW 89 \
             --config PHOTOMETRIC_OVERVIEW YCBCR",
        ),
        Compression::Lzw => (
            "--compression lzw --predictor horizontal",
            "--config COMPRESS_OVERVIEW LZW --config PREDICTOR_OVERVIEW 2",
        ),
        _ => ("", ""),
    };
    let tiles = "--tile --pyramid --tile-width 512 --tile-height 512 --bigtiff";
    let mut orthobrush = timed(env!("CARGO_BIN_EXE_orthobrush"));
    orthobrush.arg("pyramid").arg(input).arg("--out").arg(ours);
    let mut vips = timed("vips");
    vips.arg("tiffsave").arg(input).arg(theirs);
    vips.args(tiles.split_whitespace())
        .args(codec.split_whitespace());
    let mut gdal = timed("gdaladdo");
    gdal.args("-q -ro -r average --config GDAL_NUM_THREADS 2".split_whitespace());
    gdal.args(overviews.split_whitespace()).arg(input);
    [
        ("Orthobrush", orthobrush),
        ("vips", vips),
        ("gdaladdo (overviews only)", gdal),
    ]
}

/// A command whose cost GNU time writes as the last line of what it complains.
fn timed(program: &str) -> Command {
    let mut command = Command::new("/usr/bin/time");
    command.args(["-f", "%e %U %S %M"]);
    if Path::new("/usr/bin/eatmydata").is_file() {
        command.arg("eatmydata");
    }
    command.arg(program);
    command
}

fn cost(command: &mut Command) -> Option<Cost> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.trim().lines().last()?;
    let numbers: Vec<f64> = last
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    match numbers[..] {
        [wall, user, system, kilobytes] => Some(Cost {
            wall,
            cpu: user + system,
            megabytes: kilobytes / 1e3,
        }),
        _ => None,
    }
}
