use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::exchange::Part;

/// What is known of a sample without reading its pixels again.
#[derive(Clone, Copy, Debug)]
pub struct SampleId<'a> {
    /// What the sample is called; the part it gets follows from this, so it should be its path
    /// inside the data set when names repeat.
    pub name: &'a str,
    /// The image file.
    pub path: &'a Path,
    /// The part that the folders or files of the data set give it.
    pub stated_part: Option<Part>,
    /// What it belongs to, when the data set says so.
    pub group: Option<&'a str>,
    /// A number that only samples of equal pixels share.
    pub fingerprint: Option<u64>,
    /// Pixels of each class in its mask, by class index.
    pub class_pixels: Option<&'a [u64]>,
}

impl<'a> SampleId<'a> {
    /// A sample of which nothing but name and file is known.
    pub const fn new(name: &'a str, path: &'a Path) -> Self {
        Self {
            name,
            path,
            stated_part: None,
            group: None,
            fingerprint: None,
            class_pixels: None,
        }
    }
}

/// A sample with its part; stored beside a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedSample {
    /// The sample's name.
    pub name: String,
    /// Its part; `None` when it is left out.
    pub part: Option<Part>,
}

/// The part of each sample and what the user should know about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The samples, in the order in which they were given.
    pub samples: Vec<AssignedSample>,
    /// Sentences for the user.
    pub notes: Vec<String>,
}

impl Assignment {
    /// The part of sample `index`; `None` when it is left out.
    pub fn part(&self, index: usize) -> Option<Part> {
        self.samples.get(index).and_then(|sample| sample.part)
    }

    /// Indices of the samples of `part`, rising.
    pub fn indices(&self, part: Part) -> Vec<usize> {
        (0..self.samples.len())
            .filter(|&index| self.part(index) == Some(part))
            .collect()
    }

    /// Number of samples of `part`.
    pub fn count(&self, part: Part) -> usize {
        self.indices(part).len()
    }

    /// `parts` of `samples`, in their order.
    pub(super) fn of(samples: &[SampleId<'_>], parts: &[Option<Part>], notes: Vec<String>) -> Self {
        let assigned = samples.iter().zip(parts);
        let assigned = assigned.map(|(sample, &part)| AssignedSample {
            name: sample.name.to_owned(),
            part,
        });
        Self {
            samples: assigned.collect(),
            notes,
        }
    }
}
