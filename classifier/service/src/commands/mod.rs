//! What `classifier` can be told to do.

mod card;
mod course;
mod dataset;
pub(crate) mod evaluate;
mod judge;
pub(crate) mod serve;
mod table;
pub(crate) mod train;
