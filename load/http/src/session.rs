//! One user's connections and cookies.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::HttpError;
use crate::client::{Client, SHARED};
use crate::cookies::{CookieRow, Jar};
use crate::inbox::{Inbox, Message};
use crate::job::Job;
use crate::request::Request;

/// Sends requests that share connections and cookies. Its idle connections are
/// closed when it is dropped, unless they are shared; requests in flight go on.
#[derive(Debug)]
pub struct Session {
    shared: Arc<Shared>,
    inbox: Arc<Inbox>,
    client: Arc<Client>,
}

/// What a session's requests need on the I/O thread.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: u64,
    jar: Mutex<Jar>,
    is_over: AtomicBool,
}

impl Session {
    pub(crate) fn new(id: u64, inbox: Arc<Inbox>, client: Arc<Client>) -> Self {
        let shared = Shared {
            id,
            jar: Mutex::default(),
            is_over: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
            inbox,
            client,
        }
    }

    /// Queues a request; [`Client::wake`] has to follow, once for many.
    pub fn submit(&self, ticket: u64, request: Request) {
        self.queue(Job::new(ticket, Arc::clone(&self.shared), request));
    }

    /// Queues a request that cannot be sent: it finishes with `error`.
    pub fn submit_refused(&self, ticket: u64, request: Request, error: HttpError) {
        let mut job = Job::new(ticket, Arc::clone(&self.shared), request);
        job.refused = Some(Box::new(error));
        self.queue(job);
    }

    fn queue(&self, job: Job) {
        self.client.outbox().submitted();
        self.inbox.push(Message::Start(Box::new(job)));
    }

    /// Every cookie.
    pub fn cookies(&self) -> Vec<CookieRow> {
        self.shared.jar().rows()
    }

    /// Sets a cookie; an empty domain sends it to every host.
    pub fn set_cookie(&self, cookie: CookieRow) {
        self.shared
            .jar()
            .set(cookie, self.client.limits().max_cookies);
    }

    /// Removes the cookies that have this domain, path and name, as far as they are
    /// given; says whether there were any.
    pub fn remove_cookies(
        &self,
        domain: Option<&str>,
        path: Option<&str>,
        name: Option<&str>,
    ) -> bool {
        self.shared.jar().remove(domain, path, name)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        if !self.shared.has_company() {
            self.inbox.push(Message::CloseSession(self.shared.id));
            self.inbox.wake();
        }
    }
}

impl Shared {
    /// A panic while cookies were changed leaves them as good as they were.
    pub(crate) fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no further request will come, so that nobody needs the connections.
    pub(crate) fn is_over(&self) -> bool {
        !self.has_company() && self.is_over.load(Ordering::Acquire)
    }

    /// Whether connections are shared with other sessions.
    pub(crate) fn has_company(&self) -> bool {
        self.id & SHARED != 0
    }
}
