//! How much is kept, and what happens to the rest.

/// The name under which requests are counted once there are too many names.
pub const OTHER_NAMES: &str = "(other names)";
/// The error under which failures are counted once there are too many of them.
pub const OTHER_ERRORS: &str = "(other errors)";
/// The message under which exceptions are counted once there are too many of them.
pub const OTHER_EXCEPTIONS: &str = "(other exceptions)";

/// The label under which answers are counted once there are too many labels.
pub const OTHER_LABELS: &str = "(other labels)";

/// Bounds of the memory that statistics take, however many requests there are.
///
/// What is beyond a bound is still counted, in a row of its own; texts are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pairs of method and name that have an entry each. Further ones are counted
    /// together as [`OTHER_NAMES`].
    pub max_names: usize,
    /// Names beyond `max_names` that are told apart in order to say how many there
    /// were; beyond that, it is said that there were more.
    pub max_overflowed_names: usize,
    /// Triples of method, name and error that have a row each. Further ones are
    /// counted together as [`OTHER_ERRORS`].
    pub max_failures: usize,
    /// Tracebacks that have a row each. Further exceptions are counted together
    /// as [`OTHER_EXCEPTIONS`].
    pub max_exceptions: usize,
    /// Nodes that an exception's row names. Further ones are left out.
    pub max_nodes: usize,
    /// Methods and names are cut to this many bytes.
    pub max_name_bytes: usize,
    /// Error texts and messages of exceptions are cut to this many bytes.
    pub max_error_bytes: usize,
    /// Tracebacks are cut to this many bytes.
    pub max_traceback_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_names: 1_000,
            max_overflowed_names: 100_000,
            max_failures: 500,
            max_exceptions: 500,
            max_nodes: 100,
            max_name_bytes: 1_000,
            max_error_bytes: 4_000,
            max_traceback_bytes: 20_000,
        }
    }
}

/// As much of `text` as fits `max_bytes`, cut between two characters.
pub(crate) fn cut(text: &str, max_bytes: usize) -> &str {
    // The ends of a range given by `floor_char_boundary` are in the text.
    &text[..text.floor_char_boundary(max_bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        for (why, text, max_bytes, expected) in [
            ("fits", "/a", 2, "/a"),
            ("too long", "/abc", 2, "/a"),
            ("the limit is inside a character", "/é", 2, "/"),
            ("nothing fits", "é", 0, ""),
        ] {
            assert_eq!(cut(text, max_bytes), expected, "{why}");
        }
    }
}
