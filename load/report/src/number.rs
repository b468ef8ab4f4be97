//! Numbers as Python writes them, because Locust's files are written by Python.

/// `value` as `repr(float)` gives it: the shortest text that reads as the same
/// number, in scientific notation below 0.0001 and from 10¹⁶ on.
pub(crate) fn python_float(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e16).contains(&size) || !value.is_finite() {
        return format!("{value:?}").to_lowercase();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text
        .split_once('e')
        .expect("scientific notation has an exponent");
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// `value` as an integer if it is one, otherwise as [`python_float`].
///
/// Locust has integers where it rounds to buckets and floats where it does not.
pub(crate) fn python_number(value: f64) -> String {
    let text = python_float(value);
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(integer) => integer.to_owned(),
        None => text,
    }
}

/// A percentile as a column's name: 0.999 is `99.9%`.
/// Source: `get_readable_percentiles`, locust/stats.py.
pub(crate) fn percentile_label(fraction: f64) -> String {
    let percent = fraction * 100.0;
    if percent.fract() == 0.0 {
        return format!("{}%", python_number(percent));
    }
    format!("{}%", python_float((percent * 1e6).round() / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        // Expected texts: repr() of CPython 3.11.
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (11.0, "11.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (2.151_343_000_150_518_5, "2.1513430001505185"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (1e-7, "1e-07"),
            (1e-100, "1e-100"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (-1.5e300, "-1.5e+300"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(python_float(value), expected);
        }
    }

    #[test]
    fn whole_numbers_are_written_without_a_fraction() {
        for (value, expected) in [(21.0, "21"), (0.0, "0"), (-0.0, "0"), (0.25, "0.25")] {
            assert_eq!(python_number(value), expected);
        }
    }

    #[test]
    fn percentiles_are_named_as_locust_names_them() {
        // Expected names: get_readable_percentiles of Locust 2.47.0.
        for (fraction, expected) in [
            (0.5, "50%"),
            (0.66, "66%"),
            (0.999, "99.9%"),
            (0.9999, "99.99%"),
            (1.0, "100%"),
            (0.07, "7.0%"),
            (0.123_456_789, "12.345679%"),
        ] {
            assert_eq!(percentile_label(fraction), expected);
        }
    }
}
