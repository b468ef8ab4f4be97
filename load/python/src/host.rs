//! Python as the one who executes users.

use std::sync::Arc;
use std::time::{Duration, Instant};

use acrida_cli::run::{Change, ClassState, Host, LagReader};
use acrida_engine::Action;
use acrida_http::Client;

use crate::actions::{Actions, Call};
use crate::loop_watch::LoopWatch;
use crate::published::Published;

/// Passes actions on to the event loop.
pub(crate) struct PythonHost {
    pub(crate) actions: Arc<Actions>,
    pub(crate) client: Arc<Client>,
    pub(crate) published: Arc<Published>,
    pub(crate) loop_watch: Arc<LoopWatch>,
}

impl Host for PythonHost {
    fn act(&self, actions: Vec<Action>) {
        self.actions.extend(actions.into_iter().map(Call::Action));
        self.client.outbox().ring();
    }

    fn change(&self, change: Change) {
        self.actions.extend([Call::Change(change)]);
        self.client.outbox().ring();
    }

    fn open_page(&self, url: String) {
        self.actions.extend([Call::OpenPage(url)]);
        self.client.outbox().ring();
    }

    fn classes(&self) -> Vec<ClassState> {
        self.published.get()
    }

    fn loop_lag(&self, reader: LagReader) -> Option<Duration> {
        self.loop_watch.take_longest(reader, Instant::now())
    }

    fn abandon(&self) -> u64 {
        self.client.close()
    }
}
