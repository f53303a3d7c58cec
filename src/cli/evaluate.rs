use super::args::EvalArgs;
use crate::label::{ClassTable, Encoding, load_mask};
use crate::metrics::{Confusion, Scores};

/// Compares a prediction with the truth.
pub fn run(args: &EvalArgs) -> anyhow::Result<()> {
    let table = args.classes.as_deref().map(ClassTable::load).transpose()?;
    let truth = load_mask(&args.truth, None, args.mask_encoding, table.as_ref())?;
    let size = truth.mask.size();
    let predicted = load_mask(&args.pred, Some(size), Encoding::Auto, Some(&truth.classes))?;
    let num_classes = truth
        .classes
        .num_classes()
        .max(predicted.classes.num_classes());
    let confusion = Confusion::between(&truth.mask, &predicted.mask, num_classes);
    let scores = Scores::new(&confusion, &truth.classes);
    for note in truth.notes.iter().chain(&predicted.notes) {
        eprintln!("note: {note}");
    }
    if args.json {
        say!("{}", serde_json::to_string(&scores)?);
    } else {
        say!("{}", table_text(&scores).trim_end());
    }
    Ok(())
}

/// The scores as a table that people read.
pub fn table_text(scores: &Scores) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let ratio =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
    let mut line = |name: &str, value: String| {
        writeln!(text, "{name:<28}{value}").expect("a string takes any text");
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
