use std::slice::from_ref;

use toml::Value;

use super::Axis;
use crate::dataset::Rng;
use crate::train::TrainError;

/// A search has no more trials.
pub(super) const MOST_TRIALS: usize = 1_000;
/// Numbers of a search are drawn from a stream of their own.
const STREAM: u64 = 0x5EA2_C400;
/// Values that were drawn before are drawn again this often for each trial, at most.
const MOST_DRAWS: u64 = 50;

/// The values of a trial, one for each axis.
pub(super) type Choice = Vec<Value>;

/// Every value of each axis with every value of the others; the last axis changes fastest.
///
/// # Errors
/// When there are too many, or a range does not say how many numbers it stands for.
pub(super) fn grid(axes: &[Axis]) -> Result<Vec<Choice>, TrainError> {
    let mut choices: Vec<Choice> = vec![Vec::new()];
    for axis in axes {
        let values = axis.listed()?;
        if choices.len().saturating_mul(values.len()) > MOST_TRIALS {
            return Err(TrainError::Search(format!(
                "the grid has more than {MOST_TRIALS} trials; take a random sample of it"
            )));
        }
        let with = |choice: &Choice, value: &Value| [choice.as_slice(), from_ref(value)].concat();
        let all = choices
            .iter()
            .flat_map(|choice| values.iter().map(move |value| with(choice, value)));
        choices = all.collect();
    }
    Ok(choices)
}

/// So many choices by chance, none twice: a function of the seed alone, of which the first are the
/// same however many there are. Fewer where there are not so many.
pub(super) fn sample(axes: &[Axis], count: usize, seed: u64) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for draw in 0..count as u64 * MOST_DRAWS {
        if choices.len() == count {
            break;
        }
        let value = |(place, axis): (u64, &Axis)| {
            let bits = Rng::of(&[STREAM, seed, draw, place]).bits();
            axis.at((bits >> 11) as f64 / (1u64 << 53) as f64)
        };
        let choice: Choice = (0..).zip(axes).map(value).collect();
        if !choices.contains(&choice) {
            choices.push(choice);
        }
    }
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(text: &str) -> Vec<Axis> {
        Axis::all_of(&toml::from_str(text).expect("a table")).expect("axes")
    }

    #[test]
    fn a_grid_has_every_value_with_every_other() {
        let axes = axes("a = [1, 2]\nb = { from = 0, to = 2, steps = 3 }");
        let found = grid(&axes).expect("a grid");
        let pairs: Vec<(i64, i64)> = found
            .iter()
            .filter_map(|choice| Some((choice[0].as_integer()?, choice[1].as_integer()?)))
            .collect();
        assert_eq!(pairs, [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]);
    }

    #[test]
    fn a_grid_that_is_too_large_is_refused_before_it_is_made() {
        let many = "{ from = 0.0, to = 1.0, steps = 1000 }";
        let axes = axes(&format!("a = {many}\nb = {many}\nc = {many}"));
        let error = grid(&axes).expect_err("a thousand million").to_string();
        assert!(error.contains("random sample"), "{error}");
    }

    #[test]
    fn a_sample_is_a_function_of_its_seed() {
        let axes = axes("a = [\"x\", \"y\"]\nr = { from = 1e-4, to = 1e-2, scale = \"log\" }");
        let twelve = sample(&axes, 12, 1);
        assert_eq!(twelve.len(), 12);
        assert_eq!(sample(&axes, 5, 1), twelve[..5]);
        assert_ne!(sample(&axes, 12, 2), twelve);
        let rate = |choice: &Choice| choice[1].as_float().expect("a number");
        assert!(
            twelve
                .iter()
                .all(|choice| (1e-4..=1e-2).contains(&rate(choice)))
        );
        let low = twelve.iter().filter(|choice| rate(choice) < 1e-3).count();
        assert!(
            (2..=10).contains(&low),
            "half of them on the log scale: {low}"
        );
    }

    #[test]
    fn no_choice_is_drawn_twice() {
        let axes = axes("a = [1, 2]\nb = [1, 2]");
        let mut found = sample(&axes, 9, 1);
        assert_eq!(found.len(), 4, "there are no more");
        found.dedup();
        assert_eq!(found.len(), 4);
    }
}
