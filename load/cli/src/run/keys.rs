//! The keys of a terminal: w and W for 1 and 10 users more, s and S for fewer, Enter for
//! the web page.
//!
//! A thread of its own reads them, so that they work while users keep the interpreter
//! busy. It reads only while the terminal is in this program's hands: in the foreground,
//! and in the mode that was set here. A debugger that asks for input changes the mode, and
//! gets what is typed.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use acrida_engine::{Command, Control, RunState, SpawnRate, Swarm};
use acrida_web::Page;
use log::warn;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcgetpgrp, tcsetattr,
};

use super::Host;
use crate::options::Options;

/// Users per second that come or go by a key, as in Locust.
const SPAWN_RATE: f64 = 100.0;
/// How often it is looked whether the run has ended, or the terminal is here again.
const PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

/// How the terminal was before. Kept for the process, because it is put back on every way
/// out, also on those that end threads as they are.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Puts the terminal back as it was before keys were read; nothing if they never were.
pub(super) fn release_terminal() {
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = before.take() {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
    }
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// So many users more.
    More(u64),
    /// So many users fewer.
    Fewer(u64),
    OpenPage,
}

impl Key {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            b'w' => Some(Self::More(1)),
            b'W' => Some(Self::More(10)),
            b's' => Some(Self::Fewer(1)),
            b'S' => Some(Self::Fewer(10)),
            b'\n' | b'\r' => Some(Self::OpenPage),
            _ => None,
        }
    }

    /// How many users there are to be, of `users` that are not on their way out.
    fn users(self, users: u64) -> Option<u64> {
        match self {
            Self::More(number) => Some(users.saturating_add(number)),
            Self::Fewer(number) => Some(users.saturating_sub(number)),
            Self::OpenPage => None,
        }
    }
}

/// The thread that reads keys.
#[derive(Debug)]
pub(super) struct Keys {
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Keys {
    /// Reads keys if stdin is a terminal that this program is in the foreground of, and
    /// nothing else decides about users: neither steps nor a rate of arrivals.
    pub(super) fn start(
        control: &Control,
        options: &Options,
        page: Option<&Page>,
        host: &Arc<dyn Host>,
    ) -> io::Result<Option<Self>> {
        let decided = options.stepped.is_some() || options.rate.is_some();
        if decided || !isatty(stdin()) || !in_foreground(stdin()) {
            return Ok(None);
        }
        let (control, host) = (control.clone(), Arc::clone(host));
        let url = page.map(|page| page.url().to_owned());
        let ours = take_terminal()?;
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let thread = std::thread::Builder::new()
            .name("acrida-keys".to_owned())
            .spawn(move || {
                while !seen.load(Ordering::Acquire) {
                    match next_key(&ours) {
                        Ok(Some(Key::OpenPage)) => {
                            let _ = url.clone().map(|url| host.open_page(url));
                        }
                        Ok(Some(key)) => change_users(&control, key),
                        Ok(None) => {}
                        Err(_) => return, // the terminal is gone, and with it its keys
                    }
                }
            })?;
        Ok(Some(Self { over, thread }))
    }

    /// Ends the thread, and puts the terminal back as it was.
    pub(super) fn stop(self) {
        self.over.store(true, Ordering::Release);
        // A panic in the thread was printed when it happened.
        let _ = self.thread.join();
        release_terminal();
    }
}

/// Has the terminal give each key at once and without showing it; gives its new mode.
/// CTRL+C and its kin stay signals.
fn take_terminal() -> io::Result<Termios> {
    let before = tcgetattr(stdin())?;
    let mut ours = before.clone();
    ours.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
    ours.special_codes[SpecialCodeIndex::VMIN] = 1;
    ours.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(stdin(), OptionalActions::Now, &ours)?;
    *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
    Ok(ours)
}

/// Whether the terminal's keys are for this program: reading them in the background would
/// stop it. A terminal that is not its controlling one knows no background.
fn in_foreground(terminal: BorrowedFd<'_>) -> bool {
    tcgetpgrp(terminal).map_or(true, |group| group == getpgrp())
}

/// A key that was pressed by now or is within [`PAUSE`]; one that means nothing is none.
fn next_key(ours: &Termios) -> io::Result<Option<Key>> {
    let terminal = stdin();
    let is_ours = tcgetattr(terminal)?.input_modes == ours.input_modes
        && tcgetattr(terminal)?.local_modes == ours.local_modes;
    if !is_ours || !in_foreground(terminal) {
        std::thread::sleep(std::time::Duration::from_nanos(
            PAUSE.tv_nsec.unsigned_abs(),
        ));
        return Ok(None);
    }
    let mut waiting = [PollFd::new(&terminal, PollFlags::IN)];
    match poll(&mut waiting, Some(&PAUSE)) {
        Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
        other => other?,
    };
    let mut byte = [0];
    match rustix::io::read(terminal, &mut byte) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(_) => Ok(Key::of(byte[0])),
        Err(rustix::io::Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn change_users(control: &Control, key: Key) {
    let Some(users) = key.users(control.active_users()) else {
        return;
    };
    if control.state() == RunState::Spawning {
        let text = match key {
            Key::More(_) => "Already spawning users, can't spawn more right now",
            _ => "Spawning users, can't stop right now",
        };
        warn!(target: "locust.main", "{text}");
        return;
    }
    control.send(Command::Swarm(Swarm {
        users,
        spawn_rate: SpawnRate::try_from(SPAWN_RATE).expect("a spawn rate above zero"),
        run_time: None,
        classes: None,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_change_the_number_of_users() {
        for (byte, users, expected) in [
            (b'w', 0, Some(1)),
            (b'W', 1, Some(11)),
            (b's', 11, Some(10)),
            (b'S', 10, Some(0)),
            (b'S', 3, Some(0)),
            (b's', 0, Some(0)),
            (b'\n', 5, None),
            (b'x', 5, None),
        ] {
            let wanted = Key::of(byte).and_then(|key| key.users(users));
            assert_eq!(wanted, expected, "{}", char::from(byte));
        }
        assert_eq!(Key::of(b'\r'), Some(Key::OpenPage));
    }
}
