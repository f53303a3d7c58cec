use serde::Deserialize;
use toml::{Table, Value};

use super::words::words;
use crate::disk::toml_fault;
use crate::train::TrainError;
use crate::train::changes::at_path;

/// Tables in tables are followed no deeper.
const DEEPEST: usize = 8;

/// One choice of the recipe that varies.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    /// Where it stands in the recipe, such as `model.family`.
    pub(super) path: String,
    /// What it may be.
    pub(super) values: AxisValues,
}

/// What a choice may be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum AxisValues {
    /// One of these, as they stand in a recipe file.
    Listed(Vec<Value>),
    /// A number.
    Range(AxisRange),
}

/// Numbers from one to another; whole ones when both ends are written as whole numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AxisRange {
    /// The least.
    pub(super) from: f64,
    /// The greatest.
    pub(super) to: f64,
    /// Whether only whole numbers are meant.
    pub(super) is_whole: bool,
    /// How numbers are spread.
    pub(super) scale: AxisScale,
    /// So many numbers, ends included; without it any.
    pub(super) steps: Option<u32>,
}

/// How the numbers of a range are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AxisScale {
    /// Equal differences are equally likely.
    #[default]
    Linear,
    /// Equal ratios are equally likely.
    Log,
}

/// A range as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRange {
    from: Value,
    to: Value,
    #[serde(default)]
    scale: AxisScale,
    #[serde(default)]
    steps: Option<u32>,
}

impl Axis {
    /// All choices in the table, by path.
    pub(super) fn all_of(vary: &Table) -> Result<Vec<Self>, TrainError> {
        let mut axes = Vec::new();
        collect(&mut axes, "", vary, 0)?;
        axes.sort_by(|one, other| one.path.cmp(&other.path));
        let doubled = axes.windows(2).find(|pair| pair[0].path == pair[1].path);
        match doubled {
            Some(pair) => Err(wrong(&pair[0].path, "it stands there twice")),
            None => Ok(axes),
        }
    }

    /// The values that stand in a grid.
    ///
    /// # Errors
    /// When it is a range that does not say how many.
    pub(super) fn listed(&self) -> Result<Vec<Value>, TrainError> {
        match &self.values {
            AxisValues::Listed(values) => Ok(values.clone()),
            AxisValues::Range(range) => range.listed().ok_or_else(|| {
                wrong(
                    &self.path,
                    "a grid needs to know how many numbers of the range; give it steps",
                )
            }),
        }
    }

    /// The value that a number in [0, 1) stands for.
    pub(super) fn at(&self, unit: f64) -> Value {
        let one_of = |values: &[Value]| {
            let place = (unit * values.len() as f64) as usize;
            values[place.min(values.len() - 1)].clone()
        };
        match &self.values {
            AxisValues::Listed(values) => one_of(values),
            AxisValues::Range(range) => match range.listed() {
                Some(values) => one_of(&values),
                None => range.drawn(unit),
            },
        }
    }

    /// The change of a recipe that puts `value` here.
    pub(super) fn change(&self, value: &Value) -> Table {
        at_path(&self.path, value.clone())
    }

    /// `value` as people read it.
    pub(super) fn said(&self, value: &Value) -> String {
        format!("{} {}", self.path, words(value))
    }

    fn of(path: &str, values: AxisValues) -> Result<Self, TrainError> {
        let is_empty = matches!(&values, AxisValues::Listed(values) if values.is_empty());
        if is_empty {
            return Err(wrong(path, "its list is empty"));
        }
        Ok(Self {
            path: path.to_owned(),
            values,
        })
    }
}

fn collect(
    axes: &mut Vec<Axis>,
    around: &str,
    table: &Table,
    depth: usize,
) -> Result<(), TrainError> {
    for (name, value) in table {
        let path = match around {
            "" => name.clone(),
            around => format!("{around}.{name}"),
        };
        match value {
            Value::Array(values) => {
                axes.push(Axis::of(&path, AxisValues::Listed(values.clone()))?);
            }
            Value::Table(table) if table.contains_key("from") || table.contains_key("to") => {
                let range = AxisRange::of(&path, table)?;
                axes.push(Axis::of(&path, AxisValues::Range(range))?);
            }
            Value::Table(table) if depth < DEEPEST => collect(axes, &path, table, depth + 1)?,
            _ => {
                let why = "give a list of values, or a range such as { from = 1e-4, to = 1e-2 }";
                return Err(wrong(&path, why));
            }
        }
    }
    Ok(())
}

