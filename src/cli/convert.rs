use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::args::ConvertArgs;
use crate::exchange::{Shape, polygonize, read_geojson, write_geojson};
use crate::geom::{Georef, ImageSize};
use crate::label::{
    Class, ClassTable, LoadedMask, Mask, SaveAs, UNLABELED, default_color, load_mask, rasterize,
    save_mask,
};
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
    let label = if is_geojson(&args.input) {
        from_polygons(args)?
    } else {
        from_mask(args)?
    };
    for note in &label.notes {
        eprintln!("note: {note}");
    }
    let regions = if is_geojson(&args.out) {
        let keep = |class: u8| class != UNLABELED;
        let bounds = label.mask.size().bounds();
        let regions = polygonize(&label.mask, bounds, &keep, &|| false);
        let regions = regions.expect("nobody cancels");
        write_geojson(&args.out, &regions, &label.classes, label.georef.as_ref())?;
        Some(regions.len())
    } else {
        let save_as = SaveAs::of_path(&args.out).with_context(|| {
            let out = args.out.display();
            format!("Give the output one of the endings .tif, .png, .rgb.png, .geojson: {out}")
        })?;
        save_mask(
            &args.out,
            &label.mask,
            &label.classes,
            label.georef.as_ref(),
            save_as,
        )?;
        label
            .classes
            .save(&args.out.with_extension("classes.toml"))?;
        None
    };
    tell(args, &label, regions);
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

fn is_geojson(path: &Path) -> bool {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ending == "geojson" || ending == "json")
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
    let like = args.like.as_deref().with_context(
        || "Polygons have no pixels of their own: name the image they lie on with --like IMAGE",
    )?;
    let (size, georef) = ground_of(like)?;
    let layer = read_geojson(&args.input)?;
    if let (Some(found), Some(expected)) = (layer.epsg, georef.as_ref().and_then(|at| at.epsg)) {
        ensure!(
            found == expected,
            "The polygons are in EPSG:{found} and the image in EPSG:{expected}. Bring them there \
             first: ogr2ogr -t_srs EPSG:{expected} moved.geojson {}",
            args.input.display()
        );
    }
    let table = args.classes.as_deref().map(ClassTable::load).transpose()?;
    let classes = match table {
        Some(table) => table,
        None => classes_of(&layer.shapes, &args.attribute)?,
    };
    let mut notes = Vec::new();
    if layer.skipped > 0 {
        let skipped = layer.skipped;
        notes.push(format!(
            "{skipped} features are no polygons and were left out"
        ));
    }
    let mut unknown = BTreeMap::<String, u64>::new();
    let mut shapes = Vec::with_capacity(layer.shapes.len());
    for shape in &layer.shapes {
        let value = shape.properties.get(&args.attribute);
        let Some(class) = value.and_then(|value| class_of(value, &classes)) else {
            let value = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            *unknown.entry(value).or_default() += 1;
            continue;
        };
        let rings = shape.image_rings(georef.as_ref());
        shapes.push((
            rings.context("The image's georeference maps it onto a line")?,
            class,
        ));
    }
    for (value, count) in unknown {
        notes.push(format!(
            "{count} polygons with {value} have no class and were left out"
        ));
    }
    let mut mask = Mask::new(size);
    rasterize(&mut mask, &shapes);
    Ok(Label {
        mask,
        classes,
        georef,
        notes,
    })
}

/// The class that an attribute's value means: by index, else by name.
fn class_of(value: &Value, classes: &ClassTable) -> Option<u8> {
    match value {
        Value::Number(number) => {
            let index = u8::try_from(number.as_u64()?).ok()?;
            classes.get(index).map(|class| class.index)
        }
        Value::String(name) => {
            let named = |class: &&Class| class.name == *name;
            classes
                .classes()
                .iter()
                .find(named)
                .map(|class| class.index)
        }
        _ => None,
    }
}

/// The classes that polygons speak of themselves: numbers with the name beside them, or names in
/// order of the alphabet.
fn classes_of(shapes: &[Shape], attribute: &str) -> anyhow::Result<ClassTable> {
    let mut numbers = BTreeMap::<u8, String>::new();
    let mut names = BTreeSet::<&str>::new();
    for shape in shapes {
        match shape.properties.get(attribute) {
            Some(Value::Number(number)) => {
                let index = number.as_u64().and_then(|number| u8::try_from(number).ok());
                if let Some(index) = index.filter(|index| *index != UNLABELED) {
                    let name = shape.properties.get("name").and_then(Value::as_str);
                    let name = name.map_or_else(|| format!("class {index}"), str::to_owned);
                    numbers.entry(index).or_insert(name);
                }
            }
            Some(Value::String(name)) => {
                names.insert(name);
            }
            _ => {}
        }
    }
    if numbers.is_empty() {
        let named = (0_u8..UNLABELED).zip(names);
        numbers = named
            .map(|(index, name)| (index, name.to_owned()))
            .collect();
    }
    if numbers.is_empty() {
        bail!(
            "No polygon has the attribute “{attribute}”; name the one that says the class with \
             --attribute NAME"
        );
    }
    let count = numbers.len();
    let class = |(place, (index, name)): (usize, (u8, String))| {
        Class::new(index, name, default_color(place, count))
    };
    Ok(ClassTable::new(
        None,
        numbers.into_iter().enumerate().map(class).collect(),
    )?)
}
