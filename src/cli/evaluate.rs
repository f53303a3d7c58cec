use anyhow::{bail, ensure};
use rayon::prelude::*;
use serde::Serialize;

use super::args::{EvalArgs, ScoredBy};
use super::ground;
use super::makers::{Makers, maker_of};
use crate::geom::{ImageSize, PixelRect};
use crate::label::{
    CellKey, ClassTable, Coverage, Encoding, LoadedMask, Mask, Selection, UNLABELED, load_mask,
};
use crate::metrics::{Confusion, Scores};
use crate::train::run_of;

/// Compares a prediction with the truth.
pub fn run(args: &EvalArgs) -> anyhow::Result<()> {
    let by = scored_by(args)?;
    let table = args.classes.as_deref().map(ClassTable::load).transpose()?;
    let mut truth = load_mask(&args.truth, None, args.mask_encoding, table.as_ref())?;
    let size = truth.mask.size();
    let predicted = load_mask(&args.pred, Some(size), Encoding::Auto, Some(&truth.classes))?;
    if args.predicted_only {
        let is_bare = |_, predicted| predicted == UNLABELED;
        truth.mask.without(size.bounds(), &predicted.mask, is_bare);
    }
    let num_classes = truth
        .classes
        .num_classes()
        .max(predicted.classes.num_classes());
    let wanted = wanted_cells(args, size)?;
    let asked = match (by, &wanted) {
        (ScoredBy::View, _) => named_ground(args, size)?,
        (_, Some(keys)) => rects_of(keys, size),
        (_, None) => vec![size.bounds()],
    };
    let makers = makers(args)?;
    let left_out = makers.left_out();
    let told = makers.tell(&asked, &truth.mask, &args.truth)?;
    let rects = PixelRect::outside(asked, &left_out);
    let confusion = counted([&truth.mask, &predicted.mask], &rects, num_classes);
    let scores = Scores::new(&confusion, &truth.classes);
    let cells = match by {
        ScoredBy::Cells => cells(&truth, &predicted.mask, num_classes, (wanted, &left_out)),
        ScoredBy::Image | ScoredBy::View => Vec::new(),
    };
    for note in truth.notes.iter().chain(&predicted.notes) {
        eprintln!("note: {note}");
    }
    if args.json {
        let mut report = serde_json::to_value(&scores)?;
        report["ground"] = serde_json::to_value(&told)?;
        if by == ScoredBy::Cells {
            report["cells"] = serde_json::to_value(&cells)?;
        }
        say!("{report}");
        return Ok(());
    }
    say!("{}", table_text(&scores).trim_end());
    if !cells.is_empty() {
        say!("\n{}", cells_text(&cells).trim_end());
    }
    say!("\n{}", told.lines().join("\n"));
    Ok(())
}

/// The model whose prediction is scored, as far as it is known.
fn makers(args: &EvalArgs) -> anyhow::Result<Makers> {
    let EvalArgs { model, image, .. } = args;
    if let Some(model) = model {
        let run = run_of(model);
        let place = model.display();
        ensure!(run.is_some(), "There is no run of a training: {place}");
        return Makers::of(image.as_deref(), &[run], args.judging);
    }
    let known = maker_of(&args.pred);
    let of_record = known.as_ref().map(|maker| &*maker.image);
    let run = known.as_ref().map(|maker| maker.run.clone());
    Makers::of(image.as_deref().or(of_record), &[run], args.judging)
}

/// Which ground is asked for.
fn scored_by(args: &EvalArgs) -> anyhow::Result<ScoredBy> {
    let is_named = !args.view.is_empty() || !args.polygon.is_empty();
    match args.by {
        None | Some(ScoredBy::View) if is_named => Ok(ScoredBy::View),
        Some(ScoredBy::Image | ScoredBy::Cells) if is_named => bail!(
            "--view and --polygon say which ground is scored; give --by view with them, or leave \
             --by out"
        ),
        by => Ok(by.unwrap_or(ScoredBy::Image)),
    }
}

/// The cells that `--cells` names; `None` without.
fn wanted_cells(args: &EvalArgs, size: ImageSize) -> anyhow::Result<Option<Vec<CellKey>>> {
    let (Some(wanted), Some(image)) = (args.cells, &args.image) else {
        return Ok(None);
    };
    let (coverage, cells) = ground::cells(image, wanted)?;
    let found = coverage.size();
    ensure!(
        found == size,
        "The image has {found} pixels and the truth {size}; name the image of this truth: {}",
        image.display()
    );
    Ok(Some(cells))
}

fn rects_of(cells: &[CellKey], size: ImageSize) -> Vec<PixelRect> {
    let coverage = Coverage::new(size);
    cells.iter().map(|key| coverage.rect(*key)).collect()
}

/// The counts of truth and prediction in these rectangles.
fn counted([truth, predicted]: [&Mask; 2], rects: &[PixelRect], num_classes: usize) -> Confusion {
    if rects == [truth.size().bounds()] {
        return Confusion::between(truth, predicted, num_classes);
    }
    let mut all = Confusion::new(num_classes);
    for rect in rects {
        all.merge(&Confusion::within(truth, predicted, *rect, num_classes));
    }
    all
}

