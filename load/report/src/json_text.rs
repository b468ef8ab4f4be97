//! JSON as Python's `json.dumps` spaces it, which scripts that read Locust's pages
//! and files look for, and safe inside a `<script>`.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// `", "` between items and `": "` after keys.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

/// `value` as text for a `<script>`: nothing in it can end the script or begin a
/// comment, whatever names and errors a server sent.
pub fn for_script(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, Spaced);
    value
        .serialize(&mut serializer)
        .expect("these values are JSON");
    let text = String::from_utf8(out).expect("JSON is text");
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// `value` as `json.dumps(value, indent=4)` lays it out.
pub fn indented(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"    ");
    let mut serializer = Serializer::with_formatter(&mut out, formatter);
    value
        .serialize(&mut serializer)
        .expect("these values are JSON");
    String::from_utf8(out).expect("JSON is text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_spaced_as_pythons_and_cannot_leave_its_script() {
        let value = json!({"state": "ready", "list": [1, 2.5, null], "host": "</script><!--&"});
        assert_eq!(
            for_script(&value),
            r#"{"host": "\u003c/script\u003e\u003c!--\u0026", "list": [1, 2.5, null], "state": "ready"}"#
        );
    }
}
