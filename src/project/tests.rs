use std::path::Path;
use std::time::SystemTime;

use super::*;
use crate::disk::replace_file;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{
    Class, ClassTable, Edit, EditKind, History, MASK_TILE_SIZE, Mask, Origin, StateMark, UNLABELED,
};

pub(super) const SIZE: ImageSize = ImageSize::new(700, 500);

/// A label that is painted and kept step by step, as a session does it.
pub(super) struct Painter {
    pub(super) project: Project,
    pub(super) layer: LayerKey,
    pub(super) mask: Mask,
    pub(super) origins: Mask,
    pub(super) history: History,
}

impl Painter {
    pub(super) fn new(path: &Path, image: &Path) -> Self {
        let mut project = Project::open(path).expect("a project");
        let history = History::new(1 << 20);
        let layer = project
            .begin_layer(image, SIZE, None, history.mark())
            .expect("a layer");
        Self {
            project,
            layer,
            mask: Mask::new(SIZE),
            origins: Mask::new(SIZE),
            history,
        }
    }

    fn tiles_of(&self, edit: &Edit) -> Vec<KeptTile> {
        let place = |rect: PixelRect| (rect.x / MASK_TILE_SIZE, rect.y / MASK_TILE_SIZE);
        let tile = |place| KeptTile::of(&self.mask, &self.origins, place);
        edit.dirty_rects()
            .into_iter()
            .map(place)
            .map(tile)
            .collect()
    }

    pub(super) fn paint(&mut self, rect: PixelRect, class: u8) {
        let mut after = self.mask.clone();
        after.set_rect(rect, &vec![class; rect.num_pixels() as usize]);
        let edit = Edit::between(&self.mask, &after, EditKind::Brush).expect("a change");
        let edit = edit.with_origin(&mut self.origins, Origin::HAND);
        self.mask = after;
        self.history.push(edit.clone());
        let step = KeptStep {
            mark: self.history.mark(),
            tiles: self.tiles_of(&edit),
            edit,
            at: SystemTime::UNIX_EPOCH,
        };
        self.project.keep_step(self.layer, &step).expect("kept");
    }

    pub(super) fn undo(&mut self) {
        let edit = self.history.undo().expect("a step");
        self.mask.apply(&edit);
        self.origins.apply_origins(&edit);
        let tiles = self.tiles_of(&edit);
        self.project
            .keep_cursor(self.layer, self.history.mark(), &tiles)
            .expect("kept");
    }
}

/// The road classes, of which one was taken out.
pub(super) fn roads() -> KeptClasses {
    KeptClasses {
        table: ClassTable::road(),
        order: vec![1, 0],
        removed: vec![Class::new(7, "lake", [1, 2, 3])],
    }
}

#[track_caller]
fn check_kept(path: &Path, image: &Path, mask: &Mask, history: &History) {
    let project = Project::open(path).expect("a project");
    let kept = project.layer(image, 1 << 20).expect("whole").expect("kept");
    assert_eq!(&kept.masks_over(Mask::new(SIZE)).0, mask);
    let (mut ours, mut theirs) = (history.clone(), History::restored(kept.history, 1 << 20));
    assert_eq!(theirs.mark(), ours.mark());
    while let Some(step) = ours.redo() {
        assert_eq!(theirs.redo(), Some(step));
    }
    while let Some(step) = ours.undo() {
        assert_eq!(theirs.undo(), Some(step));
    }
    assert!(theirs.undo().is_none());
}

#[test]
fn mask_and_undo_steps_are_as_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, image) = (
        folder.path().join("a.orthobrush"),
        folder.path().join("a.tif"),
    );
    let mut painter = Painter::new(&path, &image);
    painter.paint(PixelRect::new(200, 100, 120, 30), 1);
    painter.paint(PixelRect::new(0, 0, 700, 500), 2);
    painter.paint(PixelRect::new(650, 450, 10, 10), 3);
    painter.undo();
    painter.undo();
    let Painter {
        project,
        mask,
        history,
        ..
    } = painter;
    drop(project);
    check_kept(&path, &image, &mask, &history);
}

#[test]
fn origins_come_back_with_their_models() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, image) = (
        folder.path().join("a.orthobrush"),
        folder.path().join("a.tif"),
    );
    let mut painter = Painter::new(&path, &image);
    painter.paint(PixelRect::new(200, 100, 120, 30), 1);
    painter.project.keep_model(0, "run 7").expect("kept");
    let kept = painter.project.layer(&image, 1 << 20).expect("whole");
    let (_, origins) = kept.expect("kept").masks_over(Mask::new(SIZE));
    assert_eq!(origins, painter.origins);
    assert_eq!(origins.get(319, 129), Origin::HAND.index());
    assert_eq!(painter.project.models().expect("whole"), ["run 7"]);
}

