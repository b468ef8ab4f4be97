//! What a run's reports tell besides its figures: how it went on, with how many users.

use std::sync::Arc;

use acrida_report::course::Course;
use acrida_report::occurrences::Occurrences;
use acrida_report::summary::RunSummary;
use acrida_stats::Snapshot;
use serde_json::Value as Json;

use super::Host;
use super::web::as_json;
use crate::options::Options;
use crate::task_ratio;

/// The shortest time between two beats.
const BEAT_MIN_US: u64 = 400_000;

/// Follows a run from beat to beat.
pub(super) struct Chronicle {
    title: String,
    target: Option<String>,
    spawn_rate: Option<f64>,
    /// `--profile`.
    pub(super) profile: Json,
    host: Arc<dyn Host>,
    start_us: u64,
    requests: u64,
    last_us: u64,
    course: Course,
    occurrences: Occurrences,
    peak_users: u64,
}

impl std::fmt::Debug for Chronicle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chronicle")
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

impl Chronicle {
    pub(super) fn new(title: String, options: &Options, host: Arc<dyn Host>) -> Self {
        let profile = options.all.iter().find(|(name, _)| name == "profile");
        Self {
            title,
            target: options.host.clone(),
            profile: profile.map_or(Json::Null, |(_, value)| as_json(value)),
            spawn_rate: options.spawn_rate.map(|rate| rate.per_second()),
            host,
            start_us: 0,
            requests: 0,
            last_us: 0,
            course: Course::default(),
            occurrences: Occurrences::default(),
            peak_users: 0,
        }
    }

    /// Takes in a beat. Another start is another test, or statistics that begin anew; a
    /// beat in which nobody ran and nothing was counted is none.
    pub(super) fn observe(&mut self, snapshot: &Snapshot) {
        if snapshot.start_us != self.start_us {
            self.start_us = snapshot.start_us;
            self.requests = 0;
            self.course = Course::default();
            self.peak_users = 0;
        }
        let total = &snapshot.total;
        if snapshot.user_count == 0 && total.num_requests == self.requests {
            return;
        }
        self.occurrences.observe(snapshot);
        // A rate over a moment would be a spike in every chart; the end of a run is one.
        if snapshot.taken_us < self.last_us + BEAT_MIN_US {
            return;
        }
        self.last_us = snapshot.taken_us;
        self.requests = total.num_requests;
        self.peak_users = self.peak_users.max(snapshot.user_count);
        self.course.observe(
            total,
            snapshot.taken_us,
            snapshot.start_us,
            snapshot.user_count,
        );
    }

    /// The run as it is in `snapshot`, with these percentiles besides the usual ones.
    pub(super) fn summary(&self, snapshot: &Snapshot, fractions: &[f64]) -> RunSummary {
        let classes = self.host.classes();
        let of_classes = || {
            let first = classes.first()?.host.clone();
            classes
                .iter()
                .all(|class| class.host == first)
                .then_some(first)?
        };
        RunSummary {
            title: self.title.clone(),
            host: self.target.clone().or_else(of_classes),
            peak_users: Some(self.peak_users),
            spawn_rate: self.spawn_rate,
            course: self.course.points().copied().collect(),
            ..RunSummary::of(snapshot, fractions).with_occurrences(snapshot, &self.occurrences)
        }
    }

    /// How often each task runs, of as many users as there were.
    pub(super) fn task_ratios(&self) -> Json {
        let classes = self.host.classes().into_iter();
        let classes: Vec<_> = classes.map(|state| state.tasks).collect();
        task_ratio::json(&classes, Some(self.peak_users))
    }
}
