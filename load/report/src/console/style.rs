//! How tables look: their width, and colours where somebody looks at them.

use anstyle::{AnsiColor, Effects, Style as Ansi};

/// Columns of a name where nobody's terminal is narrower, as in Locust.
const NAME_WIDTH: usize = 80;

/// Colours, and the width of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    colours: bool,
    /// Columns of a name in the table of percentiles.
    name_width: usize,
}

impl Style {
    /// For files and pipes: no colours, and as wide as Locust's tables are there.
    pub const PLAIN: Self = Self {
        colours: false,
        name_width: NAME_WIDTH,
    };

    /// For a terminal of `columns` columns. In a narrow one names get less room, as
    /// in Locust; those that do not fit make their line longer.
    pub fn terminal(columns: usize, colours: bool) -> Self {
        Self {
            colours,
            name_width: columns.saturating_sub(80).clamp(MIN_NAME_WIDTH, NAME_WIDTH),
        }
    }

    pub(super) fn name_width(self) -> usize {
        self.name_width
    }

    /// Something that is to be noticed.
    pub(super) fn bad(self, text: &str) -> String {
        self.paint(Ansi::new().fg_color(Some(AnsiColor::Red.into())), text)
    }

    /// What matters most.
    pub(super) fn strong(self, text: &str) -> String {
        self.paint(Ansi::new().effects(Effects::BOLD), text)
    }

    fn paint(self, ansi: Ansi, text: &str) -> String {
        if self.colours {
            format!("{ansi}{text}{ansi:#}")
        } else {
            text.to_owned()
        }
    }
}

/// Room for a short name, in a terminal however narrow.
const MIN_NAME_WIDTH: usize = 20;
