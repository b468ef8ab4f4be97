//! What a form sent to `/swarm` asks for. Fields count in the order of the form,
//! so what comes before a mistake holds nevertheless, as in Locust.

use std::time::Duration;

use acrida_engine::SpawnRate;
use serde_json::{Map, Value, json};

/// What a form asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Asked {
    /// Users to run.
    pub users: Option<i64>,
    /// Users started per second.
    pub spawn_rate: Option<f64>,
    /// How long the test may take.
    pub run_time: Option<Duration>,
    /// The user classes to run.
    pub user_classes: Vec<String>,
    /// The load shape to follow; `Default` is none.
    pub shape_class: Option<String>,
    /// New values of `parsed_options`, by attribute.
    pub options: Map<String, Value>,
    /// The first mistake; fields after it were not looked at.
    pub mistake: Option<String>,
}

/// Reads the `fields` of a form. `options` are the settings as they are, whose types
/// are kept; `run_time` reads a text such as `1h20m`.
pub fn read(
    fields: &[(String, String)],
    options: &Map<String, Value>,
    run_time: impl Fn(&str) -> Option<Duration>,
) -> Asked {
    let mut asked = Asked::default();
    for (at, (name, value)) in fields.iter().enumerate() {
        if fields[..at].iter().any(|(earlier, _)| earlier == name) {
            continue; // A repeated field was read with its first one.
        }
        if let Err(mistake) = field(&mut asked, name, value, fields, options, &run_time) {
            asked.mistake = Some(mistake);
            break;
        }
    }
    asked
}

fn field(
    asked: &mut Asked,
    name: &str,
    value: &str,
    fields: &[(String, String)],
    options: &Map<String, Value>,
    run_time: &impl Fn(&str) -> Option<Duration>,
) -> Result<(), String> {
    let new = match name {
        "user_count" => {
            let users = value.trim().parse().map_err(|_| {
                format!(
                    "Invalid user_count value: {} (must be an integer)",
                    quoted(value)
                )
            })?;
            asked.users = Some(users);
            asked.options.insert("num_users".to_owned(), json!(users));
            return Ok(());
        }
        "spawn_rate" => {
            let rate = value.trim().parse().map_err(|_| {
                format!(
                    "Invalid spawn_rate value: {} (must be a number)",
                    quoted(value)
                )
            })?;
            asked.spawn_rate = Some(rate);
            json!(rate)
        }
        "host" => json!(value.replace(['<', '>'], "")),
        "user_classes" => {
            asked.user_classes = all_of(fields, name);
            json!(asked.user_classes)
        }
        "shape_class" => {
            asked.shape_class = Some(value.to_owned());
            json!(value)
        }
        "run_time" if value.is_empty() => return Ok(()),
        "run_time" => {
            const FORMATS: &str =
                "Valid run_time formats are : 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.";
            let limit = run_time(value).ok_or(FORMATS)?;
            asked.run_time = Some(limit).filter(|limit| !limit.is_zero());
            json!(limit.as_secs())
        }
        "profile" if value.is_empty() => Value::Null,
        "profile" => json!(value),
        _ => match options.get(name) {
            Some(old) => like(old, name, value, fields)?,
            None => return Ok(()),
        },
    };
    asked.options.insert(name.to_owned(), new);
    Ok(())
}

/// `value` in the type of `old`.
fn like(
    old: &Value,
    name: &str,
    value: &str,
    fields: &[(String, String)],
) -> Result<Value, String> {
    let invalid = |what: &str| format!("Invalid {name} value: {} (must be {what})", quoted(value));
    match old {
        Value::Bool(_) => Ok(json!(value == "true")),
        Value::Number(number) if number.is_f64() => {
            let number: f64 = value.trim().parse().map_err(|_| invalid("a number"))?;
            Ok(json!(number))
        }
        Value::Number(_) => {
            let number: i64 = value.trim().parse().map_err(|_| invalid("an integer"))?;
            Ok(json!(number))
        }
        Value::Array(items) => {
            let texts = if value.contains(',') {
                value.split(',').map(str::to_owned).collect()
            } else {
                all_of(fields, name)
            };
            if items.is_empty() || !items.iter().all(Value::is_i64) {
                return Ok(json!(texts));
            }
            let numbers: Result<Vec<i64>, _> =
                texts.iter().map(|text| text.trim().parse()).collect();
            Ok(json!(numbers.map_err(|_| invalid("integers"))?))
        }
        _ => Ok(json!(value)),
    }
}

