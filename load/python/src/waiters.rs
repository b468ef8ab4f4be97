//! Who waits for which request.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use slab::Slab;

use crate::exchange::Exchange;

/// Who is to be told that a request has finished.
pub(crate) enum Waiter {
    /// A greenlet of the event loop.
    Greenlet(Py<PyAny>),
    /// A thread without an event loop.
    Thread(Arc<Handover>),
    /// Nobody any more: its user was ended. The request goes on and is counted.
    Nobody,
}

/// Hands one finished request to a thread that waits for it.
#[derive(Default)]
pub(crate) struct Handover {
    exchange: Mutex<Option<Exchange>>,
    arrived: Condvar,
}

impl Handover {
    pub(crate) fn give(&self, exchange: Exchange) {
        let mut place = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(exchange);
        self.arrived.notify_one();
    }

    pub(crate) fn wait(&self) -> Exchange {
        let mut place = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(exchange) = place.take() {
                return exchange;
            }
            place = self
                .arrived
                .wait(place)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Waiters by ticket; a ticket is given again only after its request has finished.
#[derive(Default)]
pub(crate) struct Waiters(Mutex<Slab<Waiter>>);

impl Waiters {
    pub(crate) fn add(&self, waiter: Waiter) -> u64 {
        self.lock().insert(waiter) as u64
    }

    /// Nobody waits any more.
    pub(crate) fn abandon(&self, ticket: u64) {
        let replaced = self
            .lock()
            .get_mut(index(ticket))
            .map(|waiter| std::mem::replace(waiter, Waiter::Nobody));
        drop(replaced);
    }

    pub(crate) fn take(&self, ticket: u64) -> Waiter {
        self.lock()
            .try_remove(index(ticket))
            .unwrap_or(Waiter::Nobody)
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Waiter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn index(ticket: u64) -> usize {
    usize::try_from(ticket).expect("tickets are indices")
}
