/// `part / whole`, `None` when that would divide by nothing.
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A running mean of the values that exist.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Mean {
    sum: f64,
    count: u64,
}

impl Mean {
    /// Counts a value; nothing happens without one.
    pub(super) fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    /// Adds the values of another mean.
    pub(super) fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.count += other.count;
    }

    /// The mean, `None` when there was no value.
    pub(super) fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

impl FromIterator<Option<f64>> for Mean {
    fn from_iter<I: IntoIterator<Item = Option<f64>>>(values: I) -> Self {
        let mut mean = Self::default();
        for value in values {
            mean.add(value);
        }
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_do_not_weigh() {
        let mut mean: Mean = [Some(0.5), None, Some(1.0)].into_iter().collect();
        assert_eq!(mean.value(), Some(0.75));
        mean.merge([Some(0.0)].into_iter().collect());
        assert_eq!(mean.value(), Some(0.5));
        assert_eq!(Mean::default().value(), None);
        assert_eq!((ratio(1, 4), ratio(1, 0)), (Some(0.25), None));
    }
}