fn all_of(fields: &[(String, String)], name: &str) -> Vec<String> {
    let same = fields.iter().filter(|(other, _)| other == name);
    same.map(|(_, value)| value.clone()).collect()
}

/// As Python shows a text.
fn quoted(text: &str) -> String {
    let text = text
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r");
    if text.contains('\'') && !text.contains('"') {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "\\'"))
    }
}

impl Asked {
    /// The users and the rate, if both are there and possible.
    ///
    /// # Errors
    ///
    /// Locust's sentence about what is missing.
    pub fn target(&self) -> Result<(u64, SpawnRate), String> {
        let users = self.users.and_then(|users| u64::try_from(users).ok());
        let rate = self
            .spawn_rate
            .and_then(|rate| SpawnRate::try_from(rate).ok());
        users.zip(rate).ok_or_else(|| {
            "Missing or invalid user_count or spawn_rate from /swarm request".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(form: &[(&str, &str)]) -> Asked {
        let fields: Vec<_> = form
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let options = json!({
            "tags": null, "my_num": 24, "my_rate": 0.5, "my_text": "x", "my_switch": false,
            "my_list": ["a"], "my_numbers": [1, 2],
        });
        let options = options.as_object().expect("a map");
        read(&fields, options, |text| {
            text.strip_suffix('s')
                .and_then(|text| text.parse().ok())
                .map(Duration::from_secs)
        })
    }

    #[test]
    fn mistakes_are_said_in_locusts_words() {
        // Printed by Locust 2.47.0.
        for (form, expected) in [
            (
                &[("user_count", "abc")][..],
                "Invalid user_count value: 'abc' (must be an integer)",
            ),
            (
                &[("spawn_rate", "it's")],
                "Invalid spawn_rate value: \"it's\" (must be a number)",
            ),
            (
                &[("run_time", "bad")],
                "Valid run_time formats are : 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.",
            ),
            (
                &[("my_num", "x")],
                "Invalid my_num value: 'x' (must be an integer)",
            ),
        ] {
            assert_eq!(asked(form).mistake.as_deref(), Some(expected));
        }
        for form in [
            &[("user_count", "3")][..],
            &[("user_count", "-1"), ("spawn_rate", "1")],
            &[("user_count", "1"), ("spawn_rate", "0")],
            &[("user_count", "1"), ("spawn_rate", "inf")],
            &[("user_count", "1"), ("spawn_rate", "nan")],
        ] {
            assert!(asked(form).target().is_err(), "{form:?}");
        }
    }

    #[test]
    fn what_comes_before_a_mistake_holds() {
        let asked = asked(&[
            ("host", "http://<b>x"),
            ("run_time", "bad"),
            ("my_num", "5"),
        ]);
        assert_eq!(Value::Object(asked.options), json!({"host": "http://bx"}));
    }

    #[test]
    fn settings_keep_their_types() {
        let asked = asked(&[
            ("user_count", "4"),
            ("spawn_rate", "2"),
            ("run_time", "5s"),
            ("my_num", "7"),
            ("my_rate", "2"),
            ("my_text", "y"),
            ("my_switch", "true"),
            ("tags", "a"),
            ("my_list", "a,b"),
            ("my_numbers", "3"),
            ("my_numbers", "4"),
            ("nonsense", "x"),
        ]);
        assert_eq!(asked.mistake, None);
        assert_eq!(asked.run_time, Some(Duration::from_secs(5)));
        assert_eq!(
            asked.target(),
            Ok((4, SpawnRate::try_from(2.0).expect("a rate")))
        );
        assert_eq!(
            Value::Object(asked.options),
            json!({
                "num_users": 4, "spawn_rate": 2.0, "run_time": 5, "my_num": 7, "my_rate": 2.0, "my_text": "y",
                "my_switch": true, "tags": "a", "my_list": ["a", "b"], "my_numbers": [3, 4],
            })
        );
    }
}
