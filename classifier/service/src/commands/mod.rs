//! What `classifier` can be told to do.

mod card;
mod course;
mod dataset;
pub(crate) mod evaluate;
mod judge;
mod output;
pub(crate) mod serve;
mod table;
pub(crate) mod train;
