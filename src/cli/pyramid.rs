use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::interrupt;
use super::say::refuse_to_overwrite;
use crate::disk::path_text;
use crate::raster::{CogOptions, Packing, write_cog};

/// Arguments of `pyramid`.
#[derive(Debug, Args)]
pub struct PyramidArgs {
    /// The image.
    pub path: PathBuf,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How tiles are packed; tiles of the source are taken over as they are where they can be.
    #[arg(long, value_enum, default_value_t)]
    pub compress: Compress,
    /// Quality of JPEG, 1 to 100 [default: 89]; packs the image's own tiles anew.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub quality: Option<u8>,
    /// Side of a tile in pixels [default: that of the source, else 512].
    #[arg(long, value_name = "PIXELS")]
    pub tile: Option<u32>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// A codec, as it is named in commands.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Compress {
    /// That of the source.
    #[default]
    Source,
    /// No compression.
    None,
    /// Lossless, read by everything.
    Lzw,
    /// Lossless, smaller.
    Deflate,
    /// Lossless, fast.
    Zstd,
    /// With loss.
    Jpeg,
}

impl From<Compress> for Packing {
    fn from(codec: Compress) -> Self {
        match codec {
            Compress::Source => Self::AsSource,
            Compress::None => Self::None,
            Compress::Lzw => Self::Lzw,
            Compress::Deflate => Self::Deflate,
            Compress::Zstd => Self::Zstd,
            Compress::Jpeg => Self::Jpeg,
        }
    }
}

/// Writes an image as a Cloud Optimized `GeoTIFF`.
pub fn run(args: &PyramidArgs) -> anyhow::Result<()> {
    refuse_to_overwrite(&args.out, [args.path.as_path()])?;
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed}, {eta} left");
    let bar = ProgressBar::new(1000).with_style(style?);
    let options = CogOptions {
        packing: args.compress.into(),
        quality: args.quality,
        tile: args.tile,
    };
    let began = Instant::now();
    let written = write_cog(&args.path, &args.out, &options, &|share| {
        bar.set_position((share * 1000.0) as u64);
        !interrupt::is_asked()
    });
    bar.finish_and_clear();
    let report = written?;
    let seconds = began.elapsed().as_secs_f64();
    if args.json {
        say!(
            "{}",
            json!({
                "out": path_text(&args.out),
                "levels": report.levels,
                "tile": report.tile,
                "tiles_copied": report.is_copied,
                "bytes": report.bytes,
                "seconds": seconds,
            })
        );
        return Ok(());
    }
    let how = if report.is_copied {
        "tiles taken over as they are"
    } else {
        "all tiles packed anew"
    };
    say!(
        "{}: {} levels, {:.1} MB, {how}, {seconds:.1} s",
        args.out.display(),
        report.levels,
        report.bytes as f64 / 1e6
    );
    Ok(())
}
