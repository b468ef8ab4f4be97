//! The lines of `locust.conf` and of files named by `--config`.
//!
//! `key = value`, `key: value`, `key value` or `key` alone, which means `true`;
//! dashes before the key are allowed. A value may stand in quotes, or be a list
//! in brackets. What follows ` #` or ` ;` is a comment, and so are lines that
//! begin with `#`, `;`, `[` or `---`.
//! Source of the rules: ConfigArgParse's `DefaultConfigFileParser`, which Locust
//! reads its files with; observed on Locust 2.47.

use super::ConfigValue;

/// A line that is no setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {number} is no setting: {line}")]
pub struct UnexpectedLine {
    /// Which, from one.
    pub number: usize,
    /// What it says.
    pub line: String,
}

/// Reads every setting of a file.
///
/// # Errors
///
/// [`UnexpectedLine`] for the first line that is neither a setting nor a comment.
pub fn parse(text: &str) -> Result<Vec<(String, ConfigValue)>, UnexpectedLine> {
    let lines = text.lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !is_comment(line))
        .map(|(index, line)| {
            parse_line(line).ok_or_else(|| UnexpectedLine {
                number: index + 1,
                line: line.to_owned(),
            })
        })
        .collect()
}

fn is_comment(line: &str) -> bool {
    line.is_empty() || line.starts_with(['#', ';', '[']) || line.starts_with("---")
}

fn parse_line(line: &str) -> Option<(String, ConfigValue)> {
    let key_end = line
        .find(|c: char| matches!(c, ':' | '=' | ';' | '#') || c.is_whitespace())
        .unwrap_or(line.len());
    let (key, rest) = line.split_at(key_end);
    if key.is_empty() {
        return None;
    }
    let body = rest.trim_start();
    let value = if body.is_empty() {
        "true"
    } else if let Some(body) = body.strip_prefix([':', '=']) {
        value(body.trim_start())
    } else if body.len() < rest.len() {
        value(body)
    } else {
        return None; // A comment sign right behind the key.
    };
    Some((key.to_owned(), as_list(value)))
}

/// The value at the beginning of `body`, without its quotes and what follows.
fn value(body: &str) -> &str {
    if let Some(quote @ ('"' | '\'')) = body.chars().next() {
        let inside = &body[1..];
        let ends = inside.match_indices(quote);
        let end = ends.map(|(at, _)| at).find(|at| is_tail(&inside[at + 1..]));
        if let Some(end) = end {
            return &inside[..end];
        }
    }
    let ends = body.char_indices().skip(1).map(|(at, _)| at);
    let end = ends.into_iter().find(|at| is_tail(&body[*at..]));
    &body[..end.unwrap_or(body.len())]
}

/// Whether nothing but a comment is left of a line.
fn is_tail(rest: &str) -> bool {
    let comment = rest.trim_start();
    comment.is_empty() || (comment.len() < rest.len() && comment.starts_with([';', '#']))
}

/// `[a, b]` and JSON lists are lists, everything else is one text.
fn as_list(value: &str) -> ConfigValue {
    list_in_brackets(value).map_or_else(|| ConfigValue::Text(value.to_owned()), ConfigValue::List)
}

/// The elements of `[a, b]` or `["a", "b"]`; `None` if there are no brackets.
pub fn list_in_brackets(value: &str) -> Option<Vec<String>> {
    let inside = value.strip_prefix('[')?.strip_suffix(']')?;
    let Ok(elements) = serde_json::from_str::<Vec<serde_json::Value>>(value) else {
        return Some(
            inside
                .split(',')
                .map(|element| element.trim().to_owned())
                .collect(),
        );
    };
    let texts = elements.into_iter().map(|element| match element {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    });
    Some(texts.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: &str) -> ConfigValue {
        ConfigValue::Text(value.to_owned())
    }

    fn list(values: &[&str]) -> ConfigValue {
        ConfigValue::List(values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn lines_are_read_as_locust_reads_them() {
        // Observed on Locust 2.47.0 with ConfigArgParse's parser.
        for (line, key, value) in [
            ("users = 5", "users", text("5")),
            ("users=5", "users", text("5")),
            ("spawn-rate: 2", "spawn-rate", text("2")),
            ("host http://x", "host", text("http://x")),
            ("--users 5", "--users", text("5")),
            ("headless", "headless", text("true")),
            ("users = ", "users", text("")),
            ("host = \"http://x\" # c", "host", text("http://x")),
            ("csv = 'a b' ; d", "csv", text("a b")),
            ("host = http://x#frag", "host", text("http://x#frag")),
            ("host = http://x # comment", "host", text("http://x")),
            ("host =http://x;a", "host", text("http://x;a")),
            ("host = \"http://x", "host", text("\"http://x")),
            ("host = \"a\" b \"c\"", "host", text("a\" b \"c")),
            ("headless # c", "headless", text("# c")),
            ("csv = \"\"", "csv", text("")),
            ("tags = [a, b]", "tags", list(&["a", "b"])),
            ("tags = [\"a\", \"b c\"]", "tags", list(&["a", "b c"])),
            ("tags = [1, 2]", "tags", list(&["1", "2"])),
            ("tags = []", "tags", list(&[])),
            ("tags = a b", "tags", text("a b")),
        ] {
            assert_eq!(parse(line), Ok(vec![(key.to_owned(), value)]), "{line}");
        }
    }

    #[test]
    fn comments_and_headings_are_skipped() {
        let file = "[section]\n--- yaml\n;c\n#c\n\n  users=3  \n";
        assert_eq!(parse(file), Ok(vec![("users".to_owned(), text("3"))]));
    }

    #[test]
    fn a_line_that_is_no_setting_is_shown() {
        for line in ["= 5", ": x", "users#5", "users;5"] {
            let file = format!("# first\n{line}\n");
            let error = UnexpectedLine {
                number: 2,
                line: line.to_owned(),
            };
            assert_eq!(parse(&file), Err(error));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s).{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_likely_line_makes_it_panic(line in "[a-z\u{e4}\u{2003}\"'=:;# \\[\\],-]{0,30}") {
            let _ = parse(&line);
        }

        #[test]
        fn plain_values_come_back(key in "[a-z][a-z-]{0,10}", value in "[a-zA-Z0-9/:.,_-]{1,20}") {
            for line in [format!("{key} = {value}"), format!("{key}: '{value}'"), format!("{key} = \"{value}\" # x")] {
                prop_assert_eq!(parse(&line), Ok(vec![(key.clone(), text(&value))]));
            }
        }
    }
}
