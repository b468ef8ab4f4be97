//! Results by the content of images, for clients that send the same image again.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use classifier_model::Prediction;
use lru::LruCache;
use sha2::{Digest, Sha256};

/// The latest results of the model that serves. An entry takes about 100 bytes.
#[derive(Debug)]
pub(crate) struct Cache {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    results: LruCache<[u8; 32], Prediction>,
    /// Counts the models, so that no result outlives its own.
    model: u64,
}

/// What an image is known by, and the model that it is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    content: [u8; 32],
    model: u64,
}

impl Cache {
    /// A cache of so many results; the one that was asked for least lately makes room.
    pub(crate) fn new(results_max: NonZeroUsize) -> Cache {
        Cache {
            state: Mutex::new(State {
                results: LruCache::new(results_max),
                model: 0,
            }),
        }
    }

    /// The result for an image file, if it is remembered; or the key to remember it by.
    pub(crate) fn look_up(&self, image: &[u8]) -> Result<Prediction, Key> {
        let content = Sha256::digest(image).into();
        let mut state = self.lock();
        let known = state.results.get(&content).copied();
        known.ok_or(Key {
            content,
            model: state.model,
        })
    }

    /// Forgets it if the model has changed since `key` was made.
    pub(crate) fn remember(&self, key: Key, prediction: Prediction) {
        let mut state = self.lock();
        if state.model == key.model {
            state.results.put(key.content, prediction);
        }
    }

    /// Forgets everything while `change` has another model serve.
    pub(crate) fn change_model(&self, change: impl FnOnce()) {
        let mut state = self.lock();
        change();
        state.model += 1;
        state.results.clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        let locked = self.state.lock();
        locked.expect("no thread panics while it holds the cache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(first: f32) -> Prediction {
        Prediction {
            probabilities: [first, 1.0 - first, 0.0, 0.0],
        }
    }

    fn key(cache: &Cache, image: &[u8]) -> Key {
        cache.look_up(image).expect_err("not known yet")
    }

    #[test]
    fn the_least_lately_wanted_result_makes_room() {
        let cache = Cache::new(NonZeroUsize::new(2).unwrap());
        for (image, first) in [(b"a", 0.1), (b"b", 0.2)] {
            cache.remember(key(&cache, image), prediction(first));
        }
        assert_eq!(cache.look_up(b"a").unwrap(), prediction(0.1));
        cache.remember(key(&cache, b"c"), prediction(0.3));
        assert!(cache.look_up(b"b").is_err());
        assert_eq!(cache.look_up(b"a").unwrap(), prediction(0.1));
    }

    #[test]
    fn no_result_outlives_its_model() {
        let cache = Cache::new(NonZeroUsize::new(2).unwrap());
        cache.remember(key(&cache, b"a"), prediction(0.1));
        let begun_before = key(&cache, b"b");
        cache.change_model(|| ());
        cache.remember(begun_before, prediction(0.2));
        assert!(cache.look_up(b"a").is_err() && cache.look_up(b"b").is_err());
    }
}
