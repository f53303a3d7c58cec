use std::collections::BTreeMap;

use super::problem::Problem;
use super::widths::{Group, RoadLines, apart, road_of};
use crate::dataset::discover::spread;
use crate::dataset::watch::counted;
use crate::dataset::{DatasetError, Discovery, Watch, discover, image_meters};
use crate::raster::open_raster;

/// Of each data set so many masks are measured.
const MOST_MASKS: usize = 200;

impl Discovery {
    /// Whether roads differ in width between the data sets of a folder that holds several; some
    /// masks of each are read, and those that cannot be are passed over.
    ///
    /// # Errors
    /// [`DatasetError::Stopped`] when `watch` says so.
    pub fn road_widths_between_sets(
        &self,
        watch: &Watch<'_>,
    ) -> Result<Option<Problem>, DatasetError> {
        let mut groups = BTreeMap::new();
        let share = |at: usize| at as f64 / self.datasets.len() as f64;
        for (at, folder) in self.datasets.iter().enumerate() {
            let Ok(set) = discover(folder) else {
                continue;
            };
            let name = folder.strip_prefix(&self.folder).unwrap_or(folder);
            let during = (share(at), share(at + 1));
            let group = watch.during(during, |watch| measured(&set, watch))?;
            groups.insert(name.display().to_string(), group);
        }
        Ok(apart(groups))
    }
}

/// The widths of the roads of a data set.
fn measured(set: &Discovery, watch: &Watch<'_>) -> Result<Group, DatasetError> {
    let mut group = Group::default();
    let classes = set.all_classes();
    if road_of(classes.as_ref()).is_none() {
        return Ok(group);
    }
    let samples = set.samples.iter();
    let samples: Vec<_> = samples.filter(|sample| sample.mask.is_some()).collect();
    let chosen: Vec<usize> = spread(samples.len(), MOST_MASKS).collect();
    let found = counted(watch, chosen.len(), |place| {
        let sample = samples[chosen[place]];
        let mask = sample.load_unfiltered(set).ok();
        let lines = mask.map(|(mask, _)| RoadLines::of(&mask, classes.as_ref()));
        let image = open_raster(&sample.image).ok();
        let meters = image.and_then(|image| image_meters(image.info()));
        Ok(lines.and_then(RoadLines::width).zip(Some(meters)))
    })?;
    for (&at, found) in chosen.iter().zip(found) {
        if let (Some(width), Some(mask)) = (found, &samples[at].mask) {
            group.add(width, mask.path().clone());
        }
    }
    Ok(group)
}

#[cfg(test)]
mod tests {
    use super::super::widths::tests::add;
    use super::*;
    use crate::dataset::LayoutKind;

    /// What is told of two data sets whose roads have these widths.
    fn told(widths: [u32; 2]) -> Option<Problem> {
        let folder = tempfile::tempdir().expect("a folder");
        let names = ["epfl", "mass"];
        for (set, width) in names.into_iter().zip(widths) {
            for n in 1..=4 {
                add(&folder.path().join(set), &format!("satImage_00{n}"), width);
            }
        }
        let mut several = discover(&folder.path().join("epfl")).expect("a data set");
        assert_eq!(several.layout.kind, LayoutKind::EpflRoads);
        several.folder = folder.path().to_owned();
        several.datasets = names.map(|name| folder.path().join(name)).to_vec();
        let told = several.road_widths_between_sets(&Watch::NOBODY);
        told.expect("nobody stops it")
    }

    #[test]
    fn roads_of_two_data_sets_are_compared() {
        let problem = told([12, 4]).expect("a problem");
        let words = "Roads are 15.3 pixels wide in 4 masks (epfl) and 5.1 in 4 masks (mass): ";
        assert!(problem.sentence.starts_with(words), "{}", problem.sentence);
        assert_eq!(told([7, 5]), None);
    }
}
