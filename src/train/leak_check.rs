use std::fs;
use std::path::Path;

use super::TrainError;
use crate::dataset::leaks::{LeakLimits, LeakReport, Patchwork};
use crate::dataset::{Ground, PatchSource, Scene, Split, Watch};

/// Name of the file in a run folder that says what its parts share.
pub(super) const LEAKS_FILE: &str = "leaks.json";
/// Pixels that are read to find leaks before a training: about nine seconds of one core.
const MOST_PIXELS: u64 = 256 << 20;

/// The same of one image, of which somebody may train often.
const MOST_PIXELS_OF_IMAGE: u64 = 64 << 20;

/// What the parts of a data set share and should not. Blocks of one image are kept apart by a
/// margin, so of those only ground that the image shows twice is told, and cells that it is put
/// together of; `None` where there is neither.
pub(super) fn leaks_of(
    patches: &PatchSource,
    watch: &Watch<'_>,
) -> Result<Option<LeakReport>, TrainError> {
    let files = match patches.ground() {
        Ground::Files(files) => files,
        Ground::Image(scene) => return leaks_in(scene, patches.split(), watch),
    };
    let limits = LeakLimits {
        pixels: MOST_PIXELS,
        ..LeakLimits::default()
    };
    Ok(Some(patches.split().leaks(files, limits, watch)?))
}

/// What the parts of one image share; `None` also where only its colors are known.
fn leaks_in(
    scene: &Scene,
    split: &Split,
    watch: &Watch<'_>,
) -> Result<Option<LeakReport>, TrainError> {
    let Ok(source) = scene.source() else {
        return Ok(None);
    };
    let mut report = watch.during((0.0, 0.7), |watch| {
        split.repeats(scene, MOST_PIXELS_OF_IMAGE, watch)
    })?;
    let patchwork = watch.during((0.7, 1.0), |watch| Patchwork::of(&*source, watch))?;
    report.notes.extend(patchwork.map(|cells| cells.warning()));
    let is_telling = !report.leaks.is_empty() || !report.notes.is_empty();
    Ok(is_telling.then_some(report))
}

/// What was found when the run in `folder` began; `None` when nothing was kept.
pub(super) fn kept_leaks(folder: &Path) -> Option<LeakReport> {
    let text = fs::read_to_string(folder.join(LEAKS_FILE)).ok()?;
    serde_json::from_str(&text).ok()
}

/// The report as warnings.
pub(super) fn leak_notes(report: &LeakReport) -> Vec<String> {
    let leaks = report.leaks.iter();
    let warning = |sentence: &String| format!("The parts are not apart: {sentence}");
    let warnings = leaks.map(|leak| warning(&leak.sentence));
    warnings.chain(report.notes.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use image::GrayImage;
    use image::imageops::{self, FilterType};

    use super::*;
    use crate::dataset::Rng;
    use crate::dataset::parts::{PartRule, PartWay};
    use crate::geom::{ImageSize, PixelRect};
    use crate::job::Waker;
    use crate::label::Mask;
    use crate::raster::open_raster;
    use crate::train::test_world::{classes, events_of, recipe};
    use crate::train::{Engine, Recipe, TrainPlan};

    const SIDE: u32 = 512;

    fn random(side: u32, seed: u64) -> GrayImage {
        let mut rng = Rng::of(&[seed]);
        GrayImage::from_fn(side, side, |_, _| image::Luma([rng.below(256) as u8]))
    }

    /// A training on an image with blocks held out, and its folder.
    fn plan(folder: &Path, image: &GrayImage) -> (TrainPlan, PathBuf) {
        let path = folder.join("image.png");
        image.save(&path).expect("saved");
        let mut label = Mask::filled(ImageSize::new(SIDE, SIDE), 1);
        label.set_rect(PixelRect::new(0, 0, 4, 4), &[0; 16]);
        let source = open_raster(&path).expect("an image");
        let scene = Scene::tiled("image.png".to_owned(), source, label, 1 << 22);
        let parts = PartRule {
            split: PartWay::Given {
                validation: vec![PixelRect::new(160, 20, 200, 200)],
                test: vec![PixelRect::new(400, 400, 100, 100)],
                margin: 16,
                unreviewed: 0,
            },
            ..PartRule::default()
        };
        let recipe = Recipe {
            parts: Some(parts),
            ..recipe()
        };
        let (ground, run) = (Ground::Image(scene.into()), folder.join("run"));
        let plan = TrainPlan::new(recipe, ground, classes(), run.clone()).expect("a plan");
        (plan, run)
    }

    #[test]
    fn a_run_on_an_image_that_shows_held_out_ground_twice_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let cells = random(128, 3);
        let image = GrayImage::from_fn(SIDE, SIDE, |x, y| {
            // The lower half shows some of the upper one again.
            let is_copy = (150..370).contains(&x) && y >= SIDE / 2;
            let y = if is_copy { y - SIDE / 2 } else { y };
            *cells.get_pixel(x / 7, y / 7)
        });
        let (plan, run) = plan(folder.path(), &image);
        let warning = &plan.notes()[0];
        let words = "The parts are not apart: 1 validation block of the image shows ground";
        assert!(warning.starts_with(words), "{warning}");
        let engine = Engine::start().expect("a thread");
        events_of(&engine.train(plan, Waker::none()));
        let kept = kept_leaks(&run).expect("it is kept");
        assert_eq!(kept.leaks.len(), 1, "{kept:?}");
        assert!(
            kept.leaks[0].examples[0]
                .first
                .starts_with("image.png around ")
        );
    }

    #[test]
    fn a_run_on_an_image_that_is_put_together_of_cells_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut image = GrayImage::new(SIDE, SIDE);
        for cell in 0..16 {
            let ground = imageops::resize(&random(20, cell), 128, 128, FilterType::Triangle);
            let (col, row) = ((cell % 4) as i64, (cell / 4) as i64);
            imageops::replace(&mut image, &ground, col * 128, row * 128);
        }
        let (plan, _) = plan(folder.path(), &image);
        let warning = &plan.notes()[0];
        let words = "The image is put together of cells of 128 × 128 pixels: ";
        assert!(warning.starts_with(words), "{warning}");
    }
}
