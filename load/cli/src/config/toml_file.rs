//! The `[tool.locust]` table of `pyproject.toml`.

use toml::{Table, Value};

use super::ConfigValue;

/// Reads the settings under `[tool.locust]`; a file without it sets nothing.
///
/// # Errors
///
/// One line that says where the file is no TOML, or which key holds a table.
pub fn parse_pyproject(text: &str) -> Result<Vec<(String, ConfigValue)>, String> {
    let file: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = line_of(text, &error);
        format!("line {line} is no TOML: {}", error.message())
    })?;
    let section = file.get("tool").and_then(|tool| tool.get("locust"));
    let Some(Value::Table(section)) = section else {
        return Ok(Vec::new());
    };
    section
        .iter()
        .map(|(key, value)| Ok((key.clone(), setting(key, value)?)))
        .collect()
}

/// The line of `text` that `error` is about, from one.
pub(crate) fn line_of(text: &str, error: &toml::de::Error) -> usize {
    error
        .span()
        .map_or(1, |span| text[..span.start].matches('\n').count() + 1)
}

fn setting(key: &str, value: &Value) -> Result<ConfigValue, String> {
    match value {
        Value::Array(elements) => {
            let texts = elements.iter().map(|element| scalar(key, element));
            Ok(ConfigValue::List(texts.collect::<Result<_, _>>()?))
        }
        other => scalar(key, other).map(ConfigValue::Text),
    }
}

fn scalar(key: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(format!("{number:?}")),
        Value::Boolean(answer) => Ok(answer.to_string()),
        Value::Datetime(time) => Ok(time.to_string()),
        Value::Array(_) | Value::Table(_) => Err(format!(
            "tool.locust.{key} is to be a text, a number, true, false or a list of them"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &str, value: &str) -> (String, ConfigValue) {
        (key.to_owned(), ConfigValue::Text(value.to_owned()))
    }

    #[test]
    fn settings_are_read_from_their_table_only() {
        let file = "[project]\nname = 'x'\n[tool.locust]\nusers = 2\nheadless = true\nspawn-rate = 1.5\n\
                    host = 'http://x'\ntags = ['a', 'b']\n[tool.other]\nusers = 3\n";
        let mut items = parse_pyproject(file).expect("a good file");
        items.sort_by(|a, b| a.0.cmp(&b.0));
        let tags = ConfigValue::List(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(
            items,
            [
                text("headless", "true"),
                text("host", "http://x"),
                text("spawn-rate", "1.5"),
                ("tags".to_owned(), tags),
                text("users", "2"),
            ]
        );
    }

    #[test]
    fn a_file_without_the_table_sets_nothing() {
        for file in [
            "",
            "[tool.other]\nusers = 2\n",
            "tool = 5\n",
            "[tool]\nlocust = 1\n",
        ] {
            assert_eq!(parse_pyproject(file), Ok(Vec::new()), "{file}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let error = parse_pyproject("[project]\n[tool.locust\n").expect_err("no TOML");
        assert!(error.starts_with("line 2 is no TOML: "), "{error}");
        let error = parse_pyproject("[tool.locust.users]\nmany = 1\n").expect_err("a table");
        assert!(error.starts_with("tool.locust.users is to be"), "{error}");
    }
}
