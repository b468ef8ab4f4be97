//! The Universal Scalability Law: throughput over load.
//!
//! X(N) = λN / (1 + σ(N − 1) + κN(N − 1)). Source: N. Gunther, "A Simple Capacity Model of
//! Massively Parallel Transaction Systems" (1993).

use serde::Serialize;

use super::Step;

/// Steps with different numbers of users that a fit takes: it has three unknowns, and a
/// curve through as many points would prove nothing.
const STEPS_MIN: usize = 4;

/// A law fitted to some steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Usl {
    /// λ: requests per second of one user alone.
    pub per_user: f64,
    /// σ: the share of the work that has to be done one after the other.
    pub contention: f64,
    /// κ: what each pair of users costs by having to agree.
    pub crosstalk: f64,
    /// How much of the difference between steps the law explains, at most 1.
    pub r_squared: f64,
}

impl Usl {
    /// Fits the law by least squares of relative errors; none if there are too few steps,
    /// or nothing in them.
    ///
    /// N / X is linear in 1/λ, σ/λ and κ/λ. Neither of the two costs is below zero, so the
    /// best fit with both, with either and with none is taken that has none below.
    pub fn fit(steps: &[Step]) -> Option<Self> {
        let points: Vec<(f64, f64)> = steps
            .iter()
            .filter(|step| step.users > 0 && step.good_rps() > 0.0)
            .map(|step| (step.users as f64, step.good_rps()))
            .collect();
        let mut loads: Vec<u64> = points.iter().map(|(users, _)| *users as u64).collect();
        loads.sort_unstable();
        loads.dedup();
        if loads.len() < STEPS_MIN {
            return None;
        }
        let fits = [[true, true], [true, false], [false, true], [false, false]];
        let fits = fits.iter().filter_map(|with| fit_with(&points, *with));
        fits.min_by(|a, b| loss(&points, a).total_cmp(&loss(&points, b)))
            .map(|fit| Self {
                r_squared: r_squared(&points, &fit),
                ..fit
            })
    }

    /// Requests per second of this many users.
    pub fn throughput(&self, users: f64) -> f64 {
        let costs = self.contention * (users - 1.0) + self.crosstalk * users * (users - 1.0);
        self.per_user * users / (1.0 + costs)
    }

    /// The number of users with the most throughput; none if more users always bring more.
    pub fn peak_users(&self) -> Option<f64> {
        let peak = ((1.0 - self.contention).max(0.0) / self.crosstalk).sqrt();
        (self.crosstalk > 0.0 && peak.is_finite()).then_some(peak.max(1.0))
    }
}

/// `with` says which of the two costs the law has.
fn fit_with(points: &[(f64, f64)], with: [bool; 2]) -> Option<Usl> {
    // Normal equations of a + b(N − 1) + cN(N − 1) = N/X, each row weighted by X/N.
    let mut matrix = [[0.0; 4]; 3];
    for (users, rps) in points {
        let weight = rps / users;
        let terms = [
            weight,
            if with[0] { weight * (users - 1.0) } else { 0.0 },
            if with[1] {
                weight * users * (users - 1.0)
            } else {
                0.0
            },
        ];
        for (row, term) in matrix.iter_mut().zip(terms) {
            for (cell, other) in row.iter_mut().zip(terms.into_iter().chain([1.0])) {
                *cell += term * other;
            }
        }
    }
    for (at, is_there) in [(1, with[0]), (2, with[1])] {
        if !is_there {
            matrix[at][at] = 1.0;
        }
    }
    let [a, b, c] = solve(matrix)?;
    let usl = Usl {
        per_user: 1.0 / a,
        contention: b / a,
        crosstalk: c / a,
        r_squared: 0.0,
    };
    (a > 0.0 && b >= 0.0 && c >= 0.0 && usl.per_user.is_finite()).then_some(usl)
}

