//! `PREFIX_requests.csv`: one line a request, in the load-testing guide's columns.
//!
//! Rows go into a buffer of the caller's. HOT: a row neither allocates nor goes
//! through `fmt`.

use crate::csv_field;

/// The first line.
pub const HEADER: &str = "Timestamp,Method,Name,Response time (ms),Bytes sent,Bytes received\r\n";

/// One finished request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRow<'a> {
    /// When it finished, in µs since the Unix epoch. Whole seconds are written, as
    /// in the guide.
    pub finished_us: u64,
    /// `GET`, or whatever a client of the user's own gives.
    pub method: &'a str,
    /// What the request is counted under.
    pub name: &'a str,
    /// Written in ms: a whole number as in the guide where it is one, otherwise
    /// with up to three decimals, because many a request takes less than 1 ms.
    /// `None` leaves the field empty.
    pub response_time_us: Option<u64>,
    /// Bytes sent over the socket.
    pub bytes_sent: u64,
    /// Bytes received from the socket.
    pub bytes_received: u64,
}

/// Appends one line.
pub fn write_row(out: &mut Vec<u8>, row: &RequestRow<'_>) {
    push_integer(out, row.finished_us / 1_000_000);
    out.push(b',');
    csv_field::push(out, row.method);
    out.push(b',');
    csv_field::push(out, row.name);
    out.push(b',');
    if let Some(time_us) = row.response_time_us {
        push_ms(out, time_us);
    }
    out.push(b',');
    push_integer(out, row.bytes_sent);
    out.push(b',');
    push_integer(out, row.bytes_received);
    out.extend_from_slice(csv_field::ROW_END.as_bytes());
}

fn push_integer(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn push_ms(out: &mut Vec<u8>, time_us: u64) {
    push_integer(out, time_us / 1_000);
    let mut rest = time_us % 1_000;
    if rest > 0 {
        out.push(b'.');
    }
    let mut unit = 100;
    while rest > 0 {
        out.push(b'0' + u8::try_from(rest / unit).expect("a rest is below ten units"));
        rest %= unit;
        unit /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(row: &RequestRow<'_>) -> String {
        let mut out = Vec::new();
        write_row(&mut out, row);
        String::from_utf8(out).expect("text")
    }

    const HEALTH: RequestRow<'_> = RequestRow {
        finished_us: 1_700_000_000_999_999,
        method: "GET",
        name: "/health",
        response_time_us: Some(12_000),
        bytes_sent: 0,
        bytes_received: 100,
    };

    #[test]
    fn the_line_of_the_guide_is_written() {
        assert_eq!(line(&HEALTH), "1700000000,GET,/health,12,0,100\r\n");
    }

    #[test]
    fn times_have_the_decimals_that_they_need() {
        for (response_time_us, expected) in [
            (Some(0), "0"),
            (Some(7), "0.007"),
            (Some(430), "0.43"),
            (Some(1_500), "1.5"),
            (Some(520_000), "520"),
            (Some(520_001), "520.001"),
            (None, ""),
        ] {
            let row = RequestRow {
                response_time_us,
                ..HEALTH
            };
            assert_eq!(
                line(&row),
                format!("1700000000,GET,/health,{expected},0,100\r\n")
            );
        }
    }

    proptest! {
        #[test]
        fn rows_are_read_as_they_were_written(
            finished_us: u64,
            name in "[a,\"\r\n é']{0,8}",
            time_us in 0..1_u64 << 40,
            bytes_sent: u64,
            bytes_received: u64,
        ) {
            let row = RequestRow {
                finished_us, method: "POST", name: &name, response_time_us: Some(time_us),
                bytes_sent, bytes_received,
            };
            let text = format!("{HEADER}{}", line(&row));
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let read = reader.records().next().expect("a row").expect("valid CSV");
            prop_assert_eq!(&read[0], (finished_us / 1_000_000).to_string());
            prop_assert_eq!(&read[1], "POST");
            prop_assert_eq!(&read[2], &name);
            let ms: f64 = read[3].parse().expect("a number");
            prop_assert_eq!((ms * 1e3).round() as u64, time_us);
            prop_assert_eq!(&read[4], bytes_sent.to_string());
            prop_assert_eq!(&read[5], bytes_received.to_string());
        }
    }
}
