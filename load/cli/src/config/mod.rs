//! Settings that files hold.

mod files;
mod syntax;
mod toml_file;

pub(crate) use files::read;
pub use files::{FILE_BYTES_MAX, Places, read_layer, read_layers};
pub use syntax::{UnexpectedLine, list_in_brackets, parse};
pub(crate) use toml_file::line_of;
pub use toml_file::parse_pyproject;

/// What one file sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What error messages call the file.
    pub file: String,
    /// Keys as written, in the order of the file.
    pub items: Vec<(String, ConfigValue)>,
}

/// The value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigValue {
    /// One text; a key that stands alone means `true`.
    Text(String),
    /// Texts in brackets.
    List(Vec<String>),
}
