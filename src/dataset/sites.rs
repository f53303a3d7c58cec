use super::cells::{Cells, Sums};
use super::{KeepRule, Rng};
use crate::geom::PixelRect;

/// Most places a scene offers; between them patches are moved about at random.
const MAX_SITES: u64 = 1_000_000;
/// A patch is worth reading when this share of it is labelled (or half the best there is).
const WORTHY_SHARE: u64 = 4;
/// A patch shows a class when this share of it does (or half the best there is).
const SHOWN_SHARE: u64 = 64;

/// Places that are tried before one is given up that touches no held-out ground.
const TRIES: usize = 64;

/// Where training patches of one scene may be cut.
#[derive(Debug)]
pub(super) struct SceneSites {
    /// Upper left corners, by row.
    pub(super) corners: Vec<(u32, u32)>,
    /// For each class that occurs, the corners (by index) whose patch shows it.
    pub(super) by_class: Vec<(u8, Vec<u32>)>,
    /// Places with enough labels that the filter left out.
    pub(super) left_out: usize,
    step: u32,
    patch: u32,
    barred: Barred,
    end: (u32, u32),
}

/// Where no patch may lie.
#[derive(Debug)]
struct Barred {
    /// Cells of held-out ground with its margin.
    blocked: Option<Sums>,
    filter: Option<Filter>,
}

/// A filter with what it counts.
#[derive(Debug)]
struct Filter {
    rule: KeepRule,
    counted: Sums,
    labelled: Sums,
}

impl Filter {
    fn keeps(&self, rect: PixelRect) -> bool {
        self.rule
            .keeps(self.counted.over(rect), self.labelled.over(rect))
    }
}

impl SceneSites {
    /// All places where a patch touches none of `blocked`, holds enough labels and is kept by
    /// `keep`, which looks at the cells that a patch touches.
    pub(super) fn find(
        cells: &Cells,
        patch: u32,
        blocked: &[PixelRect],
        keep: Option<&KeepRule>,
    ) -> Self {
        let blocked = (!blocked.is_empty()).then(|| cells.sums_touching(blocked));
        let end = (
            cells.extent.width.saturating_sub(patch),
            cells.extent.height.saturating_sub(patch),
        );
        let mut step = (patch / 4).max(1);
        while u64::from(end.0 / step + 1) * u64::from(end.1 / step + 1) > MAX_SITES {
            step *= 2;
        }
        let mut sites = Self {
            corners: Vec::new(),
            by_class: Vec::new(),
            left_out: 0,
            step,
            patch,
            barred: Barred {
                blocked,
                filter: None,
            },
            end,
        };
        let labelled = cells.sums(None);
        let full = u64::from(patch) * u64::from(patch);
        sites.corners = sites
            .lattice()
            .filter(|&corner| sites.is_free(corner))
            .collect();
        let found = sites.holding(&labelled, full / WORTHY_SHARE);
        sites.corners = found.iter().map(|&at| sites.corners[at as usize]).collect();
        if let Some(rule) = keep {
            sites.filter(cells, rule, labelled);
        }
        let histogram = cells.histogram(|_| true);
        let occurring = (0..255u8).filter(|&class| histogram[usize::from(class)] > 0);
        sites.by_class = occurring
            .map(|class| {
                (
                    class,
                    sites.holding(&cells.sums(Some(class)), full / SHOWN_SHARE),
                )
            })
            .filter(|(_, corners)| !corners.is_empty())
            .collect();
        sites
    }

    /// Leaves out the places that `rule` does not keep.
    fn filter(&mut self, cells: &Cells, rule: &KeepRule, labelled: Sums) {
        let filter = Filter {
            rule: rule.clone(),
            counted: cells.sums_where(|class| rule.counts(class)),
            labelled,
        };
        let before = self.corners.len();
        let patch = self.patch;
        self.corners
            .retain(|&(x, y)| filter.keeps(PixelRect::new(x, y, patch, patch)));
        self.left_out = before - self.corners.len();
        // Where patches cannot be moved there is nothing to ask later.
        self.barred.filter = (self.end != (0, 0)).then_some(filter);
    }

    /// Every `step` pixels, and flush with the right and lower edge.
    fn lattice(&self) -> impl Iterator<Item = (u32, u32)> + use<> {
        let (step, (end_x, end_y)) = (self.step as usize, self.end);
        let along = move |end: u32| (0..end).step_by(step).chain([end]);
        along(end_y).flat_map(move |y| along(end_x).map(move |x| (x, y)))
    }

    fn is_free(&self, corner: (u32, u32)) -> bool {
        let rect = self.rect(corner);
        let blocked = self.barred.blocked.as_ref();
        let filter = self.barred.filter.as_ref();
        blocked.is_none_or(|blocked| blocked.over(rect) == 0)
            && filter.is_none_or(|filter| filter.keeps(rect))
    }

    fn rect(&self, (x, y): (u32, u32)) -> PixelRect {
        PixelRect::new(x, y, self.patch, self.patch)
    }

    /// The corners whose patch holds at least `wanted`, or half of the most that any holds.
    fn holding(&self, sums: &Sums, wanted: u64) -> Vec<u32> {
        let held: Vec<u64> = self
            .corners
            .iter()
            .map(|&at| sums.over(self.rect(at)))
            .collect();
        let most = held.iter().copied().max().unwrap_or(0);
        let enough = wanted.min(most / 2).max(1);
        (0..)
            .zip(held)
            .filter(|&(_, held)| held >= enough)
            .map(|(at, _)| at)
            .collect()
    }

