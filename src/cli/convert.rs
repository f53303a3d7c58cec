use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, anyhow, bail};
use serde_json::json;

use super::args::ConvertArgs;
use crate::exchange::{
    BurnPlan, ExchangeError, ExportForm, ExportWork, LineWidth, burn_in, export, read_coco,
    read_vectors, read_yolo, read_yolo_names,
};
use crate::geom::{Georef, ImageSize};
use crate::label::{ClassTable, LoadedMask, Mask, UNLABELED, load_mask};
use crate::raster::open_raster;

/// A label between two formats.
struct Label {
    mask: Mask,
    classes: ClassTable,
    georef: Option<Georef>,
    notes: Vec<String>,
}

/// Writes a label in another format.
pub fn run(args: &ConvertArgs) -> anyhow::Result<()> {
    let form = ExportForm::of_path(&args.out).with_context(|| {
        let (endings, out) = (ExportForm::ENDINGS, args.out.display());
        format!("Give the output one of the endings {endings}: {out}")
    })?;
    let label = if ends_with(&args.input, &[".coco.json"]) {
        from_coco(args)?
    } else if ends_with(&args.input, &[".geojson", ".json", ".gpkg", ".shp"]) {
        from_polygons(args)?
    } else if ends_with(&args.input, &[".txt"]) {
        from_yolo(args)?
    } else {
        from_mask(args)?
    };
    let image = args.like.as_deref().unwrap_or(&args.input);
    let image = image.file_name().unwrap_or_default().to_string_lossy();
    let work = ExportWork {
        mask: &label.mask,
        classes: &label.classes,
        georef: label.georef.as_ref(),
        image: &image,
        at: SystemTime::now(),
    };
    let done = export(&args.out, form, &work, &|| false)?.expect("nobody cancels");
    for note in label.notes.iter().chain(&done.notes) {
        eprintln!("note: {note}");
    }
    tell(args, &label, done.num_regions);
    Ok(())
}

fn tell(args: &ConvertArgs, label: &Label, regions: Option<usize>) {
    if args.json {
        let counts = label.mask.histogram();
        let labeled = label.mask.size().num_pixels() - counts[usize::from(UNLABELED)];
        let told = json!({
            "out": args.out,
            "classes": label.classes.num_classes(),
            "labeled_pixels": labeled,
            "regions": regions,
        });
        println!("{told}");
    } else {
        println!("{}", args.out.display());
    }
}

fn ends_with(path: &Path, endings: &[&str]) -> bool {
    let name = path.to_string_lossy().to_lowercase();
    endings.iter().any(|ending| name.ends_with(ending))
}

/// The image that says extent and place of a label without pixels.
fn ground_under(args: &ConvertArgs) -> anyhow::Result<(ImageSize, Option<Georef>)> {
    let like = args.like.as_deref().with_context(
        || "The label has no pixels of its own: name the image it lies on with --like IMAGE",
    )?;
    ground_of(like)
}

fn from_coco(args: &ConvertArgs) -> anyhow::Result<Label> {
    let file = read_coco(&args.input)?;
    let like = args.like.as_deref().and_then(Path::file_name);
    let wanted = like.map(|name| name.to_string_lossy());
    let same_stem = |name: &str| {
        let stem = |name: &str| Path::new(name).file_stem().map(ToOwned::to_owned);
        wanted
            .as_deref()
            .is_none_or(|wanted| stem(wanted) == stem(name))
    };
    let mut images = file.images().iter().filter(|(name, _)| same_stem(name));
    let (Some((name, size)), None) = (images.next(), images.next()) else {
        let names: Vec<&str> = file
            .images()
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        bail!(
            "The file tells of the images {}; name one of them with --like IMAGE",
            names.join(", ")
        );
    };
    let (size, georef) = match &args.like {
        Some(like) => ground_of(like)?,
        None => (*size, None),
    };
    let read = file.mask(name, size, &|| false)?.expect("nobody cancels");
    Ok(Label {
        mask: read.mask,
        classes: file.classes().clone(),
        georef,
        notes: [file.notes(), &read.notes].concat(),
    })
}

fn from_yolo(args: &ConvertArgs) -> anyhow::Result<Label> {
    let (size, georef) = ground_under(args)?;
    let read = read_yolo(&args.input, size)?;
    let beside = args.input.with_extension("classes.toml");
    let classes = match &args.classes {
        Some(yaml) if ends_with(yaml, &[".yaml", ".yml"]) => read_yolo_names(yaml)?,
        Some(path) => ClassTable::load(path)?,
        None if beside.is_file() => ClassTable::load(&beside)?,
        None => {
            let counts = read.mask.histogram();
            ClassTable::from_values((0..UNLABELED).filter(|&class| counts[usize::from(class)] > 0))
        }
    };
    Ok(Label {
        mask: read.mask,
        classes,
        georef,
        notes: read.notes,
    })
}

fn from_mask(args: &ConvertArgs) -> anyhow::Result<Label> {
    let table = args.classes.as_deref().map(ClassTable::load).transpose()?;
    let like = args.like.as_deref().map(ground_of).transpose()?;
    let size = like.as_ref().map(|(size, _)| *size);
    let LoadedMask {
        mask,
        classes,
        georef,
        notes,
        ..
    } = load_mask(&args.input, size, args.mask_encoding, table.as_ref())?;
    Ok(Label {
        mask,
        classes,
        georef: like.and_then(|(_, georef)| georef).or(georef),
        notes,
    })
}

/// Extent and place of an image.
fn ground_of(image: &Path) -> anyhow::Result<(ImageSize, Option<Georef>)> {
    let source = open_raster(image)?;
    Ok((source.info().size, source.info().georef.clone()))
}

fn from_polygons(args: &ConvertArgs) -> anyhow::Result<Label> {
    let (size, georef) = ground_under(args)?;
    let layer = read_vectors(&args.input, args.layer.as_deref())?;
    let plan = BurnPlan {
        values: args.values.iter().cloned().collect(),
        classes: args.classes.as_deref().map(ClassTable::load).transpose()?,
        line_width: match (&args.width_attribute, args.line_width) {
            (Some(name), otherwise) => LineWidth::Attribute {
                name: name.clone(),
                otherwise,
            },
            (None, Some(width)) => LineWidth::Fixed(width),
            (None, None) => LineWidth::Unknown,
        },
        ..BurnPlan::by_attribute(&args.attribute)
    };
    let burned = burn_in(&layer, &plan, size, georef.as_ref()).map_err(|error| match error {
        ExchangeError::Attribute { .. } => anyhow!("{error} (--attribute NAME)"),
        error => error.into(),
    })?;
    Ok(Label {
        mask: burned.mask,
        classes: burned.classes,
        georef,
        notes: burned.notes,
    })
}
