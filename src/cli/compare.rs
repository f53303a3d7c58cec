use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};

use super::args::CompareArgs;
use super::ground::areas;
use super::makers::{Makers, Told, maker_of};
use super::predict_desk::Desk;
use super::say::refuse_to_overwrite;
use crate::disk::folder_of;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{
    ClassTable, Encoding, IndexTiff, MASK_TILE_SIZE, Mask, SaveAs, UNLABELED, load_mask,
    save_index_tiff,
};
use crate::metrics::{ComparedPredictions, PredictionComparison};
use crate::raster::{TileSource, open_raster};
use crate::train::{FileEnd, FileTask, FilesPlan, Flips, SavedModel, run_of};

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
    let classes = common_classes(args)?;
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
        let file = IndexTiff {
            size,
            classes: Some(&classes),
            georef: image.info().georef.as_ref(),
            meaning: None,
        };
        save_index_tiff(path, &file, |rect| pair.changed(rect))?;
        classes.save(&path.with_extension("classes.toml"))?;
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
    let model = |path: &Path| path.is_dir().then(|| SavedModel::load(path)).transpose();
    let (a, b) = (model(&args.a)?, model(&args.b)?);
    if let (Some(a), Some(b)) = (&a, &b) {
        let differences = a.card().class_differences(b.classes());
        ensure!(
            differences.is_empty(),
            "The two networks learned other classes and cannot be compared: {}",
            differences.join("; ")
        );
    }
    if let Some(model) = a.or(b) {
        return Ok(model.classes().clone());
    }
    let beside = args.a.with_extension("classes.toml");
    if beside.is_file() {
        return Ok(ClassTable::load(&beside)?);
    }
    bail!(
        "What the classes are is not known; name a run, or keep {} beside the prediction: {}",
        beside.file_name().unwrap_or_default().display(),
        args.a.display()
    )
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
    let found = source.info().size;
    ensure!(
        found == size,
        "The prediction has {found} pixels and the image {size}; choose those of one image: {}",
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
        for y in (0..self.size.height).step_by(MASK_TILE_SIZE as usize) {
            let band = PixelRect::new(0, y, self.size.width, MASK_TILE_SIZE);
            let band = band.intersect(self.size.bounds());
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
