use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::png_tile::{write_image, write_mask};
use super::room::{check_coco, check_folder, check_stem, with_those_there};
use super::shapes::{CutTiles, TileShapes};
use super::split::{Part, SplitTiles, TileShares, split_tiles};
use super::{Tile, TilePlan};
use crate::disk::replace_with;
use crate::exchange::ExchangeError;
use crate::label::{ClassTable, Control, Mask, ReadPixels, UNLABELED};

/// What is to be cut into tiles, and how.
pub struct TileWork<'a> {
    /// What the tiles' names begin with, as a rule the image's name without its ending.
    pub stem: &'a str,
    /// Reads the image, which is as large as the mask.
    pub read: &'a ReadPixels<'a>,
    /// The labels.
    pub mask: &'a Mask,
    /// Their classes.
    pub classes: &'a ClassTable,
    /// Where tiles lie.
    pub plan: TilePlan,
    /// What they are for.
    pub shares: TileShares,
    /// The share of a tile's pixels, 0 to 1, that must be labeled; filled-up ones are not.
    pub min_labeled: f64,
    /// How tiles are labeled besides by masks.
    pub shapes: &'a [TileShapes],
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TileReport {
    /// Tiles for training.
    pub num_train: usize,
    /// Tiles for validation.
    pub num_validation: usize,
    /// Tiles for tests.
    pub num_test: usize,
    /// Tiles left out because too little of them is labeled.
    pub num_unlabeled: usize,
    /// Tiles left out because they lie across ground of two parts.
    pub num_across: usize,
    /// What the person should know.
    pub notes: Vec<String>,
}

/// Cuts an image and its mask into PNG files; `None` when cancelled.
///
/// Tiles go to `FOLDER/{train,val,test}/{images,masks}/STEM_r{row}_c{col}.png`: images as RGB,
/// nodata and what is filled up being black, masks as class indices with a palette, 255 being
/// unlabeled. Only parts that have tiles have folders. The classes go to `FOLDER/classes.toml`.
/// Tiles of several images may share a folder, but one image's are never mixed with those of an
/// earlier cut, which may have put the same ground elsewhere.
///
/// Each thread of rayon's pool holds one tile in memory. What was written stays when the work is
/// cancelled or fails.
///
/// # Errors
/// [`ExchangeError`] when the plan is not possible or gives no tile, the folder has tiles of this
/// image, the image cannot be read, or the disk refuses.
pub fn write_tiles(
    folder: &Path,
    work: &TileWork<'_>,
    control: &Control<'_>,
) -> Result<Option<TileReport>, ExchangeError> {
    let all = work.plan.tiles(work.mask.size())?;
    check_stem(work.stem)?;
    check_folder(folder, work.stem)?;
    if work.shapes.contains(&TileShapes::Coco) {
        check_coco(folder)?;
    }
    let Some(labeled) = work.labeled(&all, control) else {
        return Ok(None);
    };
    let split = work.split(all.len(), &labeled)?;
    let classes = folder.join("classes.toml");
    with_those_there(&classes, work.classes)?.save(&classes)?;
    let num_done = AtomicUsize::new(0);
    let written = split.tiles.par_iter().try_for_each(|&(tile, part)| {
        if (control.is_cancelled)() {
            return Err(Stop::Cancelled);
        }
        work.write(tile, &folder.join(part.folder()))
            .map_err(Stop::Failed)?;
        let done = num_done.fetch_add(1, Ordering::Relaxed) + 1;
        (control.progress)(done as f32 / split.tiles.len() as f32);
        Ok(())
    });
    match written {
        Err(Stop::Cancelled) => return Ok(None),
        Err(Stop::Failed(error)) => return Err(error),
        Ok(()) => {}
    }
    let cut = CutTiles {
        folder,
        stem: work.stem,
        side: work.plan.side,
        mask: work.mask,
        classes: work.classes,
        tiles: &split.tiles,
    };
    let mut notes = Vec::new();
    for &shapes in work.shapes {
        let Some(said) = cut.write(shapes, control)? else {
            return Ok(None);
        };
        notes.extend(said);
    }
    let count = |part| split.tiles.iter().filter(|tile| tile.1 == part).count();
    Ok(Some(TileReport {
        num_train: count(Part::Train),
        num_validation: count(Part::Validation),
        num_test: count(Part::Test),
        num_unlabeled: all.len() - labeled.len(),
        num_across: split.num_across,
        notes,
    }))
}

