//! What `--watch` names.

use std::path::PathBuf;
use std::str::FromStr;

/// Something whose CPU and memory can be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Whatever listens on this port of this machine.
    Port(u16),
    /// This process and its children.
    Process(i32),
    /// Containers of this name, or of this service of Docker Compose.
    Container(String),
    /// A folder of the control group file system, version 2.
    Group(PathBuf),
    /// A page of metrics in Prometheus' text format.
    Metrics(String),
    /// Nothing at all.
    Nothing,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str, what: &str| format!("'{digits}' is no {what}");
        match text.split_once(':') {
            None if text == "none" => Ok(Self::Nothing),
            Some(("port", port)) => match port.parse() {
                Ok(port) if port > 0 => Ok(Self::Port(port)),
                _ => Err(number(port, "port")),
            },
            Some(("pid", pid)) => match pid.parse() {
                Ok(pid) if pid > 0 => Ok(Self::Process(pid)),
                _ => Err(number(pid, "process")),
            },
            Some(("docker", name)) if !name.is_empty() => Ok(Self::Container(name.to_owned())),
            Some(("cgroup", path)) if !path.is_empty() => Ok(Self::Group(path.into())),
            Some(("http" | "https", rest)) if rest.starts_with("//") && rest.len() > 2 => {
                Ok(Self::Metrics(text.to_owned()))
            }
            _ => Err(format!(
                "'{text}' is nothing to look at: write port:8000, pid:123, docker:NAME, cgroup:FOLDER, a URL of metrics, or none"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_a_spelling_and_mistakes_are_named() {
        for (text, place) in [
            ("port:8000", Place::Port(8_000)),
            ("pid:12", Place::Process(12)),
            ("docker:api_1", Place::Container("api_1".to_owned())),
            (
                "cgroup:/sys/fs/cgroup/x",
                Place::Group("/sys/fs/cgroup/x".into()),
            ),
            (
                "http://127.0.0.1:9/metrics",
                Place::Metrics("http://127.0.0.1:9/metrics".to_owned()),
            ),
            ("none", Place::Nothing),
        ] {
            assert_eq!(text.parse(), Ok(place));
        }
        for (text, part) in [
            ("port:0", "'0' is no port"),
            ("port:x", "'x' is no port"),
            ("pid:-4", "'-4' is no process"),
            ("docker:", "'docker:' is nothing to look at"),
            ("http:", "nothing to look at"),
            ("api", "write port:8000"),
            ("", "nothing to look at"),
        ] {
            let error = text.parse::<Place>().expect_err(text);
            assert!(error.contains(part), "{error}");
        }
    }
}
