use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};

use super::args::CompareArgs;
use super::ground::areas;
use super::makers::{Makers, Told, maker_of};
use super::predict_desk::Desk;
use super::say::refuse_to_overwrite;
use crate::disk::folder_of;
use crate::geom::{Georef, ImageSize, PixelRect};
use crate::label::{
    ClassTable, Encoding, IndexTiff, MASK_TILE_SIZE, Mask, SaveAs, UNLABELED, load_mask,
    save_index_tiff,
};
use crate::metrics::{ComparedPredictions, PredictionComparison};
use crate::raster::{TileSource, open_raster};
use crate::train::{FileEnd, FileTask, FilesPlan, Flips, SavedModel, run_of};

/// A file without a palette that holds more values that are no class is a picture.
const MOST_UNKNOWN: usize = 48;

/// Lets two networks predict the same ground and says in what they differ.
pub fn run(args: &CompareArgs) -> anyhow::Result<()> {
    if let Some(out) = &args.out {
        let inputs = [
            Some(&args.image),
            Some(&args.a),
            Some(&args.b),
            args.truth.as_ref(),
        ];
        refuse_to_overwrite(out, inputs.into_iter().flatten().map(AsRef::as_ref))?;
        let is_tiff = SaveAs::of_path(out) == Some(SaveAs::GeoTiff);
        ensure!(is_tiff, "The map is written as .tif: {}", out.display());
    }
    let image = open_raster(&args.image)?;
    let size = image.info().size;
    let classes = [&args.a, &args.b]
        .into_iter()
        .try_fold(common_classes(args)?, |classes, what| {
            with_values_of(classes, what, size)
        })?;
    let areas = areas(&args.part, &args.image)?;
    let out = args.out.as_deref().map(folder_of);
    let room = tempfile::Builder::new()
        .prefix(".orthobrush-")
        .tempdir_in(match out {
            Some(folder) => folder.to_owned(),
            None => std::env::temp_dir(),
        })?;
    let a = predicted(args, &args.a, &room.path().join("a.tif"), &areas)?;
    let b = predicted(args, &args.b, &room.path().join("b.tif"), &areas)?;
    let pair = Pair {
        size,
        a: opened(&a, size)?,
        b: opened(&b, size)?,
        ground: ground(&areas, size),
    };
    let mut truth = truth_of(args, size, &classes)?;
    let told = told(args, &areas, truth.as_mut())?;
    let mut counts = ComparedPredictions::new(classes.num_classes(), truth.is_some());
    pair.count(truth.as_ref(), &mut counts)?;
    let found = counts.comparison(&classes);
    if let Some(path) = &args.out {
        pair.save_changed(path, &classes, image.info().georef.as_ref())?;
    }
    if args.json {
        let mut report = serde_json::to_value(&found)?;
        report["ground"] = serde_json::to_value(&told)?;
        say!("{report}");
        return Ok(());
    }
    say!("{}", text_of(&found).trim_end());
    let lines = told.map(|told| told.lines().join("\n"));
    let none = "Without a true mask the numbers say in what the two differ, not which is right";
    say!("\n{}", lines.as_deref().unwrap_or(none));
    Ok(())
}

/// What the numbers beside the truth are of, from which the ground is taken that judges; `None`
/// without one.
fn told(
    args: &CompareArgs,
    areas: &[PixelRect],
    truth: Option<&mut Mask>,
) -> anyhow::Result<Option<Told>> {
    let (Some(truth), Some(path)) = (truth, &args.truth) else {
        return Ok(None);
    };
    let maker = |what: &PathBuf| {
        if what.is_dir() {
            run_of(what)
        } else {
            maker_of(what).map(|maker| maker.run)
        }
    };
    let models = [&args.a, &args.b].map(maker);
    let makers = Makers::of(Some(&args.image), &models, args.judging)?;
    let whole = [truth.size().bounds()];
    let asked = if areas.is_empty() { &whole[..] } else { areas };
    let told = makers.tell(asked, truth, path)?;
    for block in makers.left_out() {
        truth.fill_rect(block, UNLABELED);
    }
    Ok(Some(told))
}

/// The classes that both speak of. Indices that mean something else in one of them are refused.
fn common_classes(args: &CompareArgs) -> anyhow::Result<ClassTable> {
    let told = |what: &Path| {
        if what.is_dir() {
            anyhow::Ok(Some(SavedModel::load(what)?.classes().clone()))
        } else {
            Ok(ClassTable::own(what)?)
        }
    };
    let (a, b) = (told(&args.a)?, told(&args.b)?);
    if let (Some(a), Some(b)) = (&a, &b) {
        let differences = differences(a, b);
        ensure!(
            differences.is_empty(),
            "The two have other classes and cannot be compared: {}",
            differences.join("; ")
        );
    }
    let beside = args.a.with_extension("classes.toml");
    a.or(b).with_context(|| {
        format!(
            "What the classes are is not known; name a run, or keep {} beside the prediction: {}",
            beside.file_name().unwrap_or_default().display(),
            args.a.display()
        )
    })
}