    /// A corner where no held-out ground is touched, labelled or not; `None` when none is found.
    pub(super) fn anywhere(&self, rng: &mut Rng) -> Option<(u32, u32)> {
        let mut along = |end: u32| rng.below(u64::from(end) + 1) as u32;
        let mut drawn = (0..TRIES).map(|_| (along(self.end.0), along(self.end.1)));
        let blocked = self.barred.blocked.as_ref();
        drawn.find(|&corner| blocked.is_none_or(|blocked| blocked.over(self.rect(corner)) == 0))
    }

    /// A corner near that of site `at`, moved at random but never to where no patch may lie.
    pub(super) fn moved(&self, at: usize, rng: &mut Rng) -> (u32, u32) {
        let (x, y) = self.corners[at];
        let mut move_by = |from: u32, end: u32| {
            let by = rng.below(u64::from(self.step) * 2) as i64 - i64::from(self.step);
            (i64::from(from) + by).clamp(0, i64::from(end)) as u32
        };
        let moved = (move_by(x, self.end.0), move_by(y, self.end.1));
        if self.is_free(moved) { moved } else { (x, y) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::PatchFilter;
    use crate::geom::ImageSize;
    use crate::label::{ClassTable, Mask};

    #[test]
    fn patches_never_touch_blocked_ground() {
        let cells = Cells::scan(&Mask::filled(ImageSize::new(300, 200), 1));
        let blocked = PixelRect::new(64, 0, 100, 100);
        let sites = SceneSites::find(&cells, 64, &[blocked], None);
        assert!(!sites.corners.is_empty());
        let mut rng = Rng::of(&[5]);
        for at in 0..sites.corners.len() {
            for _ in 0..50 {
                let rect = sites.rect(sites.moved(at, &mut rng));
                assert!(rect.intersect(blocked).is_empty(), "{rect:?}");
                assert!(rect.right() <= 300 && rect.bottom() <= 200);
            }
        }
    }

    #[test]
    fn patches_anywhere_never_touch_blocked_ground() {
        let mut mask = Mask::new(ImageSize::new(300, 200));
        mask.set_rect(PixelRect::new(0, 0, 64, 64), &[1; 64 * 64]);
        let blocked = PixelRect::new(64, 0, 100, 100);
        let sites = SceneSites::find(&Cells::scan(&mask), 64, &[blocked], None);
        let mut rng = Rng::of(&[5]);
        let found: Vec<_> = (0..200).filter_map(|_| sites.anywhere(&mut rng)).collect();
        assert_eq!(found.len(), 200);
        assert!(
            found
                .iter()
                .all(|&at| sites.rect(at).intersect(blocked).is_empty())
        );
        assert!(found.iter().any(|&(x, _)| x > 200), "also without labels");
        let all = PixelRect::new(0, 0, 300, 200);
        let nowhere = SceneSites::find(&Cells::scan(&mask), 64, &[all], None);
        assert_eq!(nowhere.anywhere(&mut rng), None);
    }

    #[test]
    fn patches_are_cut_where_the_labels_are() {
        let mut mask = Mask::new(ImageSize::new(1000, 1000));
        mask.set_rect(PixelRect::new(500, 500, 40, 40), &[0; 1600]);
        mask.set_rect(PixelRect::new(600, 500, 4, 4), &[3; 16]);
        let sites = SceneSites::find(&Cells::scan(&mask), 128, &[], None);
        assert!(!sites.corners.is_empty());
        let near = PixelRect::new(500, 500, 104, 40);
        assert!(
            sites
                .corners
                .iter()
                .all(|&at| !sites.rect(at).intersect(near).is_empty())
        );
        let classes: Vec<u8> = sites.by_class.iter().map(|(class, _)| *class).collect();
        assert_eq!(classes, [0, 3]);
    }

    #[test]
    fn a_mask_without_labels_offers_nothing() {
        let cells = Cells::scan(&Mask::new(ImageSize::new(50, 50)));
        let sites = SceneSites::find(&cells, 64, &[], None);
        assert!(sites.corners.is_empty() && sites.by_class.is_empty());
    }

    #[test]
    fn an_image_smaller_than_the_patch_offers_its_corner() {
        let cells = Cells::scan(&Mask::filled(ImageSize::new(50, 50), 2));
        assert_eq!(SceneSites::find(&cells, 64, &[], None).corners, [(0, 0)]);
    }

    #[test]
    fn filtered_places_are_never_drawn_however_they_are_moved() {
        let mut mask = Mask::filled(ImageSize::new(640, 640), 0);
        mask.set_rect(PixelRect::new(0, 0, 320, 640), &vec![1; 320 * 640]);
        let classes = ClassTable::from_values(0..2);
        let rule = PatchFilter::default().resolved(&classes).expect("a rule");
        let cells = Cells::scan(&mask);
        let sites = SceneSites::find(&cells, 64, &[], Some(&rule));
        let all = SceneSites::find(&cells, 64, &[], None);
        assert_eq!(sites.left_out, all.corners.len() - sites.corners.len());
        // Columns 0 to 304 of 16 and the last: at 304 a fourth of the patch counts.
        assert_eq!(sites.corners.len(), 20 * 37);
        let mut rng = Rng::of(&[5]);
        for at in 0..sites.corners.len() {
            for _ in 0..20 {
                let (x, _) = sites.moved(at, &mut rng);
                assert!(x < 320, "{x}");
            }
        }
    }
}
