//! Pure decisions: which class is next, when a user starts, when an iteration does.

mod arrivals;
mod dispatch;
mod spawn;

pub use arrivals::{
    ARRIVALS_PER_SECOND_MAX, ArrivalPlan, ArrivalRate, InvalidArrivalRate, Schedule,
};
pub use dispatch::Dispatch;
pub use spawn::Ramp;
