//! Containers, asked of Docker by its socket.

mod container;
mod engine;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::{Reading, Source};
use container::Container;
use engine::Engine;

/// The most containers that are followed.
const CONTAINERS_MAX: usize = 12;
/// Looks between two searches for containers.
const SEARCH_EVERY: u32 = 3;

/// Which containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// Of this name, or of this service of Docker Compose.
    Named(String),
    /// Those that this port leads to, and what Docker Compose started together with them.
    Publishing(u16),
}

/// Docker, and the containers that are followed.
#[derive(Debug)]
pub(super) struct Docker {
    engine: Engine,
    which: Which,
    containers: Vec<Container>,
    looks: u32,
    /// Until when its events were heard, in nanoseconds since the Unix epoch.
    heard_until_ns: Option<i128>,
}

impl Docker {
    pub(super) fn new(which: Which) -> Self {
        Self::of(Engine::here(), which)
    }

    fn of(engine: Engine, which: Which) -> Self {
        Self {
            engine,
            which,
            containers: Vec::new(),
            looks: 0,
            heard_until_ns: None,
        }
    }

    /// Counts restarts and kills since the last look. A container may do either more than once between
    /// two looks, and another may take its place.
    fn hear(&mut self, now_ns: i128) {
        let Some(since_ns) = self.heard_until_ns else {
            self.heard_until_ns = Some(now_ns);
            return;
        };
        let Some(events) = self.engine.starts_and_kills(since_ns, now_ns) else {
            return;
        };
        self.heard_until_ns = Some(now_ns);
        for event in &events {
            for container in &mut self.containers {
                container.hear(event);
            }
        }
    }

    /// Containers that came later, such as replicas, are found after a while.
    fn search(&mut self, now_ns: i128) {
        let Some(all) = self.engine.containers() else {
            return;
        };
        for found in self.which.of(&all) {
            let name = name(found).trim_start_matches('/');
            let known = self.containers.iter().position(|known| known.name == name);
            let at = match known {
                Some(at) => at,
                None if self.containers.len() < CONTAINERS_MAX => {
                    self.containers.push(Container::new(name, now_ns));
                    self.containers.len() - 1
                }
                None => continue,
            };
            let container = &mut self.containers[at];
            if let (None, Some(id)) = (&container.following, found["Id"].as_str())
                && let Some(state) = self.engine.container(id)
                && let Ok(following) = self.engine.follow(id)
            {
                container.attach(following, &state);
            }
        }
    }
}

impl Source for Docker {
    fn look(&mut self) -> Vec<Reading> {
        let now_ns = Timestamp::now().as_nanosecond();
        self.hear(now_ns);
        if self.looks.is_multiple_of(SEARCH_EVERY) {
            self.search(now_ns);
        }
        self.looks = self.looks.wrapping_add(1);
        let containers = self.containers.iter_mut();
        let readings = containers.filter_map(Container::look).collect();
        for container in &mut self.containers {
            let following = container.following.take();
            container.following = following.filter(|following| !following.has_ended());
        }
        readings
    }
}

impl Which {
    fn of<'a>(&self, all: &'a [Json]) -> Vec<&'a Json> {
        match self {
            Self::Named(wanted) => {
                let is_wanted = |container: &&Json| {
                    label(container, "service") == Some(wanted)
                        || names(container).any(|name| name.trim_start_matches('/') == wanted)
                };
                all.iter().filter(is_wanted).collect()
            }
            Self::Publishing(port) => {
                let publishes = |container: &Json| {
                    let mut ports = container["Ports"].as_array().into_iter().flatten();
                    ports.any(|published| published["PublicPort"] == *port)
                };
                let publishing = all.iter().filter(|container| publishes(container));
                let projects: Vec<&str> = publishing
                    .filter_map(|container| label(container, "project"))
                    .collect();
                let belongs = |container: &&Json| {
                    let project = label(container, "project");
                    publishes(container) || project.is_some_and(|own| projects.contains(&own))
                };
                all.iter().filter(belongs).collect()
            }
        }
    }
}

/// What Docker Compose says about a container that it started.
fn label<'a>(container: &'a Json, what: &str) -> Option<&'a str> {
    container["Labels"][format!("com.docker.compose.{what}")].as_str()
}

fn names(container: &Json) -> impl Iterator<Item = &str> {
    let names = container["Names"].as_array().into_iter().flatten();
    names.filter_map(Json::as_str)
}

fn name(container: &Json) -> &str {
    names(container).next().unwrap_or_default()
}
