use std::path::PathBuf;

use anyhow::{bail, ensure};
use clap::Args;
use serde_json::json;

use super::predict_tasks::in_folder;
use super::say::refuse_to_overwrite;
use crate::disk::path_text;
use crate::raster::{is_tile_folder, write_mosaic, write_stack};

/// Arguments of `mosaic`.
#[derive(Debug, Args)]
pub struct MosaicArgs {
    /// The images, or a folder that holds them; where they overlap, the later by name is seen.
    #[arg(required = true, value_name = "DIR|FILES")]
    pub paths: Vec<PathBuf>,
    /// The VRT to write, in the folder of the images or above it.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Put the bands of each image behind those of the ones before, over the ground of the first:
    /// colors, infrared, height.
    #[arg(long)]
    pub stack: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Joins images on one grid of pixels by a VRT, which opens like an image.
pub fn run(args: &MosaicArgs) -> anyhow::Result<()> {
    let ending = args.out.extension();
    ensure!(
        ending.is_some_and(|ending| ending.eq_ignore_ascii_case("vrt")),
        "A mosaic is a VRT; name the output so (OUT.vrt): {}",
        args.out.display()
    );
    let mut images = Vec::new();
    for path in &args.paths {
        if is_tile_folder(path) {
            let path = path.display();
            bail!("This folder of tiles is one image already; open it as it is: {path}");
        } else if path.is_dir() {
            images.extend(in_folder(path)?);
        } else {
            images.push(path.clone());
        }
    }
    refuse_to_overwrite(&args.out, images.iter().map(PathBuf::as_path))?;
    let report = if args.stack {
        write_stack(&images, &args.out)?
    } else {
        write_mosaic(&images, &args.out)?
    };
    let size = report.size;
    if args.json {
        say!(
            "{}",
            json!({
                "out": path_text(&args.out),
                "files": report.files,
                "width": size.width,
                "height": size.height,
            })
        );
    } else {
        say!(
            "{}: {} images, {size} pixels",
            args.out.display(),
            report.files
        );
    }
    Ok(())
}
