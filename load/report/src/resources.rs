//! What the service, the generator and the machine used while a run went on.
//!
//! Pure: readings go in, with their own times. Bounds: [`PARTS_MAX`] parts, each with
//! [`crate::series::POINTS_MAX`] points, of which neighbours merge.

use serde::{Deserialize, Serialize};

use crate::series::{Merge, Series};

/// The most parts that are followed, the first ones.
pub const PARTS_MAX: usize = 16;

/// What somebody looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The service that is loaded, or a part of it.
    Target,
    /// What makes the load.
    Generator,
    /// The machine of the generator, with everything that runs on it.
    Machine,
}

/// One point. CPU and the busiest thread are averages over it, the others its highest;
/// what could not be seen is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Seconds since the Unix epoch.
    pub t: f64,
    /// CPU, in percent of one core: 200 is two cores.
    pub cpu: Option<f32>,
    /// CPU of the thread that was busiest, in percent of one core; of the generator, the
    /// thread that runs users, with the time that it waited for a core.
    pub busiest_thread: Option<f32>,
    /// Memory that is in use, in MB (2²⁰ bytes).
    pub memory_mb: Option<f32>,
    /// The longest time by which the generator's event loop, which runs users, was late for
    /// something that was due; in ms.
    pub lag_ms: Option<f32>,
    /// How often it has started again since it was first looked at.
    pub restarts: u32,
    /// How often it was killed for lack of memory since it was first looked at.
    pub oom_kills: u32,
    /// Beats that it stands for.
    #[serde(skip, default = "one")]
    pub beats: u32,
}

fn one() -> u32 {
    1
}

impl Merge for Usage {
    fn merge(&mut self, later: &Self) {
        let (own, other) = (self.beats.max(1) as f32, later.beats.max(1) as f32);
        let mean = |a: Option<f32>, b: Option<f32>| match (a, b) {
            (Some(a), Some(b)) => Some((a * own + b * other) / (own + other)),
            (a, b) => a.or(b),
        };
        let most = |a: Option<f32>, b: Option<f32>| match (a, b) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        *self = Self {
            t: later.t,
            cpu: mean(self.cpu, later.cpu),
            busiest_thread: mean(self.busiest_thread, later.busiest_thread),
            memory_mb: most(self.memory_mb, later.memory_mb),
            lag_ms: most(self.lag_ms, later.lag_ms),
            restarts: self.restarts.max(later.restarts),
            oom_kills: self.oom_kills.max(later.oom_kills),
            beats: self.beats + later.beats,
        };
    }
}

/// A part and how it went on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// What it is called: `classifier`, `container api_1`.
    pub name: String,
    /// The most CPU that it may use, in percent of one core.
    pub cpu_limit: Option<f32>,
    /// The most memory that it may use, in MB.
    pub memory_limit_mb: Option<f32>,
    /// Oldest first.
    pub points: Vec<Usage>,
}

/// What was seen of one part at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it is.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
    /// As in [`Part`].
    pub cpu_limit: Option<f32>,
    /// As in [`Part`].
    pub memory_limit_mb: Option<f32>,
    /// What it used.
    pub usage: Usage,
}

/// Gathers readings while a run goes on.
#[derive(Debug, Default)]
pub struct ResourceLog {
    parts: Vec<(Part, Series<Usage>)>,
}

impl ResourceLog {
    /// Takes in what was seen at one time.
    pub fn observe(&mut self, readings: Vec<Reading>) {
        for reading in readings {
            let known =
                |(part, _): &(Part, _)| part.kind == reading.kind && part.name == reading.name;
            let at = match self.parts.iter().position(known) {
                Some(at) => at,
                None if self.parts.len() < PARTS_MAX => {
                    self.parts.push((empty(&reading), Series::default()));
                    self.parts.len() - 1
                }
                None => continue,
            };
            let (part, series) = &mut self.parts[at];
            part.cpu_limit = reading.cpu_limit.or(part.cpu_limit);
            part.memory_limit_mb = reading.memory_limit_mb.or(part.memory_limit_mb);
            series.push(Usage {
                beats: 1,
                ..reading.usage
            });
        }
    }

    /// Forgets what was seen: another test begins.
    pub fn clear(&mut self) {
        self.parts.clear();
    }

    /// Every part with its points.
    pub fn parts(&self) -> Vec<Part> {
        let with_points = |(part, series): &(Part, Series<Usage>)| Part {
            points: series.iter().copied().collect(),
            ..part.clone()
        };
        self.parts.iter().map(with_points).collect()
    }
}

