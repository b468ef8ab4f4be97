//! What the service, the generator and the machine use while a run goes on, looked at
//! once a second on a thread of its own.
//!
//! Without `--watch`, the service is whatever listens on this machine where the load goes
//! to: a process, or the container that Docker leads the port to. A service elsewhere is
//! seen only through `--watch`. What cannot be seen is left out.

mod cgroup;
mod clock;
mod docker;
mod machine;
mod metrics;
mod place;
mod processes;

use std::fmt;
use std::net::{IpAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use acrida_report::resources::{Kind, Reading, Usage};

use crate::exit::Exit;
use crate::preflight::parse_base;
use docker::{Docker, Which};
use machine::{Generator, Machine};
use metrics::Metrics;
use place::Place;
use processes::Service;

/// Looks after which a service that no process shows is searched for among containers.
const CONTAINERS_AFTER: u32 = 3;

/// Something that can be looked at.
trait Source: fmt::Debug + Send {
    /// What it used since the last look; nothing if it cannot be seen.
    fn look(&mut self) -> Vec<Reading>;
}

/// Tells where the load goes, once that is known.
pub(crate) type HostOfLoad = Box<dyn Fn() -> Option<String> + Send>;

/// Tells how late the event loop of users was since the last call.
pub(crate) type LoopLag = Box<dyn Fn() -> Option<Duration> + Send>;

/// Looks at everything that there is to see.
#[derive(Debug)]
pub(crate) struct Watcher {
    sources: Vec<Box<dyn Source>>,
}

impl Watcher {
    /// `places` are those of `--watch`; none means to search where `host` is. `lag` is told of
    /// this process.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] for a place that cannot be meant.
    pub(crate) fn new(places: &[String], host: HostOfLoad, lag: LoopLag) -> Result<Self, Exit> {
        let places = places
            .iter()
            .map(|text| text.parse())
            .collect::<Result<Vec<Place>, _>>()
            .map_err(|why: String| Exit::Usage(format!("argument --watch: {why}")))?;
        if places.contains(&Place::Nothing) {
            return Ok(Self {
                sources: Vec::new(),
            });
        }
        let mut sources: Vec<Box<dyn Source>> =
            vec![Box::new(Generator::new(lag)), Box::new(Machine::default())];
        if places.is_empty() {
            sources.push(Box::new(TargetOfLoad::new(host)));
        }
        sources.extend(places.into_iter().map(source));
        Ok(Self { sources })
    }

    /// Whether there is nothing to look at.
    pub(crate) fn is_idle(&self) -> bool {
        self.sources.is_empty()
    }

    /// What everything used since the last look.
    pub(crate) fn look(&mut self) -> Vec<Reading> {
        self.sources
            .iter_mut()
            .flat_map(|source| source.look())
            .collect()
    }
}

fn source(place: Place) -> Box<dyn Source> {
    match place {
        Place::Port(port) => Box::new(Service::on_port(None, port)),
        Place::Process(pid) => Box::new(Service::of_process(pid)),
        Place::Container(name) => Box::new(Docker::new(Which::Named(name))),
        Place::Group(folder) => Box::new(cgroup::Group::new(folder)),
        Place::Metrics(url) => Box::new(Metrics::new(url)),
        Place::Nothing => unreachable!("nothing is no source"),
    }
}

/// The service where the load goes to, if that is this machine.
struct TargetOfLoad {
    host: HostOfLoad,
    /// What was searched for last.
    searched: Option<String>,
    service: Option<Service>,
    containers: Option<Docker>,
    looks: u32,
}

impl fmt::Debug for TargetOfLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetOfLoad")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl TargetOfLoad {
    fn new(host: HostOfLoad) -> Self {
        Self {
            host,
            searched: None,
            service: None,
            containers: None,
            looks: 0,
        }
    }

    fn follow(&mut self) {
        let host = (self.host)();
        if host == self.searched {
            return;
        }
        let place = host.as_deref().and_then(place_here);
        self.searched = host;
        self.looks = 0;
        self.service = place.map(|(address, port)| Service::on_port(Some(address), port));
        self.containers = place.map(|(_, port)| Docker::new(Which::Publishing(port)));
    }
}

impl Source for TargetOfLoad {
    fn look(&mut self) -> Vec<Reading> {
        self.follow();
        let Some(service) = &mut self.service else {
            return Vec::new();
        };
        self.looks = self.looks.saturating_add(1);
        let readings = service.look();
        if service.is_found() && !service.is_docker() {
            return readings;
        }
        match &mut self.containers {
            Some(containers) if service.is_docker() || self.looks > CONTAINERS_AFTER => {
                containers.look()
            }
            _ => Vec::new(),
        }
    }
}

/// The address and port of a base URL, if they are this machine's.
fn place_here(url: &str) -> Option<(IpAddr, u16)> {
    let base = parse_base(url)?;
    let mut addresses = (base.host.as_str(), base.port).to_socket_addrs().ok()?;
    // Only an address of this machine can be bound; nothing is sent.
    let address = addresses.find(|address| UdpSocket::bind((address.ip(), 0)).is_ok())?;
    Some((address.ip(), base.port))
}

/// CPU of all cores, in percent of one.
fn machine_limit() -> Option<f32> {
    std::thread::available_parallelism()
        .ok()
        .map(|cores| cores.get() as f32 * 100.0)
}

/// An empty reading of a part of the service, now.
fn reading(name: &str) -> Reading {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Reading {
        kind: Kind::Target,
        name: name.to_owned(),
        cpu_limit: None,
        memory_limit_mb: None,
        usage: Usage {
            t: since.as_secs_f64(),
            ..Usage::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_here_is_searched_for() {
        assert_eq!(
            place_here("http://127.0.0.1:81/x"),
            Some(("127.0.0.1".parse().expect("it is one"), 81))
        );
        assert_eq!(
            place_here("http://192.0.2.1:81"),
            None,
            "an address of nobody here"
        );
        assert_eq!(place_here("nonsense"), None);
    }

    #[test]
    fn the_generator_and_the_machine_are_always_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let host = move || Some(url.clone());
        let lag = || Box::new(|| Some(Duration::from_millis(3)));
        let mut watcher = Watcher::new(&[], Box::new(host), lag()).expect("places");
        watcher.look();
        let readings = watcher.look();
        assert_eq!(readings[0].usage.lag_ms, Some(3.0));
        let kinds: Vec<_> = readings.iter().map(|reading| reading.kind).collect();
        assert_eq!(kinds, [Kind::Generator, Kind::Machine, Kind::Target]);
        let idle = Watcher::new(&["none".to_owned()], Box::new(|| None), lag()).expect("places");
        assert!(idle.is_idle());
        let wrong = Watcher::new(&["moon".to_owned()], Box::new(|| None), lag());
        assert!(matches!(wrong, Err(Exit::Usage(text)) if text.contains("--watch: 'moon'")));
    }
}
