use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::jobs::Report;
use super::keeping::{Work, absolute};
use super::state::{ImageId, Session};
use super::{CommandError, LayerKind, Notice};
use crate::dataset::Rng;
use crate::disk::replace_file;
use crate::exchange::quoted;
use crate::label::{CheckPoint, CheckedMap, Class, MapCheck, Rgb, Seen};
use crate::metrics::{AreaEstimates, CheckedStratum, Margined};

/// Points that a person will look at, at most.
pub const MOST_POINTS: usize = 5_000;

/// Looking at points of a map, to learn how much ground each class covers.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckCommand {
    /// Draws about `points` points of a layer class by class and begins to look; points that were
    /// drawn before are forgotten.
    Draw {
        /// The map: the label or the prediction.
        of: LayerKind,
        /// How many, at most [`MOST_POINTS`].
        points: usize,
        /// What is drawn at random follows from this.
        seed: u64,
    },
    /// Goes to the first point that nobody looked at.
    GoOn,
    /// Says what is at the current point and goes to the next one that nobody looked at.
    Say(Seen),
    /// Goes to the next point or the one before.
    Step {
        /// Whether to the next one.
        forth: bool,
    },
    /// Looks at no more points for now.
    Leave,
    /// Forgets all points and what was seen.
    Drop,
    /// Writes the estimates as CSV, and the points beside them.
    Export(PathBuf),
}

/// The points of the open image.
#[derive(Clone, Debug, Default)]
pub(super) struct Checking {
    pub points: MapCheck,
    at: Option<usize>,
    /// Which layers were seen before looking began: label and prediction.
    seen_before: Option<[bool; 2]>,
}

/// The map is hidden while points are looked at, so that nobody says what it says.
const HIDDEN: [LayerKind; 2] = [LayerKind::Label, LayerKind::Prediction];

impl Session {
    /// The points that were drawn; `None` when there are none.
    pub fn map_check(&self) -> Option<&MapCheck> {
        Some(&self.places.checking.points).filter(|check| !check.points.is_empty())
    }

    /// The prediction that is there by now, where the points are of another one.
    pub fn map_instead_of_checked(&self) -> Option<CheckedMap> {
        let of = self.map_check()?.of.as_ref()?;
        let now = self.map_of(LayerKind::Prediction)?;
        (*of != CheckedMap::Label && *of != now).then_some(now)
    }

    /// Which map a layer is now.
    fn map_of(&self, kind: LayerKind) -> Option<CheckedMap> {
        let layer = self.layer(kind)?;
        if kind == LayerKind::Label {
            return Some(CheckedMap::Label);
        }
        let run = self.predicted_by().or(layer.path.as_deref());
        Some(CheckedMap::Prediction(run.map(absolute)))
    }

    /// The number of the point that is looked at, from 0, and the point.
    pub fn checked_point(&self) -> Option<(usize, CheckPoint)> {
        let at = self.places.checking.at?;
        Some((at, *self.places.checking.points.points.get(at)?))
    }

    /// The classes that estimates are of: those of the table, then those that only points know.
    ///
    /// A class that was removed stays among them: its ground is part of what was sampled, and what
    /// was seen as it is nothing else since, so that without it the rest would be scaled up.
    pub fn area_classes(&self) -> Vec<Class> {
        const NO_CLASS: Rgb = [128; 3];
        let gone = self.classes_gone().into_iter();
        let gone = gone.map(|class| Class::new(class, self.area_name(class), NO_CLASS));
        let ours = self.classes().classes().iter().cloned();
        ours.chain(gone).collect()
    }

    /// Which classes points know and the table does not, in words; `None` when there are none.
    pub fn areas_removed(&self) -> Option<String> {
        let gone = self.classes_gone().into_iter();
        let names: Vec<String> = gone.map(|class| self.area_name(class)).collect();
        (!names.is_empty()).then(|| {
            format!(
                "Not in the list of classes: {}. What was mapped or seen as such a class still \
                 counts, in a row of its own. To say it of more points, add a class of its name again; \
                 for areas without it, drop the points and draw others",
                names.join(", ")
            )
        })
    }

    /// Indices at points that no class of the table has.
    fn classes_gone(&self) -> BTreeSet<u8> {
        let mut gone = self.checked_classes();
        gone.retain(|&class| self.classes().get(class).is_none());
        gone
    }

    fn area_name(&self, class: u8) -> String {
        let is_gone = self.classes().get(class).is_none();
        let mut removed = self.palette.removed.iter().rev();
        match removed.find(|known| is_gone && known.index == class) {
            Some(known) => format!("{} (removed)", known.name),
            None => self.classes().name_of(class),
        }
    }

    /// How much ground each class covers by the points that were looked at, in the order of
    /// [`Self::area_classes`]; `None` until two points of each mapped class were.
    pub fn area_estimates(&self) -> Option<AreaEstimates> {
        AreaEstimates::of(&self.checked_strata())
    }