/// Why no more tiles are written.
enum Stop {
    Cancelled,
    Failed(ExchangeError),
}

impl TileWork<'_> {
    /// The tiles that have enough labels; `None` when cancelled.
    fn labeled(&self, tiles: &[Tile], control: &Control<'_>) -> Option<Vec<Tile>> {
        let side = f64::from(self.plan.side);
        let is_enough = |tile: &Tile| {
            let classes = self.mask.read_rect(tile.rect);
            let labeled = classes.iter().filter(|&&class| class != UNLABELED).count();
            labeled as f64 >= self.min_labeled * side * side
        };
        let judged: Option<Vec<bool>> = tiles
            .par_iter()
            .map(|tile| (!(control.is_cancelled)()).then(|| is_enough(tile)))
            .collect();
        let kept = tiles.iter().zip(judged?).filter(|(_, is_kept)| *is_kept);
        Some(kept.map(|(tile, _)| *tile).collect())
    }

    /// The labeled ones of so many tiles by what they are for, of which there is one at least.
    fn split(&self, all: usize, labeled: &[Tile]) -> Result<SplitTiles, ExchangeError> {
        let split = split_tiles(labeled, &self.plan, &self.shares)?;
        if split.tiles.is_empty() {
            let reason = self.why_none(all, labeled.len());
            return Err(ExchangeError::TilePlan { reason });
        }
        Ok(split)
    }

    /// Why no tile is left of so many, of which so many are labeled, and what to do.
    fn why_none(&self, all: usize, labeled: usize) -> String {
        let (side, size) = (self.plan.side, self.mask.size());
        match (all, labeled) {
            (0, _) => format!(
                "no tile of {side} pixels is whole in an image of {size}; choose a smaller side, or \
                 let tiles at the edge be filled up (pad)"
            ),
            (_, 0) => format!(
                "in none of the {all} tiles is a share of {} labeled; ask for less, or label more",
                self.min_labeled
            ),
            _ => format!(
                "each of the {labeled} tiles lies across ground of two parts; choose less overlap, \
                 smaller tiles or other shares"
            ),
        }
    }

    fn write(&self, tile: Tile, folder: &Path) -> Result<(), ExchangeError> {
        let name = format!("{}.png", tile.name(self.stem));
        let path = folder.join("images").join(&name);
        let (width, side) = (tile.rect.width, self.plan.side);
        let pixels = self.pixels(tile, &path)?;
        replace_with(&path, |file| write_image(file, &pixels, width, side))?;
        let classes = self.mask.read_rect(tile.rect);
        replace_with(&folder.join("masks").join(&name), |file| {
            write_mask(file, &classes, width, side, self.classes)
        })?;
        Ok(())
    }

    fn pixels(&self, tile: Tile, path: &Path) -> Result<Vec<[u8; 4]>, ExchangeError> {
        let unreadable = |reason| ExchangeError::UnreadablePixels {
            reason,
            path: path.to_owned(),
        };
        let bytes = (self.read)(tile.rect).map_err(unreadable)?;
        let (pixels, rest) = bytes.as_chunks::<4>();
        let wanted = tile.rect.num_pixels();
        if pixels.len() as u64 != wanted || !rest.is_empty() {
            let reason = format!("{} bytes came for {wanted} pixels", bytes.len());
            return Err(unreadable(reason));
        }
        Ok(pixels.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Mutex;

    use super::super::Edge;
    use super::super::shapes::COCO_FILE;
    use super::*;
    use crate::exchange::{read_coco, read_yolo, read_yolo_names, yolo_path};
    use crate::geom::{ImageSize, PixelRect};
    use crate::label::{Encoding, load_mask};
    use crate::raster::open_raster;

    const SIZE: ImageSize = ImageSize::new(100, 70);

    /// Each pixel says where it is; the first row is nodata.
    fn read(rect: PixelRect) -> Result<Vec<u8>, String> {
        let rows = rect.y..rect.bottom();
        let places = rows.flat_map(|y| (rect.x..rect.right()).map(move |x| (x, y)));
        Ok(places
            .flat_map(|(x, y)| [x as u8, y as u8, 200, if y == 0 { 0 } else { 255 }])
            .collect())
    }

    /// Classes 0 and 1 left of column 64, nothing on the right.
    fn mask() -> Mask {
        let mut mask = Mask::new(SIZE);
        mask.set_rect(PixelRect::new(0, 0, 64, 70), &[0; 64 * 70]);
        mask.set_rect(PixelRect::new(3, 5, 2, 2), &[1; 4]);
        mask
    }

    fn work<'a>(mask: &'a Mask, classes: &'a ClassTable) -> TileWork<'a> {
        TileWork {
            stem: "scene",
            read: &read,
            mask,
            classes,
            plan: TilePlan {
                side: 32,
                overlap: 0,
                edge: Edge::Pad,
            },
            shares: TileShares {
                validation: 0.2,
                test: 0.2,
                seed: 1,
            },
            min_labeled: 0.1,
            shapes: &[TileShapes::Yolo, TileShapes::Coco],
        }
    }

    #[test]
    fn tiles_are_cut_where_they_lie() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mask, classes) = (mask(), ClassTable::road());
        let work = work(&mask, &classes);
        let shares = Mutex::new(Vec::new());
        let control = Control {
            progress: &|share| shares.lock().expect("no panic").push(share),
            is_cancelled: &|| false,
        };
        let report = write_tiles(folder.path(), &work, &control);
        let report = report.expect("written").expect("not cancelled");
        assert_eq!(
            report,
            TileReport {
                num_train: 4,
                num_validation: 1,
                num_test: 1,
                num_unlabeled: 6,
                num_across: 0,
                notes: Vec::new(),
            }
        );
        assert!(shares.lock().expect("no panic").contains(&1.0));
        assert_eq!(
            ClassTable::load(&folder.path().join("classes.toml")).expect("written"),
            classes
        );
        let mut num_found = 0;
        for (part, (row, col)) in Part::ALL
            .iter()
            .flat_map(|part| (0..3).flat_map(move |row| (0..2).map(move |col| (part, (row, col)))))
        {
            let name = format!("scene_r{row}_c{col}.png");
            let part = folder.path().join(part.folder());
            let image = part.join("images").join(&name);
            if image.exists() {
                num_found += 1;
                check_tile(
                    &image,
                    &part.join("masks").join(&name),
                    (col * 32, row * 32),
                    &mask,
                );
            }
        }
        assert_eq!(num_found, 6);
    }

    #[test]
    fn shapes_say_what_the_masks_say() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mask, classes) = (mask(), ClassTable::road());
        let written = write_tiles(folder.path(), &work(&mask, &classes), &Control::default());
        assert!(written.expect("written").is_some());
        let names = read_yolo_names(&folder.path().join("data.yaml"));
        assert_eq!(names.expect("ours").name_of(1), classes.name_of(1));
        let size = ImageSize::new(32, 32);
        let mut num_compared = 0;
        for part in Part::ALL.map(|part| folder.path().join(part.folder())) {
            let coco = read_coco(&part.join(COCO_FILE)).expect("ours");
            for entry in fs::read_dir(part.join("masks")).expect("masks") {
                let path = entry.expect("a mask").path();
                let there = load_mask(&path, None, Encoding::Index, None).expect("a mask");
                let name = path.file_name().expect("a name").to_string_lossy();
                let image = part.join("images").join(&*name);
                let yolo = read_yolo(&yolo_path(&image), size).expect("ours");
                assert_eq!(yolo.mask, there.mask, "{name}");
                let named = format!("images/{name}");
                let found = coco.mask(&named, size, &|| false).expect("ours");
                assert_eq!(found.expect("there").mask, there.mask, "{name}");
                num_compared += 1;
            }
        }
        assert_eq!(num_compared, 6);
        let mut other = work(&mask, &classes);
        other.stem = "other";
        let error = write_tiles(folder.path(), &other, &Control::default());
        let error = error.expect_err("COCO is there").to_string();
        assert!(error.contains("COCO"), "{error}");
    }

    fn check_tile(image: &Path, tile_mask: &Path, (left, top): (u32, u32), mask: &Mask) {
        let whole = PixelRect::new(0, 0, 32, 32);
        let source = open_raster(image).expect("an image");
        assert_eq!(
            (source.info().bands, source.info().size),
            (3, ImageSize::new(32, 32))
        );
        let pixels = source.read_rgba(0, whole).expect("pixels");
        let classes = load_mask(tile_mask, None, Encoding::Index, None).expect("a mask");
        for (index, pixel) in pixels.chunks_exact(4).enumerate() {
            let (col, row) = (index as u32 % 32, index as u32 / 32);
            let (x, y) = (left + col, top + row);
            assert_eq!(classes.mask.get(col, row), mask.get(x, y));
            let is_black = y == 0 || y >= SIZE.height;
            let expected = if is_black {
                [0; 3]
            } else {
                [x as u8, y as u8, 200]
            };
            assert_eq!(pixel[..3], expected);
        }
    }

    #[test]
    fn an_image_is_not_cut_twice_into_one_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mask, classes) = (mask(), ClassTable::road());
        let mut work = work(&mask, &classes);
        let control = Control::default();
        let first = write_tiles(folder.path(), &work, &control);
        assert!(first.expect("written").is_some());
        let error = write_tiles(folder.path(), &work, &control).expect_err("there");
        assert!(error.to_string().contains("already"), "{error}");
        work.stem = "scen";
        work.shapes = &[TileShapes::Yolo];
        assert!(write_tiles(folder.path(), &work, &control).is_ok());
        work.stem = "../scene";
        assert!(write_tiles(folder.path(), &work, &control).is_err());
    }

    #[test]
    fn a_cut_that_gives_no_tile_is_an_error_and_writes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mask, classes) = (Mask::new(SIZE), ClassTable::road());
        let mut work = work(&mask, &classes);
        let refusal = |work: &TileWork<'_>| {
            let error = write_tiles(folder.path(), work, &Control::default());
            let there = fs::read_dir(folder.path()).expect("a folder").count();
            assert_eq!(there, 0, "nothing is written");
            error.expect_err("no tile").to_string()
        };
        let told = refusal(&work);
        assert!(told.contains("in none of the 12 tiles"), "{told}");
        (work.plan.side, work.plan.edge) = (128, Edge::Drop);
        let told = refusal(&work);
        assert!(told.contains("no tile of 128 pixels is whole"), "{told}");
    }

    #[test]
    fn unreadable_pixels_and_cancelling_stop_the_work() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mask, classes) = (mask(), ClassTable::road());
        let mut work = work(&mask, &classes);
        let cancelled = Control {
            progress: &|_| (),
            is_cancelled: &|| true,
        };
        let none = write_tiles(folder.path(), &work, &cancelled).expect("no error");
        assert_eq!(none, None);
        let short: &ReadPixels<'_> = &|_| Ok(vec![0; 3]);
        let broken: &ReadPixels<'_> = &|_| Err("no disk".to_owned());
        for (read, expected) in [(short, "3 bytes came"), (broken, "no disk")] {
            work.read = read;
            let error = write_tiles(folder.path(), &work, &Control::default());
            let error = error.expect_err("unreadable").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
