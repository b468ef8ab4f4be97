//! What `classifier` does besides serving.

mod card;
mod course;
mod dataset;
pub(crate) mod evaluate;
mod judge;
mod table;
pub(crate) mod train;