    /// Which mapped classes have too few points for [`Self::area_estimates`], and what to do about
    /// it; `None` when there are estimates, or no points at all.
    pub fn areas_lack(&self) -> Option<String> {
        let check = self.map_check()?;
        let (mut more, mut never) = (Vec::new(), Vec::new());
        for stratum in &check.strata {
            let (usable, open) = check.usable_and_open(stratum.class);
            let few = if usable + open < 2 {
                &mut never
            } else {
                &mut more
            };
            if usable < 2 {
                few.push(self.area_name(stratum.class));
            }
        }
        let said = [
            (
                never,
                "With these points there will be no estimates: fewer than two points can be told of",
                "Look again at those that cannot be told, or drop the points, give tiny classes \
                 of the map to others and draw again",
            ),
            (
                more,
                "Estimates need two checked points of each mapped class; there are fewer of",
                "Go on checking",
            ),
        ];
        let said = said.iter().filter(|(names, ..)| !names.is_empty());
        let said = said.map(|(names, what, help)| format!("{what} {}. {help}", names.join(", ")));
        let said: Vec<String> = said.collect();
        (!said.is_empty()).then(|| said.join(". "))
    }

    /// Square meters of the ground that was mapped, when the image lies on a map.
    pub fn mapped_square_meters(&self) -> Option<f64> {
        let [width, height] = self.image.as_ref()?.pixel_meters?;
        let strata = &self.places.checking.points.strata;
        let pixels: u64 = strata.iter().map(|stratum| stratum.pixels).sum();
        Some(pixels as f64 * width * height)
    }

    /// The indices of all classes that were mapped or seen at points.
    pub(super) fn checked_classes(&self) -> BTreeSet<u8> {
        let check = &self.places.checking.points;
        let mapped = check.strata.iter().map(|stratum| stratum.class);
        let seen = check.points.iter().filter_map(|point| match point.seen {
            Some(Seen::Class(class)) => Some(class),
            Some(Seen::Unclear) | None => None,
        });
        mapped.chain(seen).collect()
    }

    fn checked_strata(&self) -> Vec<CheckedStratum> {
        let classes = self.area_classes();
        let place = |class: u8| classes.iter().position(|it| it.index == class);
        let check = &self.places.checking.points;
        let stratum = |of: &crate::label::Stratum| {
            let mut seen = vec![0; classes.len()];
            for point in check.points.iter().filter(|point| point.mapped == of.class) {
                if let Some(Seen::Class(class)) = point.seen
                    && let Some(place) = place(class)
                {
                    seen[place] += 1;
                }
            }
            Some(CheckedStratum {
                class: place(of.class)?,
                weight: of.pixels as f64,
                seen,
            })
        };
        check.strata.iter().filter_map(stratum).collect()
    }

    pub(super) fn apply_check(&mut self, command: CheckCommand) -> Result<(), CommandError> {
        match command {
            CheckCommand::Draw { of, points, seed } => return self.draw_points(of, points, seed),
            CheckCommand::GoOn => self.look_at(0)?,
            CheckCommand::Say(seen) => return self.say_seen(seen),
            CheckCommand::Step { forth } => {
                let (at, _) = self.checked_point().ok_or_else(no_points)?;
                let count = self.places.checking.points.points.len();
                let step = if forth { 1 } else { count - 1 };
                self.places.checking.at = Some((at + step) % count);
            }
            CheckCommand::Leave => self.leave_points(),
            CheckCommand::Drop => {
                self.refuse_when_read_only()?;
                self.leave_points();
                self.places.checking.points = MapCheck::default();
                self.keep_points();
            }
            CheckCommand::Export(path) => return self.export_points(&path),
        }
        Ok(())
    }

    fn draw_points(&mut self, of: LayerKind, points: usize, seed: u64) -> Result<(), CommandError> {
        self.refuse_when_read_only()?;
        self.refuse_during_stroke()?;
        let map = self.layer(of).ok_or_else(|| {
            let why = "There is no such map to check: label the image or predict it first";
            CommandError::Refused(why.to_owned())
        })?;
        let (map, id) = (map.mask.clone(), self.image.as_ref().map(|image| image.id));
        let id = id.ok_or(CommandError::NoImage)?;
        let of = self.map_of(of);
        self.start_job("Drawing points", move |job| {
            let mut rng = Rng::of(&[seed, points as u64]);
            let count = points.clamp(1, MOST_POINTS);
            let drawn = MapCheck::drawn(&map, count, |end| rng.below(end));
            let drawn = MapCheck { of, ..drawn };
            job.tell(Report::PointsDrawn(id, drawn))?;
            Ok(())
        });
        Ok(())
    }

    /// Begins to look at points, if the image they are of is still open.
    pub(super) fn points_drawn(&mut self, image: ImageId, drawn: MapCheck) {
        if self.image.as_ref().map(|open| open.id) != Some(image) {
            return;
        }
        if drawn.points.is_empty() {
            let why = "There is nothing on the map to check: all of it is unlabeled";
            return self.notify(Notice::info(why));
        }
        self.leave_points();
        self.places.checking.points = drawn;
        self.keep_points();
        if let Err(error) = self.look_at(0) {
            self.notify(Notice::error(error.to_string()));
        }
    }

