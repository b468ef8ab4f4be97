//! The shell: sockets, the clock, and one epoll loop over them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::connection::{Connection, Next};
use crate::site::Site;

/// The system wakes a thread up to about a millisecond late, so the last bit of
/// a sleep is spent asking again and again.
const AWAKE_BEFORE_NS: u64 = 1_000_000;

/// Marks the listening socket among the events; connections count from 1.
const LISTENER: u64 = 0;
const EVENTS_MAX: usize = 256;
const READ_BYTES: usize = 256 * 1024;

struct Peer {
    stream: TcpStream,
    connection: Connection,
}

struct Server {
    epoll: std::os::fd::OwnedFd,
    peers: HashMap<u64, Peer>,
    next_id: u64,
    site: Site,
    /// When somebody is to be woken, and whom.
    sleepers: BinaryHeap<Reverse<(u64, u64)>>,
    /// Where everything is read into.
    input: Vec<u8>,
}

/// Serves until something breaks.
pub(crate) fn run(listener: &TcpListener) -> io::Result<()> {
    raise_file_limit()?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(
        &epoll,
        listener,
        EventData::new_u64(LISTENER),
        EventFlags::IN,
    )?;
    let mut server = Server {
        epoll,
        peers: HashMap::new(),
        next_id: LISTENER + 1,
        site: Site::default(),
        sleepers: BinaryHeap::new(),
        input: vec![0; READ_BYTES],
    };
    let mut space = [MaybeUninit::uninit(); EVENTS_MAX];
    loop {
        let timeout = server.until_next_wake();
        let (events, _) = match epoll::wait(&server.epoll, &mut space, timeout.as_ref()) {
            Ok(found) => found,
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        for event in events.iter() {
            match event.data.u64() {
                LISTENER => server.accept(listener)?,
                id => server.read(id),
            }
        }
        server.wake_sleepers();
    }
}

/// Every user of a test has a connection.
fn raise_file_limit() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    )?;
    Ok(())
}

fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).expect("the monotonic clock is not negative") * 1_000_000_000
        + u64::try_from(now.tv_nsec).expect("nor are its parts")
}

impl Server {
    /// How long to wait for events; `None` while nobody sleeps.
    fn until_next_wake(&self) -> Option<Timespec> {
        let Reverse((due_ns, _)) = self.sleepers.peek()?;
        let left = due_ns.saturating_sub(now_ns() + AWAKE_BEFORE_NS);
        let part = |ns| i64::try_from(ns).expect("below the time of one sleep");
        Some(Timespec {
            tv_sec: part(left / 1_000_000_000),
            tv_nsec: part(left % 1_000_000_000),
        })
    }

    fn accept(&mut self, listener: &TcpListener) -> io::Result<()> {
        loop {
            match listener.accept() {
                Ok((stream, _)) => self.welcome(stream)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn welcome(&mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let id = self.next_id;
        self.next_id += 1;
        epoll::add(&self.epoll, &stream, EventData::new_u64(id), EventFlags::IN)?;
        let connection = Connection::new();
        self.peers.insert(id, Peer { stream, connection });
        Ok(())
    }

    fn read(&mut self, id: u64) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        match peer.stream.read(&mut self.input) {
            Ok(0) => self.close(id),
            Ok(length) => {
                let now = now_ns();
                let bytes = &self.input[..length];
                let next = peer.connection.receive(bytes, &mut self.site, now);
                self.follow(id, next);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.close(id),
        }
    }

    fn wake_sleepers(&mut self) {
        while let Some(Reverse((due_ns, id))) = self.sleepers.peek().copied() {
            let now = now_ns();
            if due_ns > now {
                return;
            }
            self.sleepers.pop();
            let Some(peer) = self.peers.get_mut(&id) else {
                continue;
            };
            let Some(arrived_ns) = peer.connection.sleeps_since_ns() else {
                continue;
            };
            let next = peer.connection.wake(&mut self.site, now);
            self.follow(id, next);
            self.site.slept(now_ns() - arrived_ns);
        }
    }

    /// Sends what there is to send, and does what the connection says.
    fn follow(&mut self, id: u64, next: Next) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let out = peer.connection.out();
        if !out.is_empty() {
            // Answers are far smaller than a socket's buffer. Who does not read
            // any of them until it is full is let go.
            let sent = peer.stream.write_all(out);
            out.clear();
            if sent.is_err() {
                return self.close(id);
            }
            self.site.answered(now_ns());
        }
        match next {
            Next::Read => {}
            Next::SleepUntil(due_ns) => self.sleepers.push(Reverse((due_ns, id))),
            Next::Close => self.close(id),
        }
    }

    fn close(&mut self, id: u64) {
        // Closing the socket takes it out of the epoll set.
        self.peers.remove(&id);
    }
}
