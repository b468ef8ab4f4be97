//! A course in time of bounded length: when it gets too long, neighbours merge.
//!
//! Invariant: nothing is dropped; every beat is part of exactly one point, and all
//! points but the newest stand for the same number of beats.

/// The most points of a series unless it says otherwise. A day at one beat a second has 338 of 256 beats.
pub const POINTS_MAX: usize = 600;

/// What can be told as one.
pub trait Merge {
    /// Takes in what came right after.
    fn merge(&mut self, later: &Self);
}

/// Points in time, oldest first.
#[derive(Debug, Clone)]
pub struct Series<T> {
    points: Vec<T>,
    /// The newest point, which is not complete yet.
    growing: Option<T>,
    growing_beats: u32,
    /// Beats in a complete point.
    beats: u32,
    points_max: usize,
}

impl<T> Default for Series<T> {
    fn default() -> Self {
        Self::with_max(POINTS_MAX)
    }
}

impl<T> Series<T> {
    /// A series of at most `points_max` points and one that grows.
    pub fn with_max(points_max: usize) -> Self {
        Self {
            points_max,
            points: Vec::new(),
            growing: None,
            growing_beats: 0,
            beats: 1,
        }
    }
}

impl<T: Merge> Series<T> {
    /// Adds a beat.
    pub fn push(&mut self, beat: T) {
        match &mut self.growing {
            Some(point) => point.merge(&beat),
            None => self.growing = Some(beat),
        }
        self.growing_beats += 1;
        if self.growing_beats >= self.beats {
            self.make_room();
            self.points.extend(self.growing.take());
            self.growing_beats = 0;
        }
        if self.points.len() > self.points_max {
            self.halve();
        }
    }

    /// Room for one more point; never for more than there may be.
    fn make_room(&mut self) {
        let (points, room) = (self.points.len(), self.points.capacity());
        if points == room {
            let more = room.max(4).min(self.points_max + 1 - points);
            self.points.reserve_exact(more);
        }
    }

    /// Merges each two neighbours; one that is left over goes on growing.
    fn halve(&mut self) {
        let mut merged = Vec::with_capacity(self.points_max + 1);
        let mut points = std::mem::take(&mut self.points).into_iter();
        while let Some(mut point) = points.next() {
            match points.next() {
                Some(later) => {
                    point.merge(&later);
                    merged.push(point);
                }
                None => {
                    self.growing = Some(point);
                    self.growing_beats = self.beats;
                }
            }
        }
        self.points = merged;
        self.beats = self.beats.saturating_mul(2);
    }

    /// Every point, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.points.iter().chain(&self.growing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Merge for u64 {
        fn merge(&mut self, later: &Self) {
            *self += later;
        }
    }

    proptest! {
        #[test]
        fn nothing_is_dropped_and_the_length_is_bounded(beats in 0..20_000_u64) {
            let mut series = Series::default();
            (0..beats).for_each(|_| series.push(1));
            prop_assert_eq!(series.iter().sum::<u64>(), beats);
            prop_assert!(series.iter().count() <= POINTS_MAX + 1);
            prop_assert!(series.points.capacity() <= POINTS_MAX + 1);
        }
    }

    #[test]
    fn a_day_is_told_in_points_of_equal_length() {
        let mut series = Series::default();
        (0..86_400).for_each(|_| series.push(1_u64));
        let points: Vec<_> = series.iter().copied().collect();
        assert!(
            (300..=POINTS_MAX + 1).contains(&points.len()),
            "{}",
            points.len()
        );
        assert!(
            points[..points.len() - 1]
                .iter()
                .all(|beats| *beats == points[0])
        );
    }
}
