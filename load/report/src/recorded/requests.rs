//! What a log of requests says about bytes. The log may be long, so it is read once, row
//! by row, and nothing of it is kept.

use std::io::Read;

use super::Unreadable;

/// Sums over a `_requests.csv`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests.
    pub rows: u64,
    /// Bytes sent and received.
    pub bytes: u64,
    /// The first and the last second, since the Unix epoch.
    pub range_s: (u64, u64),
}

impl Traffic {
    /// Reads a log with the load-testing guide's columns. A last line that is cut off is
    /// left out: the log may still be growing.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] if it has other columns, or holds something else than numbers.
    pub fn read(file: &str, log: impl Read) -> Result<Self, Unreadable> {
        let unreadable = |why: String| Unreadable {
            file: file.to_owned(),
            why,
        };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(log);
        let header = reader
            .headers()
            .map_err(|error| unreadable(error.to_string()))?
            .clone();
        let column = |name: &str| {
            let at = header
                .iter()
                .position(|column| column.eq_ignore_ascii_case(name));
            at.ok_or_else(|| unreadable(format!("no log of requests: it has no column '{name}'")))
        };
        let columns = [
            column("Timestamp")?,
            column("Bytes sent")?,
            column("Bytes received")?,
        ];
        let mut traffic = Self::default();
        let mut record = csv::ByteRecord::new();
        let mut cut_off = None;
        while reader
            .read_byte_record(&mut record)
            .map_err(|error| unreadable(error.to_string()))?
        {
            if let Some(line) = cut_off {
                return Err(unreadable(format!("line {line} is no request")));
            }
            let number = |at: usize| -> Option<u64> {
                let text = std::str::from_utf8(record.get(at)?).ok()?;
                text.parse::<f64>().ok().map(|number| number as u64)
            };
            match columns.map(number) {
                [Some(second), Some(sent), Some(received)] => {
                    traffic.add(second, sent.saturating_add(received));
                }
                _ => cut_off = Some(traffic.rows + 2),
            }
        }
        Ok(traffic)
    }

    fn add(&mut self, second: u64, bytes: u64) {
        let (from, to) = if self.rows == 0 {
            (second, second)
        } else {
            self.range_s
        };
        self.range_s = (from.min(second), to.max(second));
        self.rows += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Seconds from the first to the last request, both included.
    pub fn seconds(&self) -> f64 {
        (self.range_s.1 - self.range_s.0 + 1) as f64
    }
}
