use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, anyhow, bail, ensure};
use serde_json::json;

use super::args::ConvertArgs;
use super::say::refuse_to_overwrite;
use crate::disk::path_text;
use crate::exchange::{
    Answer, BurnPlan, ExchangeError, ExportForm, ExportWork, Generalize, ImageGround, LineWidth,
    MaskAudit, Question, audit_mask, burn_in, export, load_mask_as, read_coco, read_vectors,
    read_yolo, read_yolo_names,
};
use crate::geom::{Georef, ImageSize};
use crate::label::{ClassTable, Encoding, LoadedMask, Mask, MaskDecisions, UNLABELED, Unknown};
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
    let inputs = [Some(&args.input), args.like.as_ref(), args.classes.as_ref()];
    refuse_to_overwrite(&args.out, inputs.into_iter().flatten().map(AsRef::as_ref))?;
    let generalize = generalize(args, form)?;
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
        generalize,
    };
    let done = export(&args.out, form, &work, &|| false)?.expect("nobody cancels");
    let unnamed = (form == ExportForm::Coco && args.like.is_none()).then(|| {
        format!("The image is called {image} in the file; name the photo with --like IMAGE")
    });
    let notes = label.notes.iter().chain(&done.notes);
    for note in notes.chain(&unnamed) {
        eprintln!("note: {note}");
    }
    tell(args, &label, done.num_regions);
    Ok(())
}

/// What the options say of polygons; `None`: they are exact.
fn generalize(args: &ConvertArgs, form: ExportForm) -> anyhow::Result<Option<Generalize>> {
    let is_asked = args.simplify.is_some() || args.min_pixels.is_some() || !args.square.is_empty();
    let out = args.out.display();
    ensure!(
        !is_asked || form.is_generalized(),
        "--simplify, --min-pixels and --square change polygons of .geojson and .gpkg, and other \
         files stay exact to the pixel; leave them out, or name the output so: {out}"
    );
    Ok(is_asked.then(|| Generalize {
        tolerance_px: args.simplify.unwrap_or(1.0),
        min_pixels: args.min_pixels.unwrap_or(0),
        squared: args.square.clone(),
    }))
}

fn tell(args: &ConvertArgs, label: &Label, regions: Option<usize>) {
    if args.json {
        let counts = label.mask.histogram();
        let labeled = label.mask.size().num_pixels() - counts[usize::from(UNLABELED)];
        let told = json!({
            "out": path_text(&args.out),
            "classes": label.classes.num_classes(),
            "labeled_pixels": labeled,
            "regions": regions,
        });
        say!("{told}");
    } else {
        say!("{}", args.out.display());
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
    let found = match (images.next(), images.next(), file.images()) {
        (Some(found), None, _) => Some(found),
        // Whatever it is called, there is no other.
        (None, _, [only]) => Some(only),
        _ => None,
    };
    let Some((name, size)) = found else {
        let names: Vec<&str> = file
            .images()
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        bail!(
            "The file tells of the images {}; name one of them, with its name, with --like IMAGE",
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
    let (size, georef) = ground_of(args.like.as_deref().unwrap_or(&args.input))?;
    let image = ImageGround { size, georef };
    // What cannot be looked at as it is may still be read in the encoding that was told.
    let audit = match audit_mask(&args.input, &image, table.as_ref()) {
        Err(error) if args.mask_encoding == Encoding::Auto => return Err(error.into()),
        audit => audit.ok(),
    };
    let decisions = decisions(args, audit.as_ref());
    let LoadedMask {
        mask,
        classes,
        georef,
        notes,
        ..
    } = load_mask_as(&args.input, &image, table.as_ref(), decisions)?;
    let open = audit.iter().flat_map(|audit| left_open(audit, args));
    Ok(Label {
        mask,
        classes,
        georef,
        notes: open.chain(notes).collect(),
    })
}

/// What the options say of a mask file; numbers without a class become classes, as nothing is lost
/// by that, and colors without one become unlabeled.
fn decisions(args: &ConvertArgs, audit: Option<&MaskAudit>) -> MaskDecisions {
    let recognized = audit.map(|audit| audit.survey.encoding);
    let encoding = match args.mask_encoding {
        Encoding::Auto => recognized.unwrap_or_default(),
        told => told,
    };
    let unknown = match args.snap_colors {
        Some(max_distance) => Unknown::Nearest { max_distance },
        None if encoding == Encoding::Rgb => Unknown::Unlabeled,
        None => Unknown::NewClasses,
    };
    MaskDecisions {
        encoding: args.mask_encoding,
        zero: args.zero.unwrap_or_default(),
        unknown,
        align: args.align.unwrap_or_default(),
    }
}

/// The questions that the file leaves open and no option answers, with the option that would.
fn left_open(audit: &MaskAudit, args: &ConvertArgs) -> Vec<String> {
    let with_option = |question: Question| {
        let (is_answered, option) = match question.choices.first()?.answer {
            Answer::Zero(_) => (args.zero.is_some(), "--zero class|unlabeled"),
            Answer::Unknown(_) => (args.snap_colors.is_some(), "--snap-colors[=DISTANCE]"),
            Answer::Align(_) => (args.align.is_some(), "--align georeference|corner|scale"),
        };
        (!is_answered).then(|| format!("{} ({option})", question.text))
    };
    let questions = audit.open_questions().into_iter();
    questions.filter_map(with_option).collect()
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
        ExchangeError::NoIndex { value, .. } => {
            anyhow!(
                "{error} (--attribute NAME), or the class of this value (--value={value}=CLASS)"
            )
        }
        error => error.into(),
    })?;
    Ok(Label {
        mask: burned.mask,
        classes: burned.classes,
        georef,
        notes: burned.notes,
    })
}