fn empty(reading: &Reading) -> Part {
    Part {
        kind: reading.kind,
        name: reading.name.clone(),
        cpu_limit: reading.cpu_limit,
        memory_limit_mb: reading.memory_limit_mb,
        points: Vec::new(),
    }
}

impl Part {
    /// What the reports call it.
    pub fn label(&self) -> String {
        match self.kind {
            Kind::Target => format!("service ({})", self.name),
            Kind::Generator => "generator".to_owned(),
            Kind::Machine => "machine".to_owned(),
        }
    }

    /// How often it started again, in all.
    pub fn restarts(&self) -> u32 {
        self.points
            .iter()
            .map(|point| point.restarts)
            .max()
            .unwrap_or(0)
    }

    /// What it used, in a line: CPU on average and at most, memory from and to, and how late
    /// its event loop was.
    pub fn line(&self) -> Option<String> {
        let mut said = Vec::new();
        let cpu: Vec<f32> = self.points.iter().filter_map(|point| point.cpu).collect();
        if let Some(most) = cpu.iter().copied().reduce(f32::max) {
            let average = cpu.iter().sum::<f32>() / cpu.len() as f32;
            let of = self.cpu_limit.map(|limit| format!(" of {limit:.0}%"));
            said.push(format!(
                "CPU {average:.0}% on average, {most:.0}% at most{}",
                of.unwrap_or_default()
            ));
        }
        let mut memory = self.points.iter().filter_map(|point| point.memory_mb);
        if let Some(first) = memory.next() {
            let last = memory.next_back().unwrap_or(first);
            let of = self.memory_limit_mb.map(|limit| format!(" of {limit:.0}"));
            said.push(format!(
                "memory {first:.0} to {last:.0}{} MB",
                of.unwrap_or_default()
            ));
        }
        let lags = self.points.iter().filter_map(|point| point.lag_ms);
        if let Some(most) = lags.reduce(f32::max) {
            said.push(format!("event loop {most:.0} ms late at most"));
        }
        if self.kind == Kind::Target && !said.is_empty() {
            said.push(match self.restarts() {
                0 => "no restart".to_owned(),
                1 => "1 restart".to_owned(),
                more => format!("{more} restarts"),
            });
        }
        let label = self.label();
        let (first, rest) = label.split_at(1);
        (!said.is_empty()).then(|| format!("{}{rest}: {}", first.to_uppercase(), said.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(name: &str, t: f64, cpu: f32) -> Reading {
        Reading {
            kind: Kind::Target,
            name: name.to_owned(),
            cpu_limit: Some(200.0),
            memory_limit_mb: None,
            usage: Usage {
                t,
                cpu: Some(cpu),
                memory_mb: Some(t as f32),
                ..Usage::default()
            },
        }
    }

    #[test]
    fn a_day_of_readings_is_bounded_and_keeps_its_averages_and_peaks() {
        let mut log = ResourceLog::default();
        for second in 0..86_400 {
            log.observe(vec![reading(
                "api",
                f64::from(second),
                if second % 2 == 0 { 50.0 } else { 150.0 },
            )]);
        }
        let parts = log.parts();
        assert!(parts[0].points.len() <= crate::series::POINTS_MAX + 1);
        assert_eq!(parts[0].points[0].cpu, Some(100.0));
        let newest = parts[0].points.last().expect("a point");
        assert_eq!(newest.memory_mb, Some(86_399.0));
        (0..50).for_each(|at| log.observe(vec![reading(&at.to_string(), 0.0, 1.0)]));
        assert_eq!(log.parts().len(), PARTS_MAX);
        log.clear();
        assert!(log.parts().is_empty());
    }

    #[test]
    fn a_part_is_told_in_a_line() {
        let mut log = ResourceLog::default();
        log.observe(vec![reading("api", 10.0, 50.0)]);
        log.observe(vec![reading("api", 12.0, 150.0)]);
        assert_eq!(
            log.parts()[0].line().as_deref(),
            Some(
                "Service (api): CPU 100% on average, 150% at most of 200%; memory 10 to 12 MB; no restart"
            )
        );
        let unseen = Part {
            points: vec![Usage::default()],
            ..log.parts()[0].clone()
        };
        assert_eq!(unseen.line(), None);
        let late = |lag_ms| Usage {
            lag_ms,
            ..Usage::default()
        };
        let generator = Part {
            kind: Kind::Generator,
            points: vec![
                late(Some(1.2)),
                late(None),
                late(Some(250.4)),
                late(Some(3.0)),
            ],
            ..unseen
        };
        assert_eq!(
            generator.line().as_deref(),
            Some("Generator: event loop 250 ms late at most")
        );
    }
}
