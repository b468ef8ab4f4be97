//! Who is planned, who runs, and who is on the way out.
//!
//! Planned users stand in slots in the order of their start. A user that ends by
//! itself leaves its slot behind, because it still counts as planned: a ramp
//! fills such slots again, and a ramp-down that reaches one has nobody to end.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use crate::{ClassId, UserId};

#[derive(Debug, Default)]
pub(crate) struct Roster {
    slots: Vec<Slot>,
    users: HashMap<UserId, Member>,
    /// Slots whose user ended by itself.
    gone: BTreeSet<usize>,
    /// Users that may finish their task, the first to be ended first.
    finishing: VecDeque<(Instant, UserId)>,
    running: u64,
    next_id: u64,
}

#[derive(Debug)]
struct Slot {
    class: ClassId,
    user: Option<UserId>,
}

#[derive(Debug)]
struct Member {
    /// `None` once the user was told to end.
    slot: Option<usize>,
    started: bool,
}

impl Roster {
    /// Users that the plan holds, whether or not they still run.
    pub(crate) fn planned(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Users that were asked to start and neither ended nor were told to.
    pub(crate) fn active(&self) -> u64 {
        (self.slots.len() - self.gone.len()) as u64
    }

    /// Users that the host says are running.
    pub(crate) fn running(&self) -> u64 {
        self.running
    }

    /// [`Roster::active`], for each of `classes` classes.
    pub(crate) fn active_by_class(&self, classes: usize) -> Vec<u64> {
        let mut counts = vec![0; classes];
        for slot in self.slots.iter().filter(|slot| slot.user.is_some()) {
            counts[slot.class.0] += 1;
        }
        counts
    }

    /// Whether nobody runs, starts or ends.
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Forgets everyone; ids go on.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            next_id: self.next_id,
            ..Self::default()
        };
    }

    /// Plans one more user.
    pub(crate) fn add(&mut self, class: ClassId) -> UserId {
        let slot = self.slots.len();
        self.slots.push(Slot { class, user: None });
        self.fill(slot)
    }

    /// New users for the slots of those that ended by themselves.
    pub(crate) fn replace_gone(&mut self) -> Vec<(UserId, ClassId)> {
        std::mem::take(&mut self.gone)
            .into_iter()
            .map(|slot| (self.fill(slot), self.slots[slot].class))
            .collect()
    }

    /// Removes the youngest slot; gives its user if there still is one.
    ///
    /// # Panics
    ///
    /// If no user is planned.
    pub(crate) fn drop_last(&mut self) -> (ClassId, Option<UserId>) {
        let slot = self.slots.pop().expect("a planned user to remove");
        self.gone.remove(&self.slots.len());
        if let Some(member) = slot.user.and_then(|user| self.users.get_mut(&user)) {
            member.slot = None;
        }
        (slot.class, slot.user)
    }

    /// Empties the plan; gives the users that were not told to end before.
    pub(crate) fn take_for_ending(&mut self) -> Vec<UserId> {
        self.gone.clear();
        let users: Vec<_> = self.slots.drain(..).filter_map(|slot| slot.user).collect();
        for user in &users {
            if let Some(member) = self.users.get_mut(user) {
                member.slot = None;
            }
        }
        users
    }

    /// Empties the plan; gives everyone who has not ended yet.
    pub(crate) fn take_all(&mut self) -> Vec<UserId> {
        let mut users: Vec<_> = self.users.keys().copied().collect();
        users.sort_unstable();
        self.clear();
        users
    }

    pub(crate) fn started(&mut self, user: UserId) {
        if let Some(member) = self.users.get_mut(&user)
            && !member.started
        {
            member.started = true;
            self.running += 1;
        }
    }

    pub(crate) fn ended(&mut self, user: UserId) {
        let Some(member) = self.users.remove(&user) else {
            return;
        };
        self.running -= u64::from(member.started);
        if let Some(slot) = member.slot {
            self.slots[slot].user = None;
            self.gone.insert(slot);
        }
    }

    /// Gives users until `limit` to finish their task. Limits are given in the
    /// order in which they end.
    pub(crate) fn may_finish_until(&mut self, users: &[UserId], limit: Instant) {
        self.finishing
            .extend(users.iter().map(|user| (limit, *user)));
    }

    /// When the first user that may finish its task is to be ended.
    pub(crate) fn next_overdue(&self) -> Option<Instant> {
        self.finishing.front().map(|(limit, _)| *limit)
    }

    /// Takes the users whose time to finish is over and that have not ended.
    pub(crate) fn take_overdue(&mut self, now: Instant) -> Vec<UserId> {
        let mut overdue = Vec::new();
        while let Some((limit, user)) = self.finishing.front().copied() {
            let ended = !self.users.contains_key(&user);
            if limit > now && !ended {
                break;
            }
            self.finishing.pop_front();
            if !ended {
                overdue.push(user);
            }
        }
        overdue
    }

    fn fill(&mut self, slot: usize) -> UserId {
        let user = UserId(self.next_id);
        self.next_id += 1;
        self.slots[slot].user = Some(user);
        let member = Member {
            slot: Some(slot),
            started: false,
        };
        self.users.insert(user, member);
        user
    }
}
