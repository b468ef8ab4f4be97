//! Pure decisions: which class is next, and when.

mod dispatch;
mod spawn;

pub use dispatch::Dispatch;
pub use spawn::Ramp;