impl AxisRange {
    fn of(path: &str, table: &Table) -> Result<Self, TrainError> {
        let written: Result<WrittenRange, _> = table.clone().try_into();
        let written = written.map_err(|error| wrong(path, &toml_fault(&error)))?;
        let is_whole = written.from.is_integer() && written.to.is_integer();
        let (Some(from), Some(to)) = (number(&written.from), number(&written.to)) else {
            return Err(wrong(path, "the ends of a range must be numbers"));
        };
        let range = Self {
            from,
            to,
            is_whole,
            scale: written.scale,
            steps: written.steps,
        };
        let is_log = range.scale == AxisScale::Log;
        if !(from.is_finite() && to.is_finite() && from < to) {
            return Err(wrong(
                path,
                "its range must rise from a number to a greater one",
            ));
        }
        if is_log && from <= 0.0 {
            return Err(wrong(path, "a range on the log scale must begin above 0"));
        }
        if range
            .steps
            .is_some_and(|steps| !(2..=1000).contains(&steps))
        {
            return Err(wrong(path, "steps must be in 2 to 1000"));
        }
        Ok(range)
    }

    /// The numbers when it says how many; whole ones that come out alike stand there once.
    fn listed(&self) -> Option<Vec<Value>> {
        let steps = self.steps?;
        let share = |step: u32| f64::from(step) / f64::from(steps.max(2) - 1);
        let number = |step| self.value(self.between(share(step), (self.from, self.to)));
        let mut values: Vec<Value> = (0..steps).map(number).collect();
        values.dedup();
        Some(values)
    }

    /// The number at `unit` in [0, 1); each whole number is as likely as another.
    fn drawn(&self, unit: f64) -> Value {
        let margin = if self.is_whole { 0.5 } else { 0.0 };
        self.value(self.between(unit, (self.from - margin, self.to + margin)))
    }

    fn between(&self, share: f64, (from, to): (f64, f64)) -> f64 {
        match self.scale {
            AxisScale::Linear => from + share * (to - from),
            AxisScale::Log => from * (to / from).powf(share),
        }
    }

    /// A number as it stands in a recipe: whole, or of three digits so that people can read it.
    fn value(&self, number: f64) -> Value {
        if self.is_whole {
            return Value::Integer(number.round().clamp(self.from, self.to) as i64);
        }
        let short: f64 = format!("{number:.2e}").parse().unwrap_or(number);
        Value::Float(short.clamp(self.from, self.to))
    }
}

fn number(value: &Value) -> Option<f64> {
    value
        .as_float()
        .or(value.as_integer().map(|whole| whole as f64))
}

fn wrong(path: &str, why: &str) -> TrainError {
    TrainError::Search(format!("vary.{path}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(text: &str) -> Result<Vec<Axis>, TrainError> {
        Axis::all_of(&toml::from_str(text).expect("a table"))
    }

    fn axis(text: &str) -> Axis {
        axes(text).expect("an axis").remove(0)
    }

    #[test]
    fn paths_may_be_quoted_or_not() {
        let found = axes("model.family = [\"unet\"]\n\"model.depth\" = [2, 3]\nbatch = [4]");
        let found = found.expect("axes");
        let paths: Vec<&str> = found.iter().map(|axis| axis.path.as_str()).collect();
        assert_eq!(paths, ["batch", "model.depth", "model.family"]);
    }

    #[test]
    fn what_is_no_choice_is_said() {
        for (text, word) in [
            ("batch = 4", "vary.batch: give a list"),
            ("batch = []", "empty"),
            ("a.b = [1]\n\"a.b\" = [2]", "twice"),
            ("rate = { from = 1, to = 1 }", "rise"),
            ("rate = { from = 0, to = 1, scale = \"log\" }", "above 0"),
            ("rate = { from = \"a\", to = 1 }", "numbers"),
            ("rate = { from = 0 }", "missing field `to`"),
            (
                "rate = { from = 0, to = 1, step = 3 }",
                "unknown field `step`",
            ),
            ("rate = { from = 0, to = 1, steps = 1 }", "steps"),
            ("rate = { from = nan, to = inf }", "rise"),
        ] {
            let error = axes(text).expect_err(text).to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn ranges_are_spread_on_their_scale() {
        let log = axis("r = { from = 1e-4, to = 1e-2, scale = \"log\", steps = 3 }");
        let expected: Vec<Value> = vec![1e-4.into(), 1e-3.into(), 1e-2.into()];
        assert_eq!(log.listed().expect("steps"), expected);
        let whole = axis("r = { from = 1, to = 4, steps = 4 }");
        let expected: Vec<Value> = (1..5).map(Value::Integer).collect();
        assert_eq!(whole.listed().expect("steps"), expected);
        let open = axis("r = { from = 0.0, to = 1.0 }");
        assert!(open.listed().is_err());
        assert_eq!(open.at(0.123_456), Value::Float(0.123));
    }

    #[test]
    fn whole_numbers_are_equally_likely() {
        let axis = axis("r = { from = 1, to = 3 }");
        let drawn: Vec<i64> = (0..9)
            .map(|place| axis.at(f64::from(place) / 9.0 + 0.01))
            .map(|value| value.as_integer().expect("a whole number"))
            .collect();
        assert_eq!(drawn, [1, 1, 1, 2, 2, 2, 3, 3, 3]);
    }
}
