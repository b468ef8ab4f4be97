//! How a client ends.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use acrida_http::{Client, Limits, Settings};

use crate::support::Seen;

/// Enough for the end to meet the thread at every point of its round; several at a time, so
/// that threads are interrupted in the middle of it.
const ROUNDS: usize = 4_000;
const AT_A_TIME: usize = 8;
const SESSIONS: usize = 20;

#[test]
fn a_client_ends_also_while_its_thread_is_busy_with_sessions_that_end() {
    let (ended, all) = mpsc::channel();
    for _ in 0..AT_A_TIME {
        let ended = ended.clone();
        std::thread::spawn(move || {
            (0..ROUNDS).for_each(begin_and_end);
            ended.send(()).expect("somebody waits");
        });
    }
    for _ in 0..AT_A_TIME {
        all.recv_timeout(Duration::from_secs(120))
            .expect("every client has ended");
    }
}

fn begin_and_end(round: usize) {
    let client = Client::start(Settings {
        observers: vec![Arc::new(Seen::default())],
        limits: Limits::default(),
        time_field: None,
    });
    let client = client.expect("a thread");
    // Each end of a session is a message, and the last one meets any point of a round.
    for _ in 0..SESSIONS {
        drop(client.session());
        client.wake();
    }
    (0..round % 500).for_each(|_| std::hint::spin_loop());
    client.close();
}
