//! A CSV table whose columns are found by name.

use csv::StringRecord;

use super::Unreadable;

/// More rows than any file of statistics has.
const ROWS_MAX: usize = 500_000;

/// A table with its rows in memory.
#[derive(Debug)]
pub(super) struct Table<'a> {
    file: &'a str,
    header: Vec<String>,
    rows: Vec<StringRecord>,
}

/// A row of it. Columns are named with `|` between names of the same thing; capitals do
/// not matter.
pub(super) struct Row<'a> {
    table: &'a Table<'a>,
    number: usize,
    fields: &'a StringRecord,
}

impl<'a> Table<'a> {
    /// Reads a file that has at least the columns `needed`.
    pub(super) fn read(
        (file, text): &'a (String, String),
        needed: &[&str],
    ) -> Result<Self, Unreadable> {
        let unreadable = |why: String| Unreadable {
            file: file.clone(),
            why,
        };
        if text.trim().is_empty() {
            return Err(unreadable("the file is empty".to_owned()));
        }
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let foreign = |error: csv::Error, line: usize| {
            unreadable(format!("no CSV of a load test: {}", said(&error, line)))
        };
        let header = reader.headers().map_err(|error| foreign(error, 1))?;
        let mut table = Self {
            file,
            header: header
                .iter()
                .map(|name| name.trim().to_lowercase())
                .collect(),
            rows: Vec::new(),
        };
        if let Some(column) = needed.iter().find(|column| table.column(column).is_none()) {
            let column = column.replace('|', "' or '");
            return Err(unreadable(format!(
                "no CSV of a load test: it has no column '{column}'"
            )));
        }
        if !text.ends_with('\n') {
            return Err(unreadable(
                "the file is cut off in its last line".to_owned(),
            ));
        }
        for record in reader.records() {
            let line = table.rows.len() + 2;
            table
                .rows
                .push(record.map_err(|error| foreign(error, line))?);
            if table.rows.len() > ROWS_MAX {
                return Err(unreadable(format!("more than {ROWS_MAX} lines")));
            }
        }
        Ok(table)
    }

    pub(super) fn rows(&'a self) -> impl Iterator<Item = Row<'a>> {
        self.rows.iter().enumerate().map(|(number, fields)| Row {
            table: self,
            number: number + 2,
            fields,
        })
    }

    fn column(&self, names: &str) -> Option<usize> {
        names.split('|').find_map(|name| {
            let name = name.to_lowercase();
            self.header.iter().position(|column| *column == name)
        })
    }
}

impl<'a> Row<'a> {
    /// A field; empty if there is no such column.
    pub(super) fn text(&self, column: &str) -> &'a str {
        let at = self.table.column(column);
        at.and_then(|at| self.fields.get(at)).unwrap_or_default()
    }

    /// A number; none where the field is empty, `N/A` or missing.
    pub(super) fn number(&self, column: &str) -> Result<Option<f64>, Unreadable> {
        match self.text(column).trim() {
            "" | "N/A" | "None" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(self.complain(column, text)),
            },
        }
    }

    /// A number of requests.
    pub(super) fn count(&self, column: &str) -> Result<u64, Unreadable> {
        let text = self.text(column).trim();
        text.parse().map_err(|_| self.complain(column, text))
    }

    /// A time such as `2026-11-24T11:54:37Z` in seconds since the Unix epoch.
    pub(super) fn time(&self, column: &str) -> Option<f64> {
        let time: jiff::Timestamp = self.text(column).parse().ok()?;
        Some(time.as_second() as f64)
    }

    /// Columns that are called like `99.9%`, and the fraction that each means.
    pub(super) fn percentile_columns(&self) -> impl Iterator<Item = (&'a str, f64)> {
        self.table.header.iter().filter_map(|column| {
            let percent: f64 = column.strip_suffix('%')?.parse().ok()?;
            let fraction = (percent * 1e6).round() / 1e8;
            (0.0..=1.0)
                .contains(&fraction)
                .then_some((&**column, fraction))
        })
    }

    fn complain(&self, column: &str, text: &str) -> Unreadable {
        let column = column.split('|').next().unwrap_or_default();
        self.wrong(&format!("'{column}' is no number: '{text}'"))
    }

    /// What cannot be so in this line.
    pub(super) fn wrong(&self, why: &str) -> Unreadable {
        Unreadable {
            file: self.table.file.to_owned(),
            why: format!("line {}: {why}", self.number),
        }
    }
}

/// What the parser found in a line, without the file that it does not know.
fn said(error: &csv::Error, line: usize) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("line {line} has {len} fields, expected {expected_len}"),
        _ => format!("line {line}: {error}"),
    }
}
