//! Settings of the web page.

use std::time::Duration;

use super::typed::Values;
use crate::flags::Value;

/// What the flags under "Web UI options" say.
#[derive(Debug, Clone, PartialEq)]
pub struct WebOptions {
    /// `--web-host`; empty means this machine alone, where Locust means every interface.
    pub host: String,
    /// `--web-host-display-name`.
    pub display_name: Option<String>,
    /// `--web-port`.
    pub port: i64,
    /// `--web-base-path`, without a slash at its end.
    pub base_path: String,
    /// `--web-login`.
    pub login: bool,
    /// `--tls-cert` and `--tls-key`.
    pub tls: Option<(String, String)>,
    /// `--class-picker`.
    pub class_picker: bool,
    /// `--autostart`.
    pub autostart: bool,
    /// `--autoquit`, unless it is below zero.
    pub autoquit: Option<Duration>,
    /// `--print-stats`.
    pub print_stats: bool,
}

pub(super) fn read(values: &Values<'_>) -> WebOptions {
    let text = |dest| values.text(dest).filter(|text| !text.is_empty());
    let number = |dest| match values.get(dest) {
        Value::Int(number) => *number,
        other => panic!("{dest} is a whole number, not {other:?}"),
    };
    let base_path = text("web_base_path").unwrap_or_default();
    WebOptions {
        host: text("web_host").unwrap_or_default(),
        display_name: text("web_host_display_name"),
        port: number("web_port"),
        base_path: base_path.trim_end_matches('/').to_owned(),
        login: values.switch("web_login"),
        tls: text("tls_cert").zip(text("tls_key")),
        class_picker: values.switch("class_picker"),
        autostart: values.switch("autostart"),
        autoquit: u64::try_from(number("autoquit"))
            .ok()
            .map(Duration::from_secs),
        print_stats: values.switch("print_stats"),
    }
}

impl WebOptions {
    /// What cannot be meant.
    ///
    /// # Errors
    ///
    /// One line that names the flag.
    pub(super) fn check(&self, values: &Values<'_>) -> Result<(), String> {
        let base_path = values.text("web_base_path").unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
        let usable = base_path.starts_with('/') && base_path.chars().all(plain);
        if !base_path.is_empty() && !usable {
            return Err(format!(
                "argument --web-base-path: must be a slash and plain letters, such as /load, not {base_path:?}"
            ));
        }
        if u16::try_from(self.port).is_err() {
            return Err(format!(
                "argument -P/--web-port: must be from 0 to 65535, not {}",
                self.port
            ));
        }
        if values.text("tls_cert").unwrap_or_default().is_empty()
            != values.text("tls_key").unwrap_or_default().is_empty()
        {
            return Err("'--tls-cert' and '--tls-key' require each other".to_owned());
        }
        Ok(())
    }
}
