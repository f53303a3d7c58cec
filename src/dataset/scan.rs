use super::cells::Cells;
use super::mask_notes::told_together;
use super::split::Split;
use super::{DatasetError, Ground, Watch};
use crate::geom::PixelRect;
use crate::label::UNLABELED;

/// Reads every mask of `ground` once: its cells, and what there is to note.
///
/// # Errors
/// When a file cannot be read, a mask holds a class beyond `num_classes`, or `watch` says stop.
pub(super) fn scan_all(
    ground: &Ground,
    num_classes: usize,
    watch: &Watch<'_>,
) -> Result<(Vec<Cells>, Vec<String>), DatasetError> {
    let scanned = match ground {
        Ground::Image(scene) => vec![(Cells::scan(scene.mask()), Vec::new())],
        Ground::Files(files) => files.scan(watch)?,
    };
    for (at, (cells, _)) in scanned.iter().enumerate() {
        let name = || match ground {
            Ground::Image(scene) => scene.name().to_owned(),
            Ground::Files(files) => files.name(at),
        };
        check_classes(&cells.histogram(|_| true), num_classes, name)?;
    }
    let (scans, notes): (Vec<Cells>, Vec<Vec<String>>) = scanned.into_iter().unzip();
    let mask_name = |at: usize| match ground {
        Ground::Image(scene) => scene.name().to_owned(),
        Ground::Files(files) => files.mask_name(at),
    };
    let of_mask = |(at, notes): (usize, Vec<String>)| {
        let name = move |note| (mask_name(at), note);
        notes.into_iter().map(name)
    };
    let notes = notes.into_iter().enumerate().flat_map(of_mask);
    Ok((scans, told_together(notes)))
}

fn check_classes(
    histogram: &[u64; 256],
    num_classes: usize,
    scene: impl FnOnce() -> String,
) -> Result<(), DatasetError> {
    let unknown = (num_classes..usize::from(UNLABELED)).find(|&class| histogram[class] > 0);
    match unknown {
        None => Ok(()),
        Some(class) => Err(DatasetError::UnknownClass {
            class: class as u8,
            last: num_classes.saturating_sub(1),
            scene: scene(),
        }),
    }
}

/// Labelled pixels of each class on training ground.
pub(super) fn class_pixels(scans: &[Cells], split: &Split, num_classes: usize) -> Vec<u64> {
    let blocked = split.blocked();
    let mut pixels = vec![0; num_classes];
    for &scene in &split.train_scenes {
        let is_blocked = scans[scene].sums_touching(&blocked);
        let histogram = scans[scene].histogram(|ground| is_blocked.over(ground) == 0);
        for (sum, count) in pixels.iter_mut().zip(histogram) {
            *sum += count;
        }
    }
    pixels
}

/// Scene, upper left corner and held-out ground of a validation patch.
pub(super) type ValidationWindow = (usize, (u32, u32), PixelRect);

/// The held-out ground cut into patches without overlap, those without labels left out.
pub(super) fn validation_windows(
    scans: &[Cells],
    split: &Split,
    side: u32,
) -> Vec<ValidationWindow> {
    let mut windows = Vec::new();
    for &(scene, ground) in &split.held_out {
        let labelled = scans[scene].sums(None);
        for y in (ground.y..ground.bottom()).step_by(side as usize) {
            for x in (ground.x..ground.right()).step_by(side as usize) {
                let rect = PixelRect::new(x, y, side, side).intersect(ground);
                if labelled.over(rect) > 0 {
                    windows.push((scene, (x, y), ground));
                }
            }
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dataset::Scene;
    use crate::dataset::scene::tests::Painted;
    use crate::geom::ImageSize;
    use crate::label::Mask;

    #[test]
    fn a_class_beyond_the_table_is_named() {
        let size = ImageSize::new(300, 260);
        let source = Painted::new(size, |_, _| [1; 4]);
        let scene = Scene::tiled("odd".to_owned(), source, Mask::filled(size, 9), 1 << 20);
        let ground = Ground::Image(Arc::new(scene));
        let error = scan_all(&ground, 2, &Watch::NOBODY).expect_err("an error");
        let is_named = matches!(
            &error,
            DatasetError::UnknownClass { class: 9, last: 1, scene } if scene == "odd"
        );
        assert!(is_named, "{error}");
    }
}
