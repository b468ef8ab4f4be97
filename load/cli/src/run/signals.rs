//! SIGINT and SIGTERM: the first asks for an orderly end, the second ends.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use acrida_engine::{Command, Control};
use log::info;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use super::Host;
use super::finish::{Finisher, RunEnd};
use super::keys;

#[derive(Debug)]
pub(super) struct SignalThread {
    handle: Handle,
    thread: JoinHandle<()>,
}

impl SignalThread {
    /// Takes both signals over.
    pub(super) fn start(
        control: Control,
        finisher: Arc<Finisher>,
        host: Arc<dyn Host>,
    ) -> io::Result<Self> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let handle = signals.handle();
        let thread = std::thread::Builder::new()
            .name("acrida-signals".to_owned())
            .spawn(move || {
                let mut seen = 0;
                for signal in signals.forever() {
                    seen += 1;
                    info!(target: "locust.main", "{}", words(signal));
                    if seen == 1 {
                        control.send(Command::Quit);
                    } else {
                        end_now(&control, &finisher, &*host);
                    }
                }
            })?;
        Ok(Self { handle, thread })
    }

    /// Ends the thread; later signals do nothing.
    pub(super) fn stop(self) {
        self.handle.close();
        // A panic in the thread was printed when it happened.
        let _ = self.thread.join();
    }
}

/// Writes the reports and leaves, whatever users and listeners are doing.
fn end_now(control: &Control, finisher: &Finisher, host: &dyn Host) {
    control.send(Command::Abort);
    let cut_off = host.abandon();
    let code = finisher.close(RunEnd {
        cut_off,
        ..RunEnd::default()
    });
    finisher.print_summary();
    keys::release_terminal();
    signal_hook::low_level::exit(code);
}

/// Locust's words for it.
fn words(signal: i32) -> &'static str {
    if signal == SIGINT {
        "Exiting due to CTRL+C interruption"
    } else {
        "Got SIGTERM signal"
    }
}