/// The ground that `--view` and `--polygon` name, each pixel once.
fn named_ground(args: &EvalArgs, size: ImageSize) -> anyhow::Result<Vec<PixelRect>> {
    ensure!(
        !args.view.is_empty() || !args.polygon.is_empty(),
        "Say with --view X,Y,W,H or --polygon X,Y,X,Y,... which ground of the image is scored"
    );
    let corners = args.polygon.iter().map(|corners| corners.0.as_slice());
    let mut all = Selection::of_polygons(corners, size);
    ensure!(
        args.polygon.is_empty() || !all.is_empty(),
        "The polygons hold no pixel of the image, which is of {size} pixels"
    );
    for view in &args.view {
        let shown = view.intersect(size.bounds());
        let PixelRect {
            x,
            y,
            width,
            height,
        } = view;
        ensure!(
            !shown.is_empty(),
            "The view {x},{y},{width},{height} is outside of the image, which is of {size} pixels"
        );
        all = all.with(&Selection::of_rect(shown));
    }
    Ok(all.rects())
}

/// The scores of a cell, by its column and row from 0.
#[derive(Serialize)]
struct CellScores {
    col: u32,
    row: u32,
    rect: PixelRect,
    scores: Scores,
}

/// The scores of these cells or, without, of all, but for what is left out of them; of those that
/// have truth, the worst first.
fn cells(
    truth: &LoadedMask,
    predicted: &Mask,
    num_classes: usize,
    (wanted, left_out): (Option<Vec<CellKey>>, &[PixelRect]),
) -> Vec<CellScores> {
    let coverage = Coverage::new(truth.mask.size());
    let all = || coverage.cells_in(truth.mask.size().bounds()).collect();
    let keys: Vec<CellKey> = wanted.unwrap_or_else(all);
    let scored = |&CellKey { row, col }: &CellKey| {
        let rect = coverage.rect(CellKey { row, col });
        let rects = PixelRect::outside(vec![rect], left_out);
        let confusion = counted([&truth.mask, predicted], &rects, num_classes);
        let scores = Scores::new(&confusion, &truth.classes);
        (scores.pixels > 0).then_some(CellScores {
            col,
            row,
            rect,
            scores,
        })
    };
    let mut cells: Vec<CellScores> = keys.par_iter().filter_map(scored).collect();
    let worth = |cell: &CellScores| cell.scores.mean_iou.unwrap_or_default();
    cells.sort_by(|a, b| worth(a).total_cmp(&worth(b)));
    cells
}

/// The scores of cells as a table that people read.
fn cells_text(cells: &[CellScores]) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "{:<12}{:>10}{:>12}{:>18}{:>10}\n",
        "cell", "mean IoU", "accuracy", "majority baseline", "support"
    );
    for CellScores {
        col, row, scores, ..
    } in cells
    {
        let name = format!("{col}, {row}");
        let (iou, accuracy) = (ratio(scores.mean_iou), ratio(scores.pixel_accuracy));
        let (baseline, support) = (ratio(scores.majority_baseline), scores.pixels);
        writeln!(
            text,
            "{name:<12}{iou:>10}{accuracy:>12}{baseline:>18}{support:>10}"
        )
        .expect("a string takes any text");
    }
    text
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

/// The scores as a table that people read.
pub fn table_text(scores: &Scores) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        writeln!(text, "{name:<30}{value}").expect("a string takes any text");
    };
    line("pixels compared", scores.pixels.to_string());
    line("ignored (no truth)", scores.ignored.to_string());
    line("unpredicted", scores.unpredicted.to_string());
    line("pixel accuracy", ratio(scores.pixel_accuracy));
    line("majority-class baseline", ratio(scores.majority_baseline));
    line("mean IoU (classes with truth)", ratio(scores.mean_iou));
    writeln!(
        text,
        "\n{:<20}{:>8}{:>10}{:>8}{:>8}{:>14}",
        "class", "IoU", "precision", "recall", "F1", "support"
    )
    .expect("a string takes any text");
    for class in &scores.per_class {
        let (iou, precision) = (ratio(class.iou), ratio(class.precision));
        let (recall, f1) = (ratio(class.recall), ratio(class.f1));
        writeln!(
            text,
            "{:<20}{iou:>8}{precision:>10}{recall:>8}{f1:>8}{:>14}",
            class.name, class.support
        )
        .expect("a string takes any text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_its_own_baseline_beside_its_accuracy() {
        let mut confusion = Confusion::new(2);
        confusion.add(&[0, 0, 0, 1], &[0, 0, 0, 0]);
        let cell = CellScores {
            col: 2,
            row: 1,
            rect: PixelRect::new(0, 0, 2, 2),
            scores: Scores::new(&confusion, &ClassTable::road()),
        };
        let text = cells_text(&[cell]);
        let words: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            words[1],
            ["2,", "1", "0.3750", "0.7500", "0.7500", "4"],
            "{text}"
        );
        assert!(text.contains("accuracy majority baseline"), "{text}");
        let ends = text.lines().map(|line| line.chars().count());
        assert!(ends.eq([62, 62]), "columns end under their heads: {text}");
    }
}
