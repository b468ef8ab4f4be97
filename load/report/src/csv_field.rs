//! Fields and rows of CSV in the dialect of Python's `csv` module: fields are
//! quoted only where they have to be, quotes are doubled, rows end in CRLF.

/// What ends a row.
pub(crate) const ROW_END: &str = "\r\n";

/// Appends `text` as one field.
pub(crate) fn push(out: &mut Vec<u8>, text: &str) {
    let needs_quotes = |byte: &u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    if !text.as_bytes().iter().any(needs_quotes) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for (at, piece) in text.split('"').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(piece.as_bytes());
    }
    out.push(b'"');
}

/// Rows of `fields`, as one text.
pub(crate) fn rows<R, F>(rows: R) -> String
where
    R: IntoIterator<Item = F>,
    F: IntoIterator<Item: AsRef<str>>,
{
    let mut out = Vec::new();
    for row in rows {
        for (at, field) in row.into_iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            push(&mut out, field.as_ref());
        }
        out.extend_from_slice(ROW_END.as_bytes());
    }
    String::from_utf8(out).expect("fields are text, and so is what is put around them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_quoted_as_python_does() {
        // Expected fields: written by Python 3.11's csv.writer.
        for (text, expected) in [
            ("/health", "/health"),
            ("say \"hi\", you", "\"say \"\"hi\"\", you\""),
            ("two\nlines", "\"two\nlines\""),
            ("return\r", "\"return\r\""),
            (" spaces ", " spaces "),
            ("", ""),
            ("it's", "it's"),
        ] {
            let mut out = Vec::new();
            push(&mut out, text);
            assert_eq!(String::from_utf8(out).as_deref(), Ok(expected));
        }
    }

    proptest! {
        #[test]
        fn rows_are_read_as_they_were_written(
            fields in prop::collection::vec(prop::collection::vec("[a,\"\r\n é']{0,6}", 3), 1..5),
        ) {
            let text = rows(&fields);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let read: Result<Vec<csv::StringRecord>, _> = reader.records().collect();
            let read: Vec<Vec<String>> = read
                .expect("valid CSV")
                .iter()
                .map(|record| record.iter().map(str::to_owned).collect())
                .collect();
            prop_assert_eq!(read, fields);
        }
    }
}
