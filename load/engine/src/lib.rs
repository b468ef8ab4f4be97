//! Who runs when: which user class starts next, when each user starts, and how
//! a run begins and ends.
//!
//! [`Runner`] decides purely: commands and the time go in, [`Action`]s come
//! out, so a test replays an hour at once. [`start`] puts it on a thread of its
//! own, which is the only code here that reads a clock or waits.
//!
//! Nothing here knows who executes users: whoever does gets the actions and
//! answers with [`Command`]s.

mod control;
pub mod plan;
mod pool;
mod roster;
mod run_state;
mod runner;
mod thread;

pub use control::{
    Action, ClassId, Command, Ending, InvalidSpawnRate, SpawnRate, Swarm, UserClass, UserId,
};
pub use pool::{ARRIVAL_WAIT_MAX, ARRIVALS_WAITING_MAX};
pub use run_state::RunState;
pub use runner::{END_LIMIT, Runner, Settings};
pub use thread::{Control, RunnerThread, start};
