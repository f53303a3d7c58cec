use super::ground::Unit;
use crate::label::{ClassTable, Mask};
use crate::metrics::{
    Confusion, DEFAULT_RADIUS_PX, PerImage, Presence, RelaxedCounts, SaltPrecision, Scores,
    TwoClassRanking,
};
use crate::train::report::ChosenThresholds;
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
    ranking: TwoClassRanking,
    salt: SaltPrecision,
    relaxed: RelaxedCounts,
    presence: Presence,
}

/// The class that is looked for, of a network with two of them.
pub(super) fn looked_for(background: Option<u8>, num_classes: usize) -> Option<u8> {
    (num_classes == 2).then_some(match background {
        Some(1) => 0,
        _ => 1,
    })
}

impl Tally {
    /// No image yet, for a network of `num_classes` outputs.
    pub(super) fn new(classes: ClassTable, num_classes: usize) -> Self {
        Self {
            pooled: Confusion::new(num_classes),
            per_image: PerImage::new(num_classes, classes.background()),
            images: Vec::new(),
            binary: looked_for(classes.background(), num_classes).map(|class| BinaryTally {
                ranking: TwoClassRanking::new(class),
                salt: SaltPrecision::default(),
                relaxed: RelaxedCounts::new(class, DEFAULT_RADIUS_PX),
                presence: Presence::default(),
            }),
            classes,
        }
    }

    /// What counts the probabilities of the class that is looked for.
    pub(super) fn ranking(&mut self) -> Option<&mut TwoClassRanking> {
        Some(&mut self.binary.as_mut()?.ranking)
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
            let of_class = counts.binary(usize::from(binary.ranking.class()));
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

    /// The judgement of all images, but for how often, where, how long and what leaks. The validation part
    /// chooses thresholds by itself; on the test part `chosen` are read.
    pub(super) fn into_judgement(
        self,
        on: ScoredOn,
        epoch: u32,
        chosen: ChosenThresholds,
    ) -> Judgement {
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
            binary: (self.binary).map(|binary| binary.into_judgement(on, chosen, &classes)),
            leaks: None,
        }
    }
}

impl BinaryTally {
    fn into_judgement(
        self,
        on: ScoredOn,
        chosen: ChosenThresholds,
        classes: &ClassTable,
    ) -> BinaryJudgement {
        let chosen = match on {
            ScoredOn::Validation => ChosenThresholds {
                probability: self.ranking.best_threshold(),
                presence: self.presence.best_threshold(),
            },
            ScoredOn::Test => chosen,
        };
        let class = self.ranking.class();
        BinaryJudgement {
            class,
            name: classes.name_of(class),
            salt: self.salt,
            relaxed: self.relaxed,
            presence: self.presence.scores(0.0),
            presence_at_threshold: (chosen.presence)
                .map(|threshold| self.presence.scores(threshold)),
            ranking: Some(self.ranking.scores(chosen.probability)),
        }
    }
}
