//! Which user class starts next.
//!
//! Classes with a fixed count come first. The others follow in the order that
//! keeps the shares of running users closest to the weights at every moment:
//! each pick takes the class that lowers the Kullback-Leibler divergence from
//! the weights the most. Source: Locust 2.47's `UsersDispatcher`, for one
//! process; the tests compare with its recorded choices.

use std::cmp::Ordering;
use std::collections::VecDeque;

use crate::{ClassId, UserClass};

/// Picks classes, and remembers what it picked.
#[derive(Debug)]
pub struct Dispatch {
    /// In the order of their names, which breaks ties.
    classes: Vec<Class>,
    weighted: Smooth,
    /// Fixed-count users that were found missing and come next.
    fixed_next: VecDeque<usize>,
    /// Whether to look for missing fixed-count users before the next pick.
    look_for_fixed: bool,
}

#[derive(Debug)]
struct Class {
    id: ClassId,
    weight: f64,
    fixed_count: u64,
    /// Whether it may be picked.
    is_chosen: bool,
    /// Users of this class that were picked and not removed.
    planned: u64,
}

impl Dispatch {
    /// Starts from no users at all.
    pub fn new(classes: &[UserClass]) -> Self {
        let mut order: Vec<usize> = (0..classes.len()).collect();
        order.sort_by(|a, b| classes[*a].name.cmp(&classes[*b].name));
        let classes: Vec<_> = order
            .iter()
            .map(|index| Class {
                id: ClassId(*index),
                weight: classes[*index].weight,
                fixed_count: classes[*index].fixed_count,
                is_chosen: true,
                planned: 0,
            })
            .collect();
        Self {
            weighted: Smooth::new(classes.iter().map(Class::share)),
            classes,
            fixed_next: VecDeque::new(),
            look_for_fixed: true,
        }
    }

    /// From now on only `chosen` are picked. Choosing the same ones again changes
    /// nothing.
    pub fn choose_from(&mut self, chosen: &[ClassId]) {
        let mut changes = false;
        for class in &mut self.classes {
            let is_chosen = chosen.contains(&class.id);
            changes |= is_chosen != class.is_chosen;
            class.is_chosen = is_chosen;
        }
        if changes {
            self.weighted = Smooth::new(self.classes.iter().map(Class::share));
            self.fixed_next.clear();
            self.look_for_fixed = true;
        }
    }

    /// The class of the next user; `None` once every fixed count is reached and
    /// no class has a weight.
    pub fn pick(&mut self) -> Option<ClassId> {
        if self.fixed_next.is_empty() && self.look_for_fixed {
            self.look_for_fixed = false;
            self.fixed_next = self.missing_fixed();
        }
        let class = self
            .fixed_next
            .pop_front()
            .or_else(|| self.weighted.pick())?;
        self.classes[class].planned += 1;
        Some(self.classes[class].id)
    }

    /// Tells that a user of `class` was taken away by a ramp-down. A fixed count
    /// that is thereby missed is filled first when users are added again.
    pub fn removed(&mut self, class: ClassId) {
        let class = self
            .classes
            .iter_mut()
            .find(|known| known.id == class)
            .expect("only classes that were picked are removed");
        class.planned -= 1;
        self.look_for_fixed = true;
    }

    fn missing_fixed(&self) -> VecDeque<usize> {
        let missing = |class: &Class| match class.is_chosen {
            true => class.fixed_count.saturating_sub(class.planned),
            false => 0,
        };
        let total: u64 = self.classes.iter().map(missing).sum();
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of users are far below 2^52"
        )]
        let mut order = Smooth::new(self.classes.iter().map(|class| missing(class) as f64));
        (0..total).filter_map(|_| order.pick()).collect()
    }
}

impl Class {
    /// Its weight among those that are mixed.
    fn share(&self) -> f64 {
        if self.is_chosen && self.fixed_count == 0 {
            self.weight
        } else {
            0.0
        }
    }
}

/// An endless sequence of indices in proportion to their weights, as evenly
/// mixed as they can be.
#[derive(Debug)]
struct Smooth(Vec<Candidate>);

#[derive(Debug)]
struct Candidate {
    index: usize,
    weight: f64,
    /// Weight plus picks so far.
    mass: f64,
}

impl Candidate {
    /// By how much the next pick changes the divergence; the lowest is best.
    fn gain(&self) -> f64 {
        self.weight * (self.mass / (self.mass + 1.0)).log2()
    }

    /// Ties go to the fewest picks, then to the smallest weight, then to the first name.
    fn compare(&self, other: &Self) -> Ordering {
        self.gain()
            .total_cmp(&other.gain())
            .then(self.mass.total_cmp(&other.mass))
            .then(self.weight.total_cmp(&other.weight))
            .then(self.index.cmp(&other.index))
    }
}

impl Smooth {
    fn new(weights: impl Iterator<Item = f64>) -> Self {
        Self(
            weights
                .enumerate()
                .filter(|(_, weight)| *weight > 0.0)
                .map(|(index, weight)| Candidate {
                    index,
                    weight,
                    mass: weight,
                })
                .collect(),
        )
    }

    fn pick(&mut self) -> Option<usize> {
        let best = self.0.iter_mut().min_by(|a, b| a.compare(b))?;
        best.mass += 1.0;
        Some(best.index)
    }
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
