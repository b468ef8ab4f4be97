//! `serve --profile`: where the processor's time goes, as a flame graph.

mod flame_graph;

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pprof::{Frames, ProfilerGuard, ProfilerGuardBuilder};

/// Looks a second of processor time; a prime number, so as not to fall in step with others.
const LOOKS_PER_SECOND: i32 = 199;

/// Looks at what the program does, from its start on.
pub(crate) struct Profiler {
    guard: ProfilerGuard<'static>,
    path: PathBuf,
}

impl Profiler {
    /// Creates the file at once, so that a path of no use is known before the load, not after it.
    pub(crate) fn start(path: &Path) -> Result<Profiler> {
        File::create(path)
            .with_context(|| format!("cannot write the flame graph {}", path.display()))?;
        let guard = ProfilerGuardBuilder::default()
            .frequency(LOOKS_PER_SECOND)
            // Unwinding from within these may wait for a lock that they hold.
            .blocklist(&["libc", "libgcc", "pthread", "vdso"])
            .build()
            .context("cannot start the profiler")?;
        Ok(Profiler {
            guard,
            path: path.to_owned(),
        })
    }

    /// Writes the flame graph of everything up to now.
    pub(crate) fn write(self) -> Result<()> {
        let report = self.guard.report().build();
        let report = report.context("cannot evaluate the profile")?;
        let mut stacks = HashMap::new();
        for (frames, looks) in &report.data {
            *stacks.entry(names(frames)).or_default() += u64::try_from(*looks).unwrap_or(0);
        }
        let svg = flame_graph::draw(&stacks, LOOKS_PER_SECOND.unsigned_abs());
        fs::write(&self.path, svg)
            .with_context(|| format!("cannot write the flame graph {}", self.path.display()))
    }
}

/// The thread, and functions from the outermost to the innermost.
fn names(frames: &Frames) -> Vec<String> {
    // Threads of a kind are numbered, and shown as one.
    let thread = frames.thread_name_or_id();
    let thread = thread.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    let functions = frames
        .frames
        .iter()
        .rev()
        .flat_map(|frame| frame.iter().rev());
    let functions = functions.map(pprof::Symbol::name);
    [format!("threads {thread}")]
        .into_iter()
        .chain(functions)
        .collect()
}
