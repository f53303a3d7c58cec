use super::audit::{MaskAudit, percent};
use crate::label::{Align, Encoding, MaskDecisions, NEAR_CODE, Unknown, ZeroMeans, grouped};

/// Something that a person must decide before a mask file becomes a label.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What is known, and what is asked.
    pub text: String,
    /// What can be answered.
    pub choices: Vec<Choice>,
}

/// One answer to a [`Question`].
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What the user reads.
    pub text: String,
    /// What is decided by it.
    pub answer: Answer,
}

/// What a choice decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// About the number 0, or black.
    Zero(ZeroMeans),
    /// About values without a class.
    Unknown(Unknown),
    /// About the grid.
    Align(Align),
}

impl Answer {
    /// The decisions with this answer.
    #[must_use]
    pub const fn decide(self, mut decisions: MaskDecisions) -> MaskDecisions {
        match self {
            Self::Zero(zero) => decisions.zero = zero,
            Self::Unknown(unknown) => decisions.unknown = unknown,
            Self::Align(align) => decisions.align = align,
        }
        decisions
    }

    /// Whether the decisions already are so.
    pub fn is_in(self, decisions: MaskDecisions) -> bool {
        self.decide(decisions) == decisions
    }
}

/// What an audit leaves open.
pub(super) fn questions(audit: &MaskAudit) -> Vec<Question> {
    [about_zero(audit), about_unknown(audit), about_grid(audit)]
        .into_iter()
        .flatten()
        .collect()
}

fn about_zero(audit: &MaskAudit) -> Option<Question> {
    let zero = audit.survey.zero.as_ref().filter(|zero| zero.is_open)?;
    let what = if audit.survey.encoding == Encoding::Rgb {
        "black"
    } else {
        "0"
    };
    let choices = vec![
        choice("A class", Answer::Zero(ZeroMeans::Class)),
        choice(
            "Unlabeled, or outside the data",
            Answer::Zero(ZeroMeans::Unlabeled),
        ),
    ];
    Some(Question {
        text: format!("{}. What does {what} stand for?", zero.why),
        choices,
    })
}

fn about_unknown(audit: &MaskAudit) -> Option<Question> {
    let survey = &audit.survey;
    let is_zero_alone = survey.zero.as_ref().is_some_and(|zero| {
        zero.is_open && survey.num_unknown_values == 1 && zero.pixels == survey.num_unknown
    });
    if survey.num_unknown == 0 || is_zero_alone {
        return None;
    }
    let share = percent(survey.num_unknown as f64 / survey.size.num_pixels().max(1) as f64);
    let verdict = match survey.shading {
        Some(shading) if shading.looks_compressed() => {
            "Its colors look like those of a mask after lossy compression. "
        }
        Some(shading) if shading.looks_foreign() => {
            "Its colors have little to do with those of the classes: it may be a picture, or need \
             another class table. "
        }
        _ => "",
    };
    let mut choices = vec![choice("Unlabeled", Answer::Unknown(Unknown::Unlabeled))];
    let free = 255 - survey.table.classes.classes().len();
    if survey.num_unknown_values <= free.min(64) {
        let text = format!("{} new classes", survey.num_unknown_values);
        choices.push(choice(&text, Answer::Unknown(Unknown::NewClasses)));
    }
    if survey.encoding == Encoding::Rgb {
        for (text, max_distance) in [
            ("The class with the nearest color, if it is near", NEAR_CODE),
            ("The class with the nearest color", 442),
        ] {
            let nearest = Unknown::Nearest { max_distance };
            choices.push(choice(text, Answer::Unknown(nearest)));
        }
    }
    let text = format!(
        "{verdict}{} pixels ({share}) have a value that is no class. What shall they become?",
        grouped(survey.num_unknown)
    );
    Some(Question { text, choices })
}

fn about_grid(audit: &MaskAudit) -> Option<Question> {
    if audit.is_aligned() {
        return None;
    }
    let mut choices = vec![choice("Do not take it", Answer::Align(Align::Refuse))];
    if audit.place.is_known() {
        let by_map = Answer::Align(Align::ByGeoreference);
        choices.push(choice("Where its georeference says", by_map));
    }
    let corner = Answer::Align(Align::CornerToCorner);
    if audit.is_same_size() {
        choices.push(choice(
            "Pixel on pixel, whatever its georeference says",
            corner,
        ));
    } else {
        choices.push(choice("Upper-left corner on upper-left corner", corner));
        choices.push(choice(
            "Stretched to the image",
            Answer::Align(Align::Scale),
        ));
    }
    let size = if audit.is_same_size() {
        String::new()
    } else {
        format!(
            "It has {} pixels and the image {}. ",
            audit.survey.size, audit.image.size
        )
    };
    Some(Question {
        text: format!("{size}{}. Where does it lie on the image?", audit.place),
        choices,
    })
}

fn choice(text: &str, answer: Answer) -> Choice {
    Choice {
        text: text.to_owned(),
        answer,
    }
}
