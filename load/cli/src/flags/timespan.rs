//! Times as Locust's command line writes them.

/// A text that is no time span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTimeSpan {
    /// There is nothing.
    #[error("Invalid time span format")]
    Empty,
    /// There is something else.
    #[error("Invalid time span format. Valid formats: 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.")]
    Format,
    /// It is longer than a clock can count.
    #[error("the time span is too long")]
    TooLong,
}

/// The seconds that `text` means: a whole number of them, or hours, minutes and
/// seconds in this order, as in `1h20m`.
/// Source of the rules and of the error texts: observed on Locust 2.47.
///
/// # Errors
///
/// [`InvalidTimeSpan`] says what is wrong.
pub fn parse_time_span(text: &str) -> Result<u64, InvalidTimeSpan> {
    if text.is_empty() {
        return Err(InvalidTimeSpan::Empty);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(text);
    }
    let mut rest = text;
    let mut total: u64 = 0;
    for (unit, seconds) in [('h', 3600), ('m', 60), ('s', 1)] {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && rest[digits..].starts_with(unit) {
            total = number(&rest[..digits])?
                .checked_mul(seconds)
                .and_then(|part| total.checked_add(part))
                .ok_or(InvalidTimeSpan::TooLong)?;
            rest = &rest[digits + 1..];
        }
    }
    if rest.is_empty() {
        Ok(total)
    } else {
        Err(InvalidTimeSpan::Format)
    }
}

fn number(digits: &str) -> Result<u64, InvalidTimeSpan> {
    digits.parse().map_err(|_| InvalidTimeSpan::TooLong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        InvalidTimeSpan::{Empty, Format, TooLong},
        *,
    };

    #[test]
    fn time_spans_are_read_as_locust_reads_them() {
        for (text, expected) in [
            ("20", Ok(20)),
            ("20s", Ok(20)),
            ("3m", Ok(180)),
            ("2h", Ok(7200)),
            ("1h20m", Ok(4800)),
            ("3h30m10s", Ok(12_610)),
            ("1h5s", Ok(3605)),
            ("0", Ok(0)),
            ("", Err(Empty)),
            ("5x", Err(Format)),
            ("20m1h", Err(Format)),
            ("-5", Err(Format)),
            ("1.5m", Err(Format)),
            ("m", Err(Format)),
            ("5 s", Err(Format)),
            ("99999999999999999999", Err(TooLong)),
            ("18446744073709551615h", Err(TooLong)),
        ] {
            assert_eq!(parse_time_span(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_out_is_read_back(h in 0_u64..1000, m in 0_u64..1000, s in 0_u64..1000) {
            let text = format!("{h}h{m}m{s}s");
            prop_assert_eq!(parse_time_span(&text), Ok(h * 3600 + m * 60 + s));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,20}") {
            let _ = parse_time_span(&text);
        }
    }
}