/// Gauss's elimination, with the largest pivot of each column; none if there is none.
fn solve(mut m: [[f64; 4]; 3]) -> Option<[f64; 3]> {
    for column in 0..3 {
        let largest = |a: &usize, b: &usize| m[*a][column].abs().total_cmp(&m[*b][column].abs());
        let pivot = (column..3).max_by(largest)?;
        m.swap(column, pivot);
        let scale = m[column]
            .iter()
            .fold(0.0_f64, |most, cell| most.max(cell.abs()));
        if m[column][column].abs() <= 1e-12 * scale {
            return None;
        }
        let row = m[column];
        for (at, other) in m.iter_mut().enumerate() {
            if at != column {
                let factor = other[column] / row[column];
                for (cell, above) in other.iter_mut().zip(row) {
                    *cell -= factor * above;
                }
            }
        }
    }
    Some([0, 1, 2].map(|at| m[at][3] / m[at][at]))
}

fn loss(points: &[(f64, f64)], usl: &Usl) -> f64 {
    let squares = points
        .iter()
        .map(|(users, rps)| (usl.throughput(*users) / rps - 1.0).powi(2));
    squares.sum()
}

fn r_squared(points: &[(f64, f64)], usl: &Usl) -> f64 {
    let mean = points.iter().map(|(_, rps)| rps).sum::<f64>() / points.len() as f64;
    let left: f64 = points
        .iter()
        .map(|(users, rps)| (rps - usl.throughput(*users)).powi(2))
        .sum();
    let all: f64 = points.iter().map(|(_, rps)| (rps - mean).powi(2)).sum();
    if all > 0.0 { 1.0 - left / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steps(of: impl Fn(f64) -> f64, users: &[u64]) -> Vec<Step> {
        let step = |users: &u64| Step {
            users: *users,
            requests: 1,
            rps: of(*users as f64),
            ..Step::default()
        };
        users.iter().map(step).collect()
    }

    proptest! {
        #[test]
        fn a_law_is_found_again(
            per_user in 0.1..100.0_f64,
            contention in 0.0..0.5_f64,
            crosstalk in 0.0..0.01_f64,
        ) {
            let law = Usl { per_user, contention, crosstalk, r_squared: 1.0 };
            let fit = Usl::fit(&steps(|users| law.throughput(users), &[1, 5, 10, 25, 50, 100]));
            let fit = fit.expect("six steps");
            prop_assert!((fit.per_user / per_user - 1.0).abs() < 1e-6);
            prop_assert!((fit.contention - contention).abs() < 1e-6);
            prop_assert!((fit.crosstalk - crosstalk).abs() < 1e-6);
            prop_assert!(fit.r_squared > 0.999);
        }

        #[test]
        fn no_steps_make_it_panic_or_cost_less_than_nothing(
            rows in prop::collection::vec((0..1_000_u64, 0.0..1e6_f64), 0..9),
        ) {
            let steps: Vec<_> = rows.iter().map(|(users, rps)| Step { users: *users, requests: 1, rps: *rps, ..Step::default() }).collect();
            if let Some(fit) = Usl::fit(&steps) {
                prop_assert!(fit.contention >= 0.0 && fit.crosstalk >= 0.0 && fit.per_user > 0.0);
                prop_assert!(fit.peak_users().is_none_or(|peak| peak >= 1.0));
            }
        }
    }

    #[test]
    fn the_peak_is_where_throughput_falls() {
        let law = Usl {
            per_user: 10.0,
            contention: 0.02,
            crosstalk: 0.0005,
            r_squared: 1.0,
        };
        let peak = law.peak_users().expect("it falls");
        assert!((peak - 44.27).abs() < 0.01, "{peak}");
        assert!(law.throughput(peak) > law.throughput(peak * 1.2));
        assert!(law.throughput(peak) > law.throughput(peak * 0.8));
        let endless = Usl {
            crosstalk: 0.0,
            ..law
        };
        assert_eq!(endless.peak_users(), None);
    }

    #[test]
    fn too_little_is_no_law() {
        assert_eq!(Usl::fit(&steps(|users| users, &[1, 2, 3])), None);
        assert_eq!(Usl::fit(&steps(|users| users, &[5, 5, 5, 5])), None);
        assert_eq!(Usl::fit(&steps(|_| 0.0, &[1, 2, 3, 4])), None);
    }
}
