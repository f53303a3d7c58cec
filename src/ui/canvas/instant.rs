use crate::session::InstantState;
use crate::train::{InstantOutcome, InstantReport};
use crate::ui::text;

/// What instant answers are at, in a few words.
pub fn instant_hint(state: InstantState) -> String {
    let told = match state.report {
        _ if state.is_too_wide => "zoom in, they reach over 4 million pixels at most".to_owned(),
        Some(report) => told(report),
        None => "looking at the image".to_owned(),
    };
    let goes_on = match state.looked_at {
        _ if state.is_too_wide || !state.is_working => String::new(),
        Some((seen, all)) => format!(", {seen} of {all} tiles of the view seen…"),
        None => "…".to_owned(),
    };
    format!("instant answers: {told}{goes_on}")
}

fn told(report: InstantReport) -> String {
    match (report.outcome, report.num_classes) {
        (InstantOutcome::Answered, classes) => format!(
            "{classes} classes, {} px, {:.1} s",
            text::grouped(report.num_pixels),
            report.seconds
        ),
        (InstantOutcome::TooFewClasses, 0) => "scribble on two classes".to_owned(),
        (InstantOutcome::TooFewClasses, _) => "scribble on a second class".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_before_what_there_is() {
        let report = InstantReport {
            outcome: InstantOutcome::Answered,
            num_classes: 2,
            num_pixels: 1_240,
            nearest: None,
            looked_at: 0,
            seconds: 0.34,
        };
        let few = |num_classes| InstantReport {
            outcome: InstantOutcome::TooFewClasses,
            num_classes,
            ..report
        };
        let table = [
            (None, true, false, "looking at the image…"),
            (Some(few(0)), false, false, "scribble on two classes"),
            (Some(few(1)), false, false, "scribble on a second class"),
            (Some(report), false, false, "2 classes, 1,240 px, 0.3 s"),
            (Some(report), true, false, "2 classes, 1,240 px, 0.3 s…"),
            (
                Some(report),
                true,
                true,
                "zoom in, they reach over 4 million pixels at most",
            ),
        ];
        for (report, is_working, is_too_wide, words) in table {
            let state = InstantState {
                is_working,
                is_too_wide,
                looked_at: None,
                report,
            };
            assert_eq!(instant_hint(state), format!("instant answers: {words}"));
        }
    }

    #[test]
    fn the_view_is_prepared_before_there_are_scribbles_and_that_is_shown() {
        let preparing = InstantState {
            is_working: true,
            is_too_wide: false,
            looked_at: Some((8, 24)),
            report: None,
        };
        assert_eq!(
            instant_hint(preparing),
            "instant answers: looking at the image, 8 of 24 tiles of the view seen…"
        );
        let over = InstantState {
            is_working: false,
            ..preparing
        };
        assert!(!instant_hint(over).contains("tiles"));
    }
}
