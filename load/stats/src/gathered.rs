//! Values by key, gathered until they are taken.
//!
//! Keys are remembered when values are taken, so that a key that was seen before
//! costs no allocation of its own, however often values are taken.

use std::sync::Arc;

use hashbrown::HashTable;

/// At most `max_keys` keys, with values gathered for some of them.
#[derive(Debug)]
pub(crate) struct Gathered<K, V> {
    known: HashTable<Known<K>>,
    max_keys: usize,
    values: Vec<(Arc<K>, V)>,
    /// How often values were taken.
    turn: u64,
}

#[derive(Debug)]
struct Known<K> {
    key: Arc<K>,
    hash: u64,
    /// The turn in which `index` was set.
    turn: u64,
    /// Where the value of that turn is.
    index: usize,
}

impl<K, V: Default> Gathered<K, V> {
    pub(crate) fn new(max_keys: usize) -> Self {
        Self {
            known: HashTable::new(),
            max_keys,
            values: Vec::new(),
            turn: 0,
        }
    }

    /// The value of the key that `is_key` recognises and `hash` belongs to; `None`
    /// if it is new and there are as many keys as there may be.
    pub(crate) fn value(
        &mut self,
        hash: u64,
        is_key: impl Fn(&K) -> bool,
        new_key: impl FnOnce() -> K,
    ) -> Option<&mut V> {
        let is_known = |known: &Known<K>| known.hash == hash && is_key(&known.key);
        if let Some(known) = self.known.find_mut(hash, is_known) {
            if known.turn != self.turn {
                known.turn = self.turn;
                known.index = self.values.len();
                self.values.push((known.key.clone(), V::default()));
            }
            return Some(&mut self.values[known.index].1);
        }
        (self.known.len() < self.max_keys).then(|| self.add(hash, new_key()))
    }

    fn add(&mut self, hash: u64, key: K) -> &mut V {
        let key = Arc::new(key);
        let known = Known {
            key: key.clone(),
            hash,
            turn: self.turn,
            index: self.values.len(),
        };
        self.known.insert_unique(hash, known, |known| known.hash);
        &mut self.values.push_mut((key, V::default())).1
    }

    /// What was gathered since the last time.
    pub(crate) fn take(&mut self) -> Vec<(Arc<K>, V)> {
        self.turn += 1;
        std::mem::take(&mut self.values)
    }
}
