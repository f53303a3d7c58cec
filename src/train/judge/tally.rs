use super::ground::Unit;
use crate::label::{ClassTable, Mask};
use crate::metrics::{
    Confusion, DEFAULT_RADIUS_PX, PerImage, Presence, RelaxedCounts, SaltPrecision, Scores,
};
use crate::train::{BinaryJudgement, FinalScores, JudgedImage, Judgement, ScoredOn};

/// A judgement lists no more images.
const MOST_IMAGES: usize = 10_000;

/// Counts that grow image by image.
pub(super) struct Tally {
    classes: ClassTable,
    pooled: Confusion,
    per_image: PerImage,
    images: Vec<JudgedImage>,
    binary: Option<BinaryTally>,
}

/// Counts of the one class that there is besides the other.
struct BinaryTally {
    class: u8,
    salt: SaltPrecision,
    relaxed: RelaxedCounts,
    presence: Presence,
}

impl Tally {
    /// No image yet, for a network of `num_classes` outputs.
    pub(super) fn new(classes: ClassTable, num_classes: usize) -> Self {
        let class = match classes.background() {
            Some(1) => 0,
            _ => 1,
        };
        Self {
            pooled: Confusion::new(num_classes),
            per_image: PerImage::new(num_classes, classes.background()),
            images: Vec::new(),
            binary: (num_classes == 2).then(|| BinaryTally {
                class,
                salt: SaltPrecision::default(),
                relaxed: RelaxedCounts::new(class, DEFAULT_RADIUS_PX),
                presence: Presence::default(),
            }),
            classes,
        }
    }

    /// Counts `prediction` against the labels of `unit`.
    pub(super) fn add(&mut self, unit: &Unit, prediction: &Mask) {
        let num_classes = self.pooled.num_classes();
        let counts = Confusion::within(&unit.truth, prediction, unit.rect, num_classes);
        let mut alone = PerImage::new(num_classes, self.classes.background());
        alone.add(&counts);
        let scores = alone.scores();
        if self.images.len() < MOST_IMAGES {
            self.images.push(JudgedImage {
                name: unit.name.clone(),
                pixels: counts.pixels(),
                mean_iou: scores.per_image_mean_iou,
                pixel_accuracy: scores.per_image_pixel_accuracy,
            });
        }
        if let Some(binary) = &mut self.binary {
            let of_class = counts.binary(usize::from(binary.class));
            binary.salt.add(of_class);
            if counts.pixels() > 0 {
                let evidence = of_class.predicted() as f64;
                binary.presence.add(of_class.support(), evidence);
            }
            binary.relaxed.add(&unit.truth, prediction, unit.rect);
        }
        self.per_image.merge(&alone);
        self.pooled.merge(&counts);
    }

    /// The judgement of all images, but for how often, where and how long.
    pub(super) fn into_judgement(self, on: ScoredOn, epoch: u32) -> Judgement {
        let classes = self.classes;
        Judgement {
            total: FinalScores {
                on,
                epoch,
                scores: Scores::new(&self.pooled, &classes),
            },
            reads: 1,
            device: String::new(),
            seconds: 0.0,
            per_image: self.per_image.scores(),
            images: self.images,
            binary: self.binary.map(|binary| BinaryJudgement {
                class: binary.class,
                name: classes.name_of(binary.class),
                salt: binary.salt,
                relaxed: binary.relaxed,
                presence: binary.presence.scores(0.0),
            }),
        }
    }
}
