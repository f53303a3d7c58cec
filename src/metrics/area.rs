use serde::Serialize;

/// Half the width of a 95 % confidence interval, in standard errors.
const Z_95: f64 = 1.96;

/// The ground of one class of a map, and what was seen at its points.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedStratum {
    /// The place of its class.
    pub class: usize,
    /// Its share of the mapped ground.
    pub weight: f64,
    /// Points at which each class was seen, by its place.
    pub seen: Vec<u64>,
}

/// A number with half the width of its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Margined {
    /// The estimate.
    pub value: f64,
    /// The interval is this much to both sides.
    pub margin: f64,
}

/// What a checked sample says of one class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassArea {
    /// Its share of the ground on the map.
    pub mapped: f64,
    /// Its share of the ground as the sample says.
    pub share: Margined,
    /// Share of the ground mapped as it that is it; `None` when the map has none.
    pub users: Option<Margined>,
    /// Share of its ground that is mapped as it; `None` when none was seen.
    pub producers: Option<Margined>,
}

/// How much ground each class covers, by a stratified random sample of a map.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AreaEstimates {
    /// Share of the ground that is mapped as what it is.
    pub overall: Margined,
    /// By the place of the class.
    pub per_class: Vec<ClassArea>,
}

impl AreaEstimates {
    /// The estimates of Olofsson et al. 2014, "Good practices for estimating area and assessing
    /// accuracy of land change", equations 4 to 7, 9 and 10; strata with fewer than two points
    /// leave no variance, so that there is no estimate with one. Weights need not sum to 1.
    pub fn of(strata: &[CheckedStratum]) -> Option<Self> {
        let total: f64 = strata.iter().map(|stratum| stratum.weight).sum();
        let strata = strata.iter().map(|stratum| Counted::of(stratum, total));
        let strata: Vec<Counted<'_>> = strata.collect::<Option<_>>()?;
        let num_classes = strata.first()?.seen.len();
        let right = |it: &Counted<'_>| it.share_of(it.class);
        let overall = margined(
            strata.iter().map(|it| it.weight * right(it)).sum(),
            strata
                .iter()
                .map(|it| it.weight.powi(2) * it.variance_of(it.class))
                .sum(),
        );
        let per_class = (0..num_classes).map(|class| class_area(&strata, class));
        Some(Self {
            overall,
            per_class: per_class.collect(),
        })
    }
}

fn class_area(strata: &[Counted<'_>], class: usize) -> ClassArea {
    let share: f64 = strata.iter().map(|it| it.weight * it.share_of(class)).sum();
    let variance = |of: &dyn Fn(&&Counted<'_>) -> bool| -> f64 {
        let strata = strata.iter().filter(|it| of(it));
        strata
            .map(|it| it.weight.powi(2) * it.variance_of(class))
            .sum()
    };
    let own = strata.iter().find(|it| it.class == class);
    let (weight, right, own_variance) = own.map_or((0.0, 0.0, 0.0), |it| {
        (it.weight, it.share_of(class), it.variance_of(class))
    });
    let producers = (share > 0.0).then(|| {
        let value = weight * right / share;
        let missed = variance(&|it| it.class != class);
        let found = weight.powi(2) * (1.0 - value).powi(2) * own_variance;
        margined(value, (found + value.powi(2) * missed) / share.powi(2))
    });
    ClassArea {
        mapped: weight,
        share: margined(share, variance(&|_| true)),
        users: own.map(|it| margined(it.share_of(class), it.variance_of(class))),
        producers,
    }
}

fn margined(value: f64, variance: f64) -> Margined {
    Margined {
        value,
        margin: Z_95 * variance.sqrt(),
    }
}

/// A stratum with enough points.
struct Counted<'a> {
    class: usize,
    weight: f64,
    seen: &'a [u64],
    points: f64,
}

impl<'a> Counted<'a> {
    fn of(stratum: &'a CheckedStratum, total: f64) -> Option<Self> {
        let points: u64 = stratum.seen.iter().sum();
        (points >= 2).then(|| Self {
            class: stratum.class,
            weight: stratum.weight / total,
            seen: &stratum.seen,
            points: points as f64,
        })
    }

