//! What only some runs tell: how iterations arrived, whether answers were right, and where
//! the server's time went. The same lines for the console, the guide's report and pages.

use acrida_stats::{Arrivals, Insight, LATE_US, NoSamples, Part, Snapshot};
use serde::{Deserialize, Serialize};

use crate::guide::{count, ms, one_line, percent};
use crate::summary::{EntrySummary, RunSummary};

/// The wrong answers that a line names, the most frequent first.
const CONFUSIONS_SHOWN: usize = 3;
/// The names that have lines of their own.
const NAMES_SHOWN: usize = 50;
const HALF_AND_95: [f64; 2] = [0.5, 0.95];

/// How the iterations of an open run began. Times are in ms.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ArrivalsSummary {
    /// All that arrived.
    pub intended: u64,
    /// Those that a user has begun.
    pub begun: u64,
    /// Those among them that began more than `late_after` after their time.
    pub late: u64,
    /// Those that no user has taken.
    pub dropped: u64,
    /// What is called late.
    pub late_after: f64,
    /// How long after their time they began: half of them at most this long, and so on.
    pub p50: Option<f64>,
    /// As `p50`.
    pub p95: Option<f64>,
    /// As `p50`.
    pub p99: Option<f64>,
    /// As `p50`.
    pub max: Option<f64>,
}

/// Answers that were checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswersSummary {
    /// All of them.
    pub checked: u64,
    /// Those that said what was expected.
    pub right: u64,
    /// Those that were the answer of another request.
    pub mixed_up: u64,
    /// Which answer came for which expectation, the most frequent first.
    pub labels: Vec<LabelPair>,
}

/// How often an answer came for an expectation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LabelPair {
    /// What the right answer says.
    pub expected: String,
    /// What the answer said.
    pub answered: String,
    /// How often.
    pub count: u64,
}

/// Where the time of requests went, by the server's own account: median and 95th
/// percentile, in ms.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerSummary {
    /// Requests that tell it.
    pub requests: u64,
    /// Waiting in the server, if it tells that apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<[f64; 2]>,
    /// Working there.
    pub compute: [f64; 2],
    /// Network, and what the server does not tell.
    pub rest: [f64; 2],
}

/// A heading, and a line for each item.
pub type Section = (&'static str, Vec<String>);

impl ArrivalsSummary {
    /// What a snapshot tells; nothing in a run that is not open.
    pub fn of(arrivals: &Arrivals) -> Option<Self> {
        let late = arrivals.lateness_ms(&[0.5, 0.95, 0.99, 1.0]).ok();
        let at = |at: usize| late.as_ref().map(|late| late[at]);
        (arrivals.intended() > 0).then(|| Self {
            intended: arrivals.intended(),
            begun: arrivals.begun,
            late: arrivals.late,
            dropped: arrivals.dropped,
            late_after: LATE_US as f64 / 1e3,
            p50: at(0),
            p95: at(1),
            p99: at(2),
            max: at(3),
        })
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} iterations arrived: {} begun, {} of them more than {} ms late, {} dropped because no user was free",
            count(self.intended),
            count(self.begun),
            count(self.late),
            self.late_after,
            count(self.dropped)
        )];
        if let (Some(p50), Some(p95), Some(p99), Some(max)) =
            (self.p50, self.p95, self.p99, self.max)
        {
            lines.push(format!(
                "Begun after their time: median {}, p95 {}, p99 {}, max {}",
                ms(p50),
                ms(p95),
                ms(p99),
                ms(max)
            ));
        }
        lines
    }
}

impl AnswersSummary {
    pub(crate) fn of(insight: &Insight) -> Option<Self> {
        let answers = insight.answers()?;
        let mut labels: Vec<_> = answers
            .pairs
            .iter()
            .map(|((expected, answered), count)| LabelPair {
                expected: expected.to_string(),
                answered: answered.to_string(),
                count: *count,
            })
            .collect();
        labels.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        Some(Self {
            checked: answers.checked,
            right: answers.right,
            mixed_up: answers.mixed_up,
            labels,
        })
    }

    /// Right answers per checked one, 0.0 to 1.0.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.checked.max(1) as f64
    }

    fn line(&self, label: &str) -> String {
        let wrong = self
            .labels
            .iter()
            .filter(|pair| pair.expected != pair.answered);
        let wrong: Vec<_> = wrong
            .take(CONFUSIONS_SHOWN)
            .map(|pair| {
                let (expected, answered) = (one_line(&pair.expected), one_line(&pair.answered));
                format!("{expected} as {answered} {}x", count(pair.count))
            })
            .collect();
        let wrong = match &*wrong {
            [] => String::new(),
            wrong => format!("; {}", wrong.join(", ")),
        };
        format!(
            "{label}: {} of {} answers right ({}), {} mixed up with another request{wrong}",
            count(self.right),
            count(self.checked),
            percent(self.accuracy() * 100.0),
            count(self.mixed_up)
        )
    }
}

impl ServerSummary {
    pub(crate) fn of(insight: &Insight) -> Option<Self> {
        let part = |part| -> Result<[f64; 2], NoSamples> {
            let times = insight.part_ms(part, &HALF_AND_95)?;
            Ok([times[0], times[1]])
        };
        let all = || -> Result<Self, NoSamples> {
            Ok(Self {
                requests: insight.timed(),
                queue: part(Part::Queue).ok(),
                compute: part(Part::Compute)?,
                rest: part(Part::Rest)?,
            })
        };
        all().ok()
    }