#[test]
fn a_project_of_the_first_version_is_brought_to_this_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, image) = (
        folder.path().join("a.orthobrush"),
        folder.path().join("a.tif"),
    );
    let mut painter = Painter::new(&path, &image);
    painter.paint(PixelRect::new(200, 100, 120, 30), 1);
    let (mask, layer) = (painter.mask.clone(), painter.layer.0);
    let db = &painter.project.db;
    // As the first version wrote it.
    db.execute_batch(
        "DROP TABLE model; DROP TABLE cell; DROP TABLE bookmark; DROP TABLE map_check;
         ALTER TABLE tile DROP COLUMN origin; PRAGMA user_version = 1",
    )
    .expect("changed");
    for (col, row) in [(0, 0), (1, 0)] {
        let data = mask.tile(col, row).to_bytes();
        let crc = super::layers::tile_checksum(layer, (col, row), &data, &[]);
        db.execute(
            "UPDATE tile SET crc = ?1 WHERE col = ?2 AND row = ?3",
            [crc, col, row],
        )
        .expect("changed");
    }
    drop(painter);
    for open in [
        Project::open_read_only,
        Project::open,
        Project::open_read_only,
    ] {
        let project = open(&path).expect("a project");
        let kept = project
            .layer(&image, 1 << 20)
            .expect("whole")
            .expect("kept");
        let (label, origins) = kept.masks_over(Mask::new(SIZE));
        assert_eq!(label, mask);
        assert_eq!(origins, mask.origins_from(Origin::IMPORTED));
        assert!(project.models().expect("whole").is_empty());
    }
}

#[test]
fn a_new_step_forgets_what_was_undone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, image) = (
        folder.path().join("a.orthobrush"),
        folder.path().join("a.tif"),
    );
    let mut painter = Painter::new(&path, &image);
    painter.paint(PixelRect::new(0, 0, 30, 30), 1);
    painter.paint(PixelRect::new(10, 10, 30, 30), 2);
    painter.undo();
    painter.paint(PixelRect::new(20, 20, 30, 30), 3);
    let Painter {
        project,
        mask,
        history,
        ..
    } = painter;
    drop(project);
    check_kept(&path, &image, &mask, &history);
}

#[test]
fn ground_comes_from_the_file_until_all_tiles_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, image) = (
        folder.path().join("a.orthobrush"),
        folder.path().join("a.tif"),
    );
    let file = folder.path().join("a_label.tif");
    replace_file(&file, b"a label").expect("written");
    let base = SourceFile::now(&file).expect("it is there");
    let mut project = Project::open(&path).expect("a project");
    let mark = StateMark::from_number(4);
    let layer = project
        .begin_layer(&image, SIZE, Some(&base), mark)
        .expect("a layer");
    let ground = Mask::filled(SIZE, 5);
    let mut painted = ground.clone();
    painted.set_rect(PixelRect::new(0, 0, 9, 9), &[1; 81]);
    let edit = Edit::between(&ground, &painted, EditKind::Brush).expect("a change");
    let step = KeptStep {
        mark: StateMark::from_number(5),
        edit,
        tiles: vec![KeptTile::of(&painted, &painted, (0, 0))],
        at: SystemTime::now(),
    };
    project.keep_step(layer, &step).expect("kept");
    let kept = project
        .layer(&image, 1 << 20)
        .expect("whole")
        .expect("kept");
    assert_eq!((&kept.source, kept.needs_source), (&Some(base), true));
    assert_eq!(kept.masks_over(ground.clone()).0, painted);
    // The ground as it was when the label was read must not go over the stroke.
    let tiles: Vec<_> = ground
        .tiles()
        .map(|(col, row, _)| KeptTile::of(&ground, &ground, (col, row)))
        .collect();
    project.keep_base(layer, &tiles).expect("kept");
    project.end_base(layer).expect("kept");
    let kept = project
        .layer(&image, 1 << 20)
        .expect("whole")
        .expect("kept");
    assert_eq!((kept.needs_source, kept.saved), (false, Some(mark)));
    assert_eq!(kept.masks_over(Mask::new(SIZE)).0, painted);
}

