//! Images on their way to the network: decoded within bounds, cropped, resized and normalised.
//!
//! Pure: bytes, limits and seeds come in, values go out. Training and serving run
//! the same [`preprocess`], so a picture means the same to both.

mod augment;
mod class;
mod crop;
mod decode;
mod preprocess;
mod random;
mod split;

pub use augment::augment;
pub use class::{Class, UnknownClass};
pub use crop::CropRule;
pub use decode::{DecodeError, GreyImage, Limits, decode};
pub use preprocess::{Preprocessing, frame, framed_part, normalise, preprocess, resize};
pub use random::Random;
pub use split::{Split, Thumbnail, group_near_duplicates, split_by_group};
