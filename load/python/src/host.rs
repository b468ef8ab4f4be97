//! Python as the one who executes users.

use std::sync::Arc;

use acrida_cli::run::Host;
use acrida_engine::Action;
use acrida_http::Client;

use crate::actions::Actions;

/// Passes actions on to the event loop.
pub(crate) struct PythonHost {
    pub(crate) actions: Arc<Actions>,
    pub(crate) client: Arc<Client>,
}

impl Host for PythonHost {
    fn act(&self, action: Action) {
        self.actions.push(action);
        self.client.outbox().ring();
    }

    fn abandon(&self) -> u64 {
        self.client.close()
    }
}