#[test]
fn old_steps_go_when_the_disk_budget_is_used_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, image) = (
        folder.path().join("a.orthobrush"),
        folder.path().join("a.tif"),
    );
    let mut painter = Painter::new(&path, &image);
    for n in 0..40 {
        painter.paint(PixelRect::new(n * 7, n * 3, 20, 20), (n % 5) as u8);
    }
    painter
        .project
        .forget_old_steps(painter.layer, 400)
        .expect("forgotten");
    let kept = painter
        .project
        .layer(&image, 1 << 20)
        .expect("whole")
        .expect("kept");
    let count = kept.history.steps.len();
    assert!((1..20).contains(&count), "{count} steps are left");
    let mut restored = History::restored(kept.history, 1 << 20);
    let mut mask = painter.mask.clone();
    for _ in 0..count {
        mask.apply(&restored.undo().expect("a step"));
        painter.undo();
    }
    assert_eq!(mask, painter.mask);
    assert!(restored.undo().is_none());
}

#[test]
fn images_and_classes_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("p.orthobrush");
    let image = KeptImage {
        path: folder.path().join("images/north 1.tif"),
        status: "done".to_owned(),
        score: Some(0.5),
    };
    let mut project = Project::open(&path).expect("a project");
    project.keep_image(&image).expect("kept");
    project.keep_classes(&roads()).expect("kept");
    project.keep_locks(&[1, 3]).expect("kept");
    assert_eq!(project.named(&image.path), "images/north 1.tif");
    drop(project);
    let moved = tempfile::tempdir().expect("a folder");
    let new = moved.path().join("p.orthobrush");
    std::fs::copy(&path, &new).expect("copied");
    let project = Project::open_read_only(&new).expect("a project");
    let found = project.images().expect("whole");
    assert_eq!(found[0].path, moved.path().join("images/north 1.tif"));
    let kept = KeptClasses {
        table: project.classes().expect("whole").expect("kept"),
        order: project.class_order().expect("whole"),
        removed: project.removed_classes().expect("whole"),
    };
    assert_eq!(kept, roads());
    assert_eq!(project.locks().expect("whole"), [1, 3]);
}

#[test]
fn what_is_no_project_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.orthobrush");
    replace_file(&path, &[7; 9_000]).expect("written");
    assert!(Project::open(&path).expect_err("no project").is_damage());
    std::fs::remove_file(&path).expect("removed");
    let other = rusqlite::Connection::open(&path).expect("a database");
    other.execute_batch("CREATE TABLE t (a)").expect("made");
    drop(other);
    let error = Project::open(&path).expect_err("another program's");
    assert!(matches!(error, ProjectError::Foreign { .. }), "{error}");
    replace_file(&path, b"").expect("written");
    Project::open(&path).expect("an empty file is a new project");
}

#[test]
fn a_damaged_project_gives_way_to_the_last_good_copy() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, image) = (
        folder.path().join("a.orthobrush"),
        folder.path().join("a.tif"),
    );
    let mut painter = Painter::new(&path, &image);
    painter.paint(PixelRect::new(0, 0, 300, 300), 1);
    painter.project.back_up().expect("a copy");
    let (mask, history) = (painter.mask.clone(), painter.history.clone());
    painter.paint(PixelRect::new(0, 0, 30, 30), 2);
    painter.project.close().expect("closed");
    let mut bytes = std::fs::read(&path).expect("there");
    let end = bytes.len();
    bytes[end / 3..end / 2].fill(0x5a);
    replace_file(&path, &bytes).expect("written");
    let broken = match Project::open(&path) {
        Err(error) => error,
        Ok(project) => project
            .layer(&image, 1 << 20)
            .expect_err("damage is noticed"),
    };
    assert!(broken.is_damage(), "{broken}");
    let recovered = recover(&path).expect("set aside");
    assert!(recovered.from_backup);
    assert_eq!(std::fs::read(&recovered.set_aside).expect("kept"), bytes);
    check_kept(&path, &image, &mask, &history);
}

#[test]
fn a_flipped_bit_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, image) = (
        folder.path().join("a.orthobrush"),
        folder.path().join("a.tif"),
    );
    let mut painter = Painter::new(&path, &image);
    painter.paint(PixelRect::new(10, 10, 100, 100), 1);
    painter
        .project
        .db
        .execute("UPDATE tile SET data = zeroblob(length(data))", [])
        .expect("changed");
    let error = painter.project.layer(&image, 1 << 20).expect_err("noticed");
    assert!(
        error.is_damage() && error.to_string().contains("tile"),
        "{error}"
    );
    assert_eq!(painter.mask.get(5, 5), UNLABELED);
}
