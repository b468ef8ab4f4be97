//! Who executes users.

use std::time::Duration;

use acrida_engine::Action;

use super::{Change, ClassState};

/// Who asks how late users are; each hears of every delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LagReader {
    /// The web page.
    Page,
    /// What is told of the generator's resources.
    Report,
}

/// Who executes users: starts and ends them, and tells listeners.
pub trait Host: Send + Sync {
    /// Takes actions to be executed, in order, those of one call with nothing in
    /// between. Called on the engine's thread: it posts the actions to wherever users
    /// live, and returns at once. Answers go to [`super::Run::control`].
    fn act(&self, actions: Vec<Action>);

    /// The run ends at once, while users may still be doing anything: closes
    /// what is in flight and gives the number of requests that were cut off. Called
    /// on a thread of the run's own.
    fn abandon(&self) -> u64;

    /// Takes a change made on the web page, before every action that follows from
    /// what was done there later. Returns at once, like [`Host::act`].
    fn change(&self, _change: Change) {}

    /// Opens the web page at this URL in the user's browser. Returns at once.
    fn open_page(&self, _url: String) {}

    /// The user classes as they are now, in the order of [`super::RunSetup::classes`]; asked
    /// for by the web page and by reports.
    fn classes(&self) -> Vec<ClassState> {
        Vec::new()
    }

    /// The longest time, since the last call for this reader, by which whatever runs users
    /// was late for something that was due. `None` where nobody looks.
    fn loop_lag(&self, _reader: LagReader) -> Option<Duration> {
        None
    }
}
