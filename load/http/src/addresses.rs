//! Where names lead: remembered for a while, looked up elsewhere.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use crate::error::HttpError;
use crate::inbox::Inbox;
use crate::job::Job;
use crate::resolver::{self, LookupError, Name, Resolved};

/// How long a name's addresses are remembered.
const NAME_LIFE: Duration = Duration::from_secs(30);
/// Names remembered; all are forgotten when there are more.
const NAMES_MAX: usize = 1000;

/// Jobs, and where they are to connect to.
pub(crate) type Found = (Vec<Box<Job>>, Result<VecDeque<SocketAddr>, LookupError>);

/// The addresses that an I/O thread knows, and the jobs that wait for some.
pub(crate) struct Addresses {
    inbox: Arc<Inbox>,
    /// Started when the first name has to be looked up.
    resolver: Option<mpsc::Sender<Name>>,
    known: HashMap<Name, (Instant, VecDeque<SocketAddr>)>,
    #[expect(clippy::vec_box, reason = "they are moved several times, and large")]
    waiting: HashMap<Name, Vec<Box<Job>>>,
}

impl Addresses {
    /// Answers of the resolver arrive in `inbox`.
    pub(crate) fn new(inbox: Arc<Inbox>) -> Self {
        Self {
            inbox,
            resolver: None,
            known: HashMap::new(),
            waiting: HashMap::new(),
        }
    }

    /// Where `job` is to connect to; `None` if it has to wait for [`Addresses::resolved`].
    pub(crate) fn find(&mut self, job: Box<Job>, now: Instant) -> Option<Found> {
        let (host, port) = job.dials();
        if let Some(address) = resolver::literal(host, port) {
            return Some((vec![job], Ok([address].into())));
        }
        let name = (host.to_owned(), port);
        if let Some((until, addresses)) = self.known.get(&name)
            && *until > now
        {
            return Some((vec![job], Ok(addresses.clone())));
        }
        let waiting = self.waiting.entry(name.clone()).or_default();
        waiting.push(job);
        if waiting.len() == 1 && !self.ask(name.clone()) {
            let error = LookupError::no_thread();
            return Some((self.waiting.remove(&name).unwrap_or_default(), Err(error)));
        }
        None
    }

    /// Takes in an answer; gives the jobs that waited for it.
    pub(crate) fn resolved(&mut self, resolved: Resolved, now: Instant) -> Found {
        let jobs = self.waiting.remove(&resolved.name).unwrap_or_default();
        let addresses = resolved.addresses.map(VecDeque::from);
        if let Ok(addresses) = &addresses {
            if self.known.len() >= NAMES_MAX {
                self.known.clear();
            }
            self.known
                .insert(resolved.name, (now + NAME_LIFE, addresses.clone()));
        }
        (jobs, addresses)
    }

    /// Whether the resolver could be asked.
    fn ask(&mut self, name: Name) -> bool {
        if self.resolver.is_none() {
            self.resolver = resolver::start(Arc::clone(&self.inbox)).ok();
        }
        self.resolver
            .as_ref()
            .is_some_and(|resolver| resolver.send(name).is_ok())
    }
}

/// What it means for `job` that its host has no address.
pub(crate) fn no_address(job: &Job, error: &LookupError) -> HttpError {
    let (peer, code, reason) = (job.peer(), error.code, error.reason.clone());
    match job.request.proxy() {
        Some(proxy) => HttpError::proxy_without_address(peer, proxy, code, &reason),
        None => HttpError::Resolve { peer, code, reason },
    }
}