    fn line(&self, label: &str) -> String {
        let part = |[median, p95]: [f64; 2]| format!("{} (p95 {})", ms(median), ms(p95));
        let queue = self.queue.map(|queue| format!("queue {}, ", part(queue)));
        let queue = queue.unwrap_or_default();
        format!(
            "{label}: {queue}compute {}, network and rest {}, of {} requests",
            part(self.compute),
            part(self.rest),
            count(self.requests)
        )
    }
}

/// What there is to tell of a run; empty for most.
pub fn sections(run: &RunSummary) -> Vec<Section> {
    let arrivals = run.arrivals.as_ref().map(ArrivalsSummary::lines);
    let of_entries = |line: &dyn Fn(&EntrySummary) -> Option<String>| -> Vec<String> {
        run.entries
            .iter()
            .filter_map(line)
            .take(NAMES_SHOWN)
            .collect()
    };
    let label = |entry: &EntrySummary| one_line(&entry.label());
    let answers = |entry: &EntrySummary| Some(entry.answers.as_ref()?.line(&label(entry)));
    let server = |entry: &EntrySummary| Some(entry.server.as_ref()?.line(&label(entry)));
    let sections = [
        ("Arrivals", arrivals.unwrap_or_default()),
        ("Answers", of_entries(&answers)),
        ("Server Time", of_entries(&server)),
    ];
    let told = sections.into_iter().filter(|(_, lines)| !lines.is_empty());
    told.collect()
}

/// The same of a run that goes on or has just ended, without its other figures.
pub fn sections_of(snapshot: &Snapshot) -> Vec<Section> {
    let told = snapshot.entries.iter().filter_map(|entry| {
        let insight = entry.insight()?;
        Some(EntrySummary {
            method: entry.method.clone(),
            name: entry.name.clone(),
            server: ServerSummary::of(insight),
            answers: AnswersSummary::of(insight),
            ..EntrySummary::default()
        })
    });
    sections(&RunSummary {
        arrivals: ArrivalsSummary::of(&snapshot.arrivals),
        entries: told.take(NAMES_SHOWN).collect(),
        ..RunSummary::default()
    })
}

/// How iterations arrive, for the tables of a run that goes on; empty if it is not open.
pub fn arrivals_line(snapshot: &Snapshot) -> String {
    let arrivals = ArrivalsSummary::of(&snapshot.arrivals);
    let line = arrivals.map(|arrivals| arrivals.lines().remove(0) + "\n");
    line.unwrap_or_default()
}

/// As text for a console.
pub fn text(sections: &[Section]) -> String {
    let section = |(title, lines): &Section| {
        let lines: String = lines.iter().map(|line| format!("    {line}\n")).collect();
        format!("{title}\n{lines}\n")
    };
    sections.iter().map(section).collect()
}

#[cfg(test)]
mod tests {
    use acrida_stats::{Answer, Ledger, Limits, Recorder, Sample, ServerTime};

    use super::*;
    use crate::expect::judge;

    #[test]
    fn what_a_run_tells_has_a_line_each() {
        let mut recorder = Recorder::new(Limits::default());
        for (late_us, answered) in [(100, "a"), (200, "a"), (480_000, "b")] {
            recorder.record_begun(late_us);
            recorder.record(&Sample {
                method: "POST",
                name: "/predict",
                response_time_us: Some(20_000),
                server: Some(ServerTime {
                    queue_us: Some(1_000),
                    compute_us: 15_000,
                    rest_us: 4_000,
                }),
                answer: Some(Answer {
                    expected: "a",
                    answered,
                    mixed_up: answered == "b",
                }),
                ..Sample::default()
            });
        }
        recorder.record_dropped(7);
        let mut ledger = Ledger::new(Limits::default(), 0);
        ledger.absorb(recorder.take());
        let sections = sections_of(&ledger.snapshot(9, 0));
        assert_eq!(
            text(&sections),
            "Arrivals\n\
             \x20   10 iterations arrived: 3 begun, 1 of them more than 10 ms late, 7 dropped because no user was free\n\
             \x20   Begun after their time: median 0.20ms, p95 480ms, p99 480ms, max 480ms\n\n\
             Answers\n\
             \x20   POST /predict: 2 of 3 answers right (66.67%), 1 mixed up with another request; a as b 1x\n\n\
             Server Time\n\
             \x20   POST /predict: queue 1.00ms (p95 1.00ms), compute 15ms (p95 15ms), network and rest 4.00ms (p95 4.00ms), \
             of 3 requests\n\n"
        );
        let run = RunSummary::of(&ledger.snapshot(9, 0), &[]);
        for (text, passed) in [
            ("accuracy > 60%", true),
            ("POST /predict: accuracy > 70%", false),
            ("mixed_up < 1", false),
            ("dropped <= 7", true),
            ("POST /predict: dropped <= 7", false),
        ] {
            let expectation = text.parse().expect(text);
            assert_eq!(judge(&run, &[expectation])[0].passed, passed, "{text}");
        }
        assert_eq!(
            sections_of(&Ledger::new(Limits::default(), 0).snapshot(9, 0)),
            []
        );
    }
}
