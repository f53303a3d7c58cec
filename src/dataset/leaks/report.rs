use serde::{Deserialize, Serialize};

use crate::dataset::parts::Part;

/// Most examples that a leak shows.
pub(super) const MOST_EXAMPLES: usize = 8;

/// What two samples of different parts have in common, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakKind {
    /// They are one file.
    SameFile,
    /// Their pixels are equal.
    SamePixels,
    /// One is the other, turned, flipped, resized, recompressed or of changed brightness.
    Copy,
    /// They show common ground, at whatever angle and scale: one is a crop of the other, or they
    /// overlap.
    SameGround,
    /// Their extents on the map overlap.
    MapOverlap,
    /// They are tiles of one image, by their names.
    SameParent,
    /// They are frames of one recording, by their names.
    SameRecording,
    /// They are tiles that touch, by the map corners in their names.
    Neighbors,
}

/// Two samples that have something in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakExample {
    /// Name of the sample of the earlier part.
    pub first: String,
    /// Name of the sample of the later part.
    pub second: String,
    /// How they are related, in words.
    pub detail: String,
}

/// Something that two parts share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// What kind of thing.
    pub kind: LeakKind,
    /// The parts, the earlier first.
    pub between: (Part, Part),
    /// The two data sets, where it is between such: the first counts as `train`, the second as
    /// `test`, whatever their own parts are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sets: Option<[String; 2]>,
    /// Pairs of samples found. Of tiles and frames, which are many, each sample of the later part
    /// counts once, with its nearest partner.
    pub pairs: usize,
    /// Samples of the later part that are in a pair.
    pub samples: usize,
    /// The worst pairs, at most eight.
    pub examples: Vec<LeakExample>,
    /// What it means and what to do, for the user.
    pub sentence: String,
}

/// All leaks, the worst first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakReport {
    /// The leaks.
    pub leaks: Vec<Leak>,
    /// Images that were compared by their pixels.
    pub images: usize,
    /// Why blocks of the image are no parts to hold out, where it is one image and they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patchwork: Option<String>,
    /// What could not be looked at.
    pub notes: Vec<String>,
}

impl LeakReport {
    /// The leak of `kind` between two parts, if there is one.
    pub fn of(&self, kind: LeakKind, between: (Part, Part)) -> Option<&Leak> {
        let mut leaks = self.leaks.iter();
        leaks.find(|leak| leak.kind == kind && leak.between == between)
    }
}

/// A pair of samples, by index, the one of the earlier part first.
pub(super) struct Found {
    pub(super) kind: LeakKind,
    pub(super) pair: (u32, u32),
    /// Greater is worse, among pairs of one kind.
    pub(super) weight: u32,
    pub(super) detail: String,
}

/// The sentence about `samples` samples of the second part.
pub(super) fn sentence(kind: LeakKind, samples: usize, between: (Part, Part)) -> String {
    let (first, second) = (between.0.word(), between.1.word());
    let plural = if samples == 1 { "" } else { "s" };
    let relation = relation(kind, samples == 1, &format!("the {first} part"));
    let cure = match kind {
        LeakKind::SameFile => "remove them from one of the two",
        LeakKind::SamePixels => "split so that equal images stay in one part",
        LeakKind::Copy => "split before augmenting and keep copies in one part",
        LeakKind::SameGround => "split by the image or place that they were cut from",
        LeakKind::MapOverlap => "split by place",
        LeakKind::SameParent => "split by the parent's name",
        LeakKind::SameRecording => {
            "split by recording, and do not set the score beside published ones"
        }
        LeakKind::Neighbors => "split by larger areas if the score is to hold elsewhere",
    };
    format!("{samples} {second} image{plural} {relation}; {cure}")
}

/// The sentence about `samples` samples of the second data set.
pub(super) fn sentence_of_sets(
    kind: LeakKind,
    samples: usize,
    [first, second]: [&str; 2],
) -> String {
    let plural = if samples == 1 { "" } else { "s" };
    let relation = relation(kind, samples == 1, first);
    format!(
        "{samples} image{plural} of {second} {relation}; never train on one and judge on the other"
    )
}

/// What images, or one alone, have to do with another part or data set.
fn relation(kind: LeakKind, is_one: bool, other: &str) -> String {
    let is = if is_one { "is" } else { "are" };
    let verb = |verb: &str| verb.to_owned() + if is_one { "s" } else { "" };
    match kind {
        LeakKind::SameFile => format!("{is} also in {other}"),
        LeakKind::SamePixels => format!("{is} pixel for pixel in {other}"),
        LeakKind::Copy => {
            format!("{is} copied from {other}, turned, resized, recompressed or brightened")
        }
        LeakKind::SameGround => format!("{} ground that {other} shows too", verb("show")),
        LeakKind::MapOverlap => format!("{} an image of {other} on the map", verb("overlap")),
        LeakKind::SameParent => {
            format!("{is} cut from images that {other} has tiles of, by name")
        }
        LeakKind::SameRecording => {
            format!("{is} of recordings that {other} has frames of, by name")
        }
        LeakKind::Neighbors => {
            let touches = if is_one { "touches" } else { "touch" };
            format!("{touches} images of {other} on the map, by name")
        }
    }
}