/// In what the classes of A and B differ, but for colors.
fn differences(a: &ClassTable, b: &ClassTable) -> Vec<String> {
    let difference = |index| match (a.get(index), b.get(index)) {
        (Some(a), Some(b)) if a.name == b.name => None,
        (Some(a), Some(b)) => Some(format!(
            "class {index} is {} in A and {} in B",
            a.name, b.name
        )),
        (Some(a), None) => Some(format!("A has class {index} ({}) and B does not", a.name)),
        (None, Some(b)) => Some(format!("B has class {index} ({}) and A does not", b.name)),
        (None, None) => None,
    };
    (0..UNLABELED).filter_map(difference).collect()
}

/// The classes, and one for each other index that the file at `path` holds, which must be a mask of
/// class indices; those of a run are known.
fn with_values_of(classes: ClassTable, path: &Path, size: ImageSize) -> anyhow::Result<ClassTable> {
    if path.is_dir() {
        return Ok(classes);
    }
    let source = opened(path, size)?;
    let mut holds = [false; 256];
    for band in bands_of(size) {
        for value in source.read_index(band)? {
            holds[usize::from(value)] = true;
        }
    }
    let is_new = |index: &u8| holds[usize::from(*index)] && classes.get(*index).is_none();
    let new: Vec<u8> = (0..UNLABELED).filter(is_new).collect();
    let has_colors = source.info().palette.is_some();
    let most = if has_colors { 0 } else { MOST_UNKNOWN };
    let first = new.first().copied().unwrap_or_default();
    ensure!(
        new.len() <= most,
        "The file looks like a picture and no mask of class indices: it holds {} values that are \
         no class, the first {first}. Name a run or a mask, with its class table beside it: {}",
        new.len(),
        path.display()
    );
    Ok(classes.with_values(new))
}

/// An image's ground in rows of mask tiles.
fn bands_of(size: ImageSize) -> impl Iterator<Item = PixelRect> {
    let tops = (0..size.height).step_by(MASK_TILE_SIZE as usize);
    let band = move |y| PixelRect::new(0, y, size.width, MASK_TILE_SIZE);
    tops.map(move |y| band(y).intersect(size.bounds()))
}

/// The file with what a network predicts, or `what` itself where that is one.
fn predicted(
    args: &CompareArgs,
    what: &Path,
    to: &Path,
    areas: &[PixelRect],
) -> anyhow::Result<PathBuf> {
    if what.is_file() {
        return Ok(what.to_owned());
    }
    let task = FileTask {
        image: args.image.clone(),
        out: to.to_owned(),
        sure: Vec::new(),
        areas: areas.to_vec(),
    };
    let device = args.device.clone().unwrap_or_default();
    let tasks = vec![task];
    let plan = FilesPlan::new(what, device, tasks.clone())?.flipped(if args.tta {
        Flips::All
    } else {
        Flips::None
    });
    let mut desk = Desk::new(&tasks);
    desk.follow(plan)?;
    match desk.ends.pop() {
        Some(FileEnd::Failed(why)) => bail!(why),
        _ => Ok(to.to_owned()),
    }
}

fn opened(path: &Path, size: ImageSize) -> anyhow::Result<Arc<dyn TileSource>> {
    let source = open_raster(path)?;
    let (found, bands) = (source.info().size, source.info().bands);
    ensure!(
        found == size,
        "The prediction has {found} pixels and the image {size}; choose those of one image: {}",
        path.display()
    );
    ensure!(
        bands == 1,
        "The file has {bands} bands and is no mask of class indices, which has one; name a run or \
         a mask: {}",
        path.display()
    );
    Ok(source)
}

fn truth_of(
    args: &CompareArgs,
    size: ImageSize,
    classes: &ClassTable,
) -> anyhow::Result<Option<Mask>> {
    let Some(path) = &args.truth else {
        return Ok(None);
    };
    let loaded = load_mask(path, Some(size), Encoding::Auto, Some(classes))
        .with_context(|| format!("The truth cannot be used: {}", path.display()))?;
    for note in &loaded.notes {
        eprintln!("note: {note}");
    }
    Ok(Some(loaded.mask))
}

/// Two predictions in files, read a few rows at a time.
struct Pair {
    size: ImageSize,
    a: Arc<dyn TileSource>,
    b: Arc<dyn TileSource>,
    /// Where alone they are compared: all but unlabeled pixels.
    ground: Option<Mask>,
}