    fn share_of(&self, class: usize) -> f64 {
        self.seen[class] as f64 / self.points
    }

    /// The variance of that share.
    fn variance_of(&self, class: usize) -> f64 {
        let share = self.share_of(class);
        share * (1.0 - share) / (self.points - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stratum(class: usize, weight: f64, seen: [u64; 4]) -> CheckedStratum {
        CheckedStratum {
            class,
            weight,
            seen: seen.to_vec(),
        }
    }

    /// The sample of the paper's example (table 8): deforestation, forest gain, stable forest, stable
    /// other ground; 10,000,000 pixels of 30 m.
    fn paper() -> Vec<CheckedStratum> {
        vec![
            stratum(0, 200_000.0, [66, 0, 5, 4]),
            stratum(1, 150_000.0, [0, 55, 8, 12]),
            stratum(2, 3_200_000.0, [1, 0, 153, 11]),
            stratum(3, 6_450_000.0, [2, 1, 9, 313]),
        ]
    }

    #[test]
    fn the_example_of_the_paper_comes_out() {
        let found = AreaEstimates::of(&paper()).expect("estimates");
        let hectares = 10_000_000.0 * 0.09;
        let of_paper = [
            (21_158.0, 6_158.0),
            (11_686.0, 3_756.0),
            (285_770.0, 15_510.0),
            (581_386.0, 16_282.0),
        ];
        for (class, (area, margin)) in found.per_class.iter().zip(of_paper) {
            // The paper rounds its shares before it multiplies.
            assert!(
                (class.share.value * hectares - area).abs() < 2.0,
                "{class:?}"
            );
            assert!(
                (class.share.margin * hectares / margin - 1.0).abs() < 0.005,
                "{class:?}"
            );
        }
        let near = |it: Margined, value: f64, margin: f64| {
            assert!(
                (it.value - value).abs() < 0.005 && (it.margin - margin).abs() < 0.005,
                "{it:?}"
            );
        };
        near(found.overall, 0.95, 0.02);
        let users = [(0.88, 0.07), (0.73, 0.10), (0.93, 0.04), (0.96, 0.02)];
        let producers = [(0.75, 0.21), (0.85, 0.25), (0.93, 0.03), (0.96, 0.02)];
        for (class, (users, producers)) in
            found.per_class.iter().zip(users.into_iter().zip(producers))
        {
            // By hand, after equations 6 and 7.
            near(class.users.expect("mapped"), users.0, users.1);
            near(class.producers.expect("seen"), producers.0, producers.1);
        }
    }

    #[test]
    fn shares_sum_to_one_and_a_perfect_map_has_no_margin() {
        let found = AreaEstimates::of(&paper()).expect("estimates");
        let sum: f64 = found.per_class.iter().map(|class| class.share.value).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        let perfect = [stratum(0, 3.0, [5, 0, 0, 0]), stratum(2, 1.0, [0, 0, 9, 0])];
        let found = AreaEstimates::of(&perfect).expect("estimates");
        assert_eq!(
            found.overall,
            Margined {
                value: 1.0,
                margin: 0.0
            }
        );
        let shares: Vec<f64> = found
            .per_class
            .iter()
            .map(|class| class.share.value)
            .collect();
        assert_eq!(shares, [0.75, 0.0, 0.25, 0.0]);
        assert_eq!(found.per_class[1].users, None, "the map has none of it");
        assert_eq!(found.per_class[3].producers, None, "none was seen");
    }

    #[test]
    fn a_class_that_the_map_forgot_has_an_area_and_one_point_is_not_enough() {
        let forgot = [stratum(0, 1.0, [8, 2, 0, 0])];
        let found = AreaEstimates::of(&forgot).expect("estimates");
        assert!((found.per_class[1].share.value - 0.2).abs() < 1e-12);
        assert_eq!(found.per_class[1].producers.map(|it| it.value), Some(0.0));
        let few = [stratum(0, 1.0, [8, 2, 0, 0]), stratum(1, 1.0, [0, 1, 0, 0])];
        assert_eq!(AreaEstimates::of(&few), None);
        assert_eq!(AreaEstimates::of(&[]), None);
    }
}
