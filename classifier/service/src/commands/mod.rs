//! What `classifier` can be told to do.

mod card;
mod course;
pub(crate) mod evaluate;
mod keep;
mod output;
mod place;
pub(crate) mod ready;
pub(crate) mod replay;
pub(crate) mod serve;
mod table;
pub(crate) mod train;