impl Pair {
    fn count(&self, truth: Option<&Mask>, counts: &mut ComparedPredictions) -> anyhow::Result<()> {
        for band in bands_of(self.size) {
            let truth = truth.map(|truth| truth.read_rect(band));
            let [a, b] = [&self.a, &self.b].map(|source| self.compared(source, band));
            counts.add(&a?, &b?, truth.as_deref());
        }
        Ok(())
    }

    /// What one of the two says where they are compared; 255 elsewhere.
    fn compared(&self, source: &Arc<dyn TileSource>, rect: PixelRect) -> anyhow::Result<Vec<u8>> {
        let mut said = source.read_index(rect)?;
        if let Some(ground) = &self.ground {
            for (said, wanted) in said.iter_mut().zip(ground.read_rect(rect)) {
                if wanted == UNLABELED {
                    *said = UNLABELED;
                }
            }
        }
        Ok(said)
    }

    /// Writes the map of what changed, with its class table.
    fn save_changed(
        &self,
        path: &Path,
        classes: &ClassTable,
        georef: Option<&Georef>,
    ) -> anyhow::Result<()> {
        let file = IndexTiff {
            size: self.size,
            classes: Some(classes),
            georef,
            meaning: None,
        };
        save_index_tiff(path, &file, |rect| self.changed(rect))?;
        Ok(classes.save(&path.with_extension("classes.toml"))?)
    }

    /// What B says where A says otherwise; 255 elsewhere.
    fn changed(&self, rect: PixelRect) -> anyhow::Result<Vec<u8>> {
        let a = self.compared(&self.a, rect)?;
        let mut b = self.b.read_index(rect)?;
        for (b, a) in b.iter_mut().zip(a) {
            if *b == a || a == UNLABELED {
                *b = UNLABELED;
            }
        }
        Ok(b)
    }
}

/// The ground that `areas` hold; `None` is all of it.
fn ground(areas: &[PixelRect], size: ImageSize) -> Option<Mask> {
    let mut ground = Mask::new(size);
    for area in areas {
        ground.fill_rect(*area, 0);
    }
    (!areas.is_empty()).then_some(ground)
}

/// The comparison as people read it.
fn text_of(found: &PredictionComparison) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let share = found.changed_share.unwrap_or_default() * 100.0;
    let mut line = |words: String| {
        writeln!(text, "{words}").expect("a string takes any text");
    };
    line(format!(
        "changed their mind: {} of {} pixels ({share:.2} %)",
        found.changed, found.pixels
    ));
    if found.alone > 0 {
        line(format!(
            "left out             {} pixels of which one of the two says nothing",
            found.alone
        ));
    }
    if let Some(truth) = &found.truth {
        line(format!(
            "mean IoU            {} → {} ({})",
            ratio(truth.a.mean_iou),
            ratio(truth.b.mean_iou),
            signed(truth.mean_iou_delta)
        ));
        line(format!(
            "mended {} pixels, spoiled {}; both right on {}, both wrong on {}",
            truth.mended, truth.spoiled, truth.both_right, truth.both_wrong
        ));
    }
    line(format!(
        "\n{:<20}{:>12}{:>12}{:>8}{:>8}{:>9}",
        "class", "A says", "B says", "IoU A", "IoU B", "delta"
    ));
    for class in &found.per_class {
        line(format!(
            "{:<20}{:>12}{:>12}{:>8}{:>8}{:>9}",
            class.name,
            class.pixels_a,
            class.pixels_b,
            ratio(class.iou_a),
            ratio(class.iou_b),
            signed(class.delta)
        ));
    }
    line("\nmost frequent changes".to_owned());
    for (from, to, pixels) in changes(found).into_iter().take(8) {
        line(format!("{from} → {to}: {pixels}"));
    }
    text
}

/// From which class to which how many pixels went, the most first.
fn changes(found: &PredictionComparison) -> Vec<(&str, &str, u64)> {
    let classes = &found.per_class;
    let pairs = classes
        .iter()
        .flat_map(|a| classes.iter().map(move |b| (a, b)));
    let mut changes: Vec<_> = pairs
        .filter(|(a, b)| a.index != b.index)
        .map(|(a, b)| {
            let pixels = found.says[usize::from(a.index)][usize::from(b.index)];
            (a.name.as_str(), b.name.as_str(), pixels)
        })
        .filter(|(.., pixels)| *pixels > 0)
        .collect();
    changes.sort_by_key(|&(.., pixels)| std::cmp::Reverse(pixels));
    changes
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

fn signed(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:+.4}"))
}
