//! What a login page asks for: one password, or what the locustfile says.

use acrida_report::locust_json::escape_html;
use serde_json::Value;

/// A login page: Locust's `auth_args`, as far as they are known here.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct LoginForm {
    title: Option<String>,
    error: Option<String>,
    info: Option<String>,
    /// Where a name and a password are posted to.
    username_password_callback: Option<String>,
    auth_providers: Vec<Provider>,
    custom_form: Option<CustomForm>,
    /// Whether the password of `--web-login` is asked for.
    #[serde(skip)]
    own_password: bool,
}

/// Somebody else who knows who people are.
#[derive(Debug, serde::Deserialize)]
struct Provider {
    label: String,
    callback_url: String,
}

/// A form of the locustfile's own.
#[derive(Debug, serde::Deserialize)]
struct CustomForm {
    inputs: Vec<Input>,
    callback_url: String,
    #[serde(default)]
    submit_button_text: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Input {
    name: String,
    label: String,
    #[serde(default)]
    is_required: bool,
    #[serde(default)]
    is_secret: bool,
    #[serde(default)]
    default_value: Value,
}

impl LoginForm {
    /// Asks for the password of `--web-login`; `message` says why it does so again.
    pub(crate) fn password(message: &str) -> Self {
        Self {
            error: Some(message.to_owned()),
            own_password: true,
            ..Self::default()
        }
    }

    pub(crate) fn title(&self) -> &str {
        self.title.as_deref().unwrap_or("Log in")
    }

    pub(crate) fn info(&self) -> &str {
        self.info.as_deref().unwrap_or_default()
    }

    pub(crate) fn error(&self) -> &str {
        self.error.as_deref().unwrap_or_default()
    }

    /// Its fields, buttons and links.
    pub(crate) fn html(&self) -> String {
        let mut parts = Vec::new();
        if self.own_password {
            let where_from = "The password is in the log of this run, or in ACRIDA_WEB_PASSWORD.";
            parts.push(format!("<p class=\"hint\">{where_from}</p>"));
            parts.push(form("login", &[password_input()], None));
        }
        if let Some(callback) = &self.username_password_callback {
            let name = Input::new("username", "Username");
            parts.push(form(callback, &[name, password_input()], None));
        }
        if let Some(custom) = &self.custom_form {
            let button = custom.submit_button_text.as_deref();
            parts.push(form(&custom.callback_url, &custom.inputs, button));
        }
        for provider in &self.auth_providers {
            let (href, label) = (
                escape_html(&provider.callback_url),
                escape_html(&provider.label),
            );
            parts.push(format!("<p><a href=\"{href}\">{label}</a></p>"));
        }
        parts.join("\n")
    }
}

impl Input {
    fn new(name: &str, label: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            is_required: true,
            is_secret: false,
            default_value: Value::Null,
        }
    }
}

fn password_input() -> Input {
    Input {
        is_secret: true,
        ..Input::new("password", "Password")
    }
}

fn form(action: &str, inputs: &[Input], button: Option<&str>) -> String {
    let field = |(at, input): (usize, &Input)| {
        let (name, label) = (escape_html(&input.name), escape_html(&input.label));
        let kind = if input.is_secret { "password" } else { "text" };
        let required = if input.is_required { " required" } else { "" };
        let focus = if at == 0 { " autofocus" } else { "" };
        let value = match &input.default_value {
            Value::String(text) => escape_html(text),
            _ => String::new(),
        };
        format!(
            "<label class=\"field\"><span>{label}</span>\
             <input name=\"{name}\" type=\"{kind}\" value=\"{value}\"{required}{focus}></label>"
        )
    };
    let fields: String = inputs.iter().enumerate().map(field).collect();
    let (action, button) = (escape_html(action), escape_html(button.unwrap_or("Log in")));
    format!(
        "<form class=\"form\" method=\"post\" action=\"{action}\">{fields}\
         <button class=\"primary\">{button}</button></form>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_is_what_the_locustfile_describes_and_nothing_in_it_is_markup() {
        let form: LoginForm = serde_json::from_value(json!({
            "title": "Ours", "username_password_callback": "/login_submit",
            "auth_providers": [{"label": "<b>Git</b>", "callback_url": "/git", "icon_url": "x"}],
            "custom_form": {
                "inputs": [{"label": "Code", "name": "code", "default_value": "\"7\"", "is_secret": true}],
                "callback_url": "/code", "submit_button_text": "Go",
            },
        }))
        .expect("a form");
        let html = form.html();
        for part in [
            r#"action="/login_submit""#,
            r#"name="username" type="text" value="" required autofocus"#,
            r#"<a href="/git">&lt;b&gt;Git&lt;/b&gt;</a>"#,
            r#"name="code" type="password" value="&#34;7&#34;" autofocus"#,
            ">Go</button>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert_eq!(form.title(), "Ours");
        assert!(
            LoginForm::password("no")
                .html()
                .contains(r#"action="login""#)
        );
    }
}