    /// Goes to the first point from `from` on that nobody looked at, and around; to `from` when all
    /// were.
    fn look_at(&mut self, from: usize) -> Result<(), CommandError> {
        let checking = &mut self.places.checking;
        let points = &checking.points.points;
        if points.is_empty() {
            return Err(no_points());
        }
        let around = (0..points.len()).map(|step| (from + step) % points.len());
        let mut open = around.filter(|&at| points[at].seen.is_none());
        checking.at = Some(open.next().unwrap_or(from % points.len()));
        if checking.seen_before.is_none() {
            let seen = HIDDEN.map(|kind| self.layer(kind).is_some_and(|layer| layer.is_visible));
            self.places.checking.seen_before = Some(seen);
            self.show_map([false; 2]);
        }
        Ok(())
    }

    fn leave_points(&mut self) {
        self.places.checking.at = None;
        if let Some(seen) = self.places.checking.seen_before.take() {
            self.show_map(seen);
        }
    }

    fn show_map(&mut self, is_seen: [bool; 2]) {
        for (kind, is_seen) in HIDDEN.into_iter().zip(is_seen) {
            if self
                .layer(kind)
                .is_some_and(|layer| layer.is_visible != is_seen)
                && let Err(error) = self.show_layer(kind, is_seen)
            {
                self.notify(Notice::error(error.to_string()));
            }
        }
    }

    fn say_seen(&mut self, seen: Seen) -> Result<(), CommandError> {
        self.refuse_when_read_only()?;
        let (at, _) = self.checked_point().ok_or_else(no_points)?;
        if let Seen::Class(class) = seen
            && self.classes().get(class).is_none()
        {
            return Err(CommandError::Refused(
                "What is seen must be one of the classes; add it in the Classes panel".to_owned(),
            ));
        }
        self.places.checking.points.points[at].seen = Some(seen);
        self.keep_points();
        let check = &self.places.checking.points;
        if check.progress().0 == check.points.len() {
            self.leave_points();
            self.notify(Notice::info("All points are checked; see the Area panel"));
            return Ok(());
        }
        self.look_at(at + 1)
    }

    fn keep_points(&mut self) {
        let Some(image) = &self.image else { return };
        let image = absolute(&image.path);
        let points = self.places.checking.points.clone();
        if let Some(keeper) = &mut self.keeper {
            keeper.give(Work::Check { image, points });
        }
    }

    fn export_points(&mut self, path: &Path) -> Result<(), CommandError> {
        let estimates = self.area_estimates().ok_or_else(|| {
            let lack = self.areas_lack();
            CommandError::Refused(lack.unwrap_or_else(|| no_points().to_string()))
        })?;
        let files = [
            (path.to_owned(), self.estimates_csv(&estimates)),
            (path.with_extension("points.csv"), self.points_csv()),
        ];
        self.start_job("Writing the areas", move |job| {
            for (path, text) in &files {
                replace_file(path, text.as_bytes())?;
            }
            let [areas, points] = files.each_ref().map(|(path, _)| path.display());
            job.tell(Report::Note(Notice::info(format!(
                "Areas and points are written: {areas} and {points}"
            ))))?;
            Ok(())
        });
        Ok(())
    }

    fn estimates_csv(&self, estimates: &AreaEstimates) -> String {
        let hectares = self.mapped_square_meters().map(|meters| meters / 10_000.0);
        let number = |value: Option<f64>| value.map_or_else(String::new, |it| format!("{it:.6}"));
        let both = |of: Option<Margined>| {
            let [value, margin] = [of.map(|it| it.value), of.map(|it| it.margin)].map(number);
            format!("{value},{margin}")
        };
        let mut csv = "class,mapped_share,share,share_margin_95,hectares,hectares_margin_95,\
                       users_accuracy,users_margin_95,producers_accuracy,producers_margin_95\n"
            .to_owned();
        for (class, area) in self.area_classes().iter().zip(&estimates.per_class) {
            let ground = hectares.map(|all| Margined {
                value: area.share.value * all,
                margin: area.share.margin * all,
            });
            let line = [
                quoted(&class.name),
                number(Some(area.mapped)),
                both(Some(area.share)),
                both(ground),
                both(area.users),
                both(area.producers),
            ];
            csv.push_str(&line.join(","));
            csv.push('\n');
        }
        let overall = both(Some(estimates.overall));
        csv.extend(["\"overall accuracy\",,", &overall, ",,,,,,\n"]);
        csv
    }

    fn points_csv(&self) -> String {
        let name = |class: u8| quoted(&self.area_name(class));
        let mut csv = "x,y,mapped,seen\n".to_owned();
        for point in &self.places.checking.points.points {
            let seen = match point.seen {
                Some(Seen::Class(class)) => name(class),
                Some(Seen::Unclear) => "unclear".to_owned(),
                None => String::new(),
            };
            let [x, y] = [point.x, point.y].map(|at| at.to_string());
            let line = [x, y, name(point.mapped), seen].join(",");
            csv.extend([&*line, "\n"]);
        }
        csv
    }
}

fn no_points() -> CommandError {
    CommandError::Refused("No points were drawn yet; draw some in the Area panel".to_owned())
}
