use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::args::{HistoryArgs, MergeArgs, PackArgs};
use super::say::refuse_to_overwrite;
use crate::disk::path_text;
use crate::exchange::{ExportForm, ExportWork, RegistryFrame, export, write_registry};
use crate::label::{ClassTable, Mask, MergeCounts, MergeRule, VisitStep, count_of, merge};
use crate::metrics::{Confusion, Kappa};
use crate::project::{Project, pack};
use crate::raster::open_raster;
use crate::session::their_mask;

/// Writes what was changed when, step by step.
pub fn history(args: &HistoryArgs) -> anyhow::Result<()> {
    let inputs = [&args.project, &args.image];
    refuse_to_overwrite(&args.out, inputs.into_iter().map(AsRef::as_ref))?;
    let project = Project::open_read_only(&args.project)?;
    let image = std::path::absolute(&args.image)?;
    let layer = project.layer_key(&image)?.with_context(|| {
        format!(
            "The project has no label of this image: {}",
            image.display()
        )
    })?;
    let classes = project.classes()?.unwrap_or_default();
    let source = open_raster(&args.image)?;
    let frame = RegistryFrame {
        classes: &classes,
        georef: source.info().georef.as_ref(),
    };
    let steps = |visit: &mut VisitStep<'_>| project.visit_steps(layer, visit);
    let count = write_registry(&args.out, frame, steps)?;
    let changes = count_of(count as usize, "change");
    say!("{changes}: {}", args.out.display());
    Ok(())
}

/// Copies a project and all that it refers to into one folder.
pub fn packed(args: &PackArgs) -> anyhow::Result<()> {
    let packed = pack(&args.project, &args.out, &mut |_| (), &|| false)?;
    for missing in &packed.missing {
        eprintln!(
            "note: not packed, since it is not there: {}",
            missing.display()
        );
    }
    say!(
        "{}, {}: {}",
        count_of(packed.files, "file"),
        count_of(packed.bytes as usize, "byte"),
        packed.project.display()
    );
    Ok(())
}

/// Merges two people's labels of one image and says how well they agree.
pub fn merged(args: &MergeArgs) -> anyhow::Result<()> {
    let inputs = [&args.image, &args.ours, &args.theirs].map(AsRef::as_ref);
    let disagreement = args.disagreement.as_deref();
    for out in [Some(&*args.out), disagreement].into_iter().flatten() {
        refuse_to_overwrite(out, inputs)?;
        mask_form(out)?;
    }
    refuse_to_overwrite(&args.out, disagreement)?;
    let source = open_raster(&args.image)?;
    let (size, georef) = (source.info().size, source.info().georef.clone());
    let image = std::path::absolute(&args.image)?;
    let table = Project::open_read_only(&args.ours)?
        .classes()?
        .unwrap_or_default();
    let (ours, table) = their_mask(&args.ours, &image, size, &table)?;
    let (theirs, classes) = their_mask(&args.theirs, &image, size, &table)?;
    let kappa = Kappa::new(&Confusion::between(&ours, &theirs, 255), &classes);
    let merged = merge(&ours, &theirs, args.rule);
    let name = args.image.file_name().unwrap_or_default().to_string_lossy();
    let save = |path: &Path, mask: &Mask, classes: &ClassTable| -> anyhow::Result<()> {
        let work = ExportWork {
            mask,
            classes,
            georef: georef.as_ref(),
            image: &name,
            at: std::time::SystemTime::now(),
            generalize: None,
        };
        export(path, mask_form(path)?, &work, &|| false)?;
        Ok(())
    };
    save(&args.out, &merged.mask, &classes)?;
    if let Some(path) = &args.disagreement {
        save(path, &merged.disagreement, &classes)?;
    }
    tell(args, &kappa, &merged.counts);
    Ok(())
}

fn mask_form(path: &Path) -> anyhow::Result<ExportForm> {
    match ExportForm::of_path(path) {
        Some(form @ ExportForm::Mask(_)) => Ok(form),
        _ => anyhow::bail!("Masks are written as .tif or .png: {}", path.display()),
    }
}

fn tell(args: &MergeArgs, kappa: &Kappa, counts: &MergeCounts) {
    if args.json {
        let told = json!({
            "out": path_text(&args.out),
            "kappa": kappa.kappa,
            "observed": kappa.observed,
            "expected": kappa.expected,
            "agreed": counts.agreed,
            "differ": counts.differ,
            "only_ours": counts.only_ours,
            "only_theirs": counts.only_theirs,
        });
        say!("{told}");
    } else {
        let number =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
        say!("Cohen's kappa   {}", number(kappa.kappa));
        say!("agreement       {}", number(kappa.observed));
        say!(
            "pixels agreed   {}, differing {}",
            counts.agreed,
            counts.differ
        );
        say!(
            "only one labels {} (ours), {} (theirs)",
            counts.only_ours,
            counts.only_theirs
        );
        say!("{}", args.out.display());
    }
}

/// The rule that a word names.
pub fn parse_rule(word: &str) -> anyhow::Result<MergeRule> {
    let rules = [
        ("ours", MergeRule::KeepOurs),
        ("theirs", MergeRule::KeepTheirs),
        ("agreed", MergeRule::OnlyAgreed),
    ];
    let found = rules.into_iter().find(|(name, _)| *name == word);
    ensure!(found.is_some(), "write ours, theirs or agreed");
    Ok(found.map_or(MergeRule::KeepOurs, |(_, rule)| rule))
}
