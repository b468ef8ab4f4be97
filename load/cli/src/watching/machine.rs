//! The generator itself, and the machine that it runs on.

use std::fmt;

use acrida_report::resources::{Kind, Reading};
use acrida_web::generator::Gauge;
use procfs::{Current, CurrentSI, KernelStats, Meminfo};

use super::{LoopLag, Source, machine_limit, reading};

/// This process.
pub(super) struct Generator {
    gauge: Gauge,
    lag: LoopLag,
    looked: bool,
}

impl Generator {
    pub(super) fn new(lag: LoopLag) -> Self {
        Self {
            gauge: Gauge::default(),
            lag,
            looked: false,
        }
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").finish_non_exhaustive()
    }
}

impl Source for Generator {
    fn look(&mut self) -> Vec<Reading> {
        let load = self.gauge.look((self.lag)());
        // The first look has nothing to take a difference with.
        let before = std::mem::replace(&mut self.looked, true);
        let mut reading = Reading {
            kind: Kind::Generator,
            cpu_limit: machine_limit(),
            ..reading("")
        };
        if before {
            reading.usage.cpu = Some(load.cpu as f32);
            reading.usage.busiest_thread = Some(load.users_busy as f32);
            reading.usage.memory_mb = Some(load.memory as f32);
            reading.usage.lag_ms = load.lag_ms.map(|lag| lag as f32);
        }
        vec![reading]
    }
}

/// Everything that runs here.
#[derive(Debug, Default)]
pub(super) struct Machine {
    /// Ticks of the kernel's clock: those with work, and all.
    ticks: Option<(u64, u64)>,
}

impl Source for Machine {
    fn look(&mut self) -> Vec<Reading> {
        let Ok(stats) = KernelStats::current() else {
            return Vec::new();
        };
        let total = &stats.total;
        let idle = total.idle + total.iowait.unwrap_or(0);
        let more = [total.irq, total.softirq, total.steal];
        let busy = total.user + total.nice + total.system + more.into_iter().flatten().sum::<u64>();
        let before = self.ticks.replace((busy, busy + idle));
        let cores = stats.cpu_time.len() as f32;
        let mut reading = Reading {
            kind: Kind::Machine,
            cpu_limit: Some(cores * 100.0),
            ..reading("")
        };
        reading.usage.cpu = before.and_then(|(busy_before, all_before)| {
            let all = (busy + idle)
                .checked_sub(all_before)
                .filter(|all| *all > 0)?;
            Some(busy.saturating_sub(busy_before) as f32 / all as f32 * cores * 100.0)
        });
        if let Ok(memory) = Meminfo::current() {
            let megabytes = |bytes: u64| bytes as f32 / (1 << 20) as f32;
            reading.memory_limit_mb = Some(megabytes(memory.mem_total));
            let free = memory.mem_available.unwrap_or(memory.mem_free);
            reading.usage.memory_mb = Some(megabytes(memory.mem_total.saturating_sub(free)));
        }
        vec![reading]
    }
}
