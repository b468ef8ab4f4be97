//! URLs taken apart, remembered. HOT: looked up for every request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;

use crate::target::{Target, TargetError};

/// URLs remembered; all are forgotten when there are more.
const TARGETS_MAX: usize = 1000;
/// Bytes of a URL, and of its base, that are remembered; longer ones are read each time.
const BYTES_MAX: usize = 1024;

type OfBase = HashMap<Box<str>, Arc<Target>, RandomState>;

/// What the URLs mean that were asked for before.
#[derive(Debug, Default)]
pub struct Targets(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    by_base: HashMap<Box<str>, OfBase, RandomState>,
    count: usize,
}

impl Targets {
    /// What `url` means to a session whose URLs are relative to `base_url`: an absolute
    /// URL stands for itself, any other is put behind the base.
    ///
    /// # Errors
    ///
    /// As [`Target::parse`].
    pub fn get(&self, base_url: &str, url: &str) -> Result<Arc<Target>, TargetError> {
        // A panic in between leaves at most a wrong count.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = known.by_base.get(base_url).and_then(|urls| urls.get(url)) {
            return Ok(Arc::clone(target));
        }
        let target = Arc::new(parse(base_url, url)?);
        if base_url.len().max(url.len()) <= BYTES_MAX {
            known.remember(base_url, url, Arc::clone(&target));
        }
        Ok(target)
    }
}

impl Known {
    fn remember(&mut self, base_url: &str, url: &str, target: Arc<Target>) {
        if self.count >= TARGETS_MAX {
            *self = Self::default();
        }
        self.count += 1;
        let urls = self.by_base.entry(base_url.into()).or_default();
        urls.insert(url.into(), target);
    }
}

fn parse(base_url: &str, url: &str) -> Result<Target, TargetError> {
    let is_absolute = |prefix: &str| {
        let start = url.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if is_absolute("http://") || is_absolute("https://") {
        return Target::parse(url);
    }
    Target::parse(&[base_url, url].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_means_what_its_base_makes_of_it_each_time() {
        let targets = Targets::default();
        for _ in 0..2 {
            for (base_url, url, expected) in [
                ("http://a", "/x", "http://a/x"),
                ("http://b:81/y", "/x", "http://b:81/y/x"),
                ("http://a", "HTTPS://c/", "https://c/"),
            ] {
                let target = targets.get(base_url, url).expect("a URL");
                assert_eq!(target.url, expected);
            }
            assert!(targets.get("", "/x").is_err());
        }
        let again = || targets.get("http://a", "/x").expect("a URL");
        assert!(Arc::ptr_eq(&again(), &again()), "it is read once");
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let targets = Targets::default();
        let kept = |targets: &Targets| {
            let known = targets.0.lock().expect("not poisoned");
            known.by_base.values().map(HashMap::len).sum::<usize>()
        };
        for number in 0..2 * TARGETS_MAX + 1 {
            targets
                .get("http://a", &format!("/{number}"))
                .expect("a URL");
            assert!(kept(&targets) <= TARGETS_MAX);
        }
        let before = kept(&targets);
        let long = format!("/{}", "x".repeat(BYTES_MAX));
        targets.get("http://a", &long).expect("a URL");
        assert_eq!(kept(&targets), before);
    }
}
