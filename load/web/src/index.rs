//! The page itself: one HTML document with everything a script may look for in it.

use acrida_report::json_text::for_script;
use acrida_report::locust_json::{self, escape_html};
use serde_json::{Map, Value, json};

use crate::login::random_text;
use crate::login_form::LoginForm;
use crate::shared::Shared;

const PAGE: &str = include_str!("../ui/index.html");
const LOGIN: &str = include_str!("../ui/login.html");

/// A document, and the nonce that its own script has.
pub(crate) struct Document {
    pub(crate) html: String,
    pub(crate) nonce: String,
}

/// The page, with `changes` over its own template arguments.
pub(crate) fn page(shared: &Shared, changes: Map<String, Value>) -> Document {
    let mut args = template_args(shared);
    let own = args.as_object_mut().expect("the arguments have names");
    own.extend(changes);
    filled(
        PAGE,
        shared,
        &[("title", &escape_html(&shared.settings.locustfile))],
        &args,
    )
}

/// The login page.
pub(crate) fn login(shared: &Shared, wanted: &LoginForm) -> Document {
    let text = |text: &str| escape_html(text);
    filled(
        LOGIN,
        shared,
        &[
            ("title", &text(wanted.title())),
            ("info", &text(wanted.info())),
            ("message", &text(wanted.error())),
            ("body", &wanted.html()),
        ],
        &json!({"error": wanted.error()}),
    )
}

fn filled(template: &str, shared: &Shared, texts: &[(&str, &str)], args: &Value) -> Document {
    let nonce = random_text();
    let mut html = template
        .replace("{{base}}", &escape_html(&shared.base_path))
        .replace("{{nonce}}", &nonce);
    for (name, text) in texts {
        html = html.replace(&format!("{{{{{name}}}}}"), text);
    }
    // Last, so that nothing in a name of a server's is taken for a place to fill.
    Document {
        html: html.replace("{{args}}", &for_script(args)),
        nonce,
    }
}

/// Locust's `window.templateArgs`.
pub(crate) fn template_args(shared: &Shared) -> Value {
    let settings = &shared.settings;
    let classes = shared.site.classes();
    let mut names: Vec<_> = classes.iter().map(|class| class.name.clone()).collect();
    names.sort();
    let users: Map<_, _> = classes
        .iter()
        .map(|class| (class.name.clone(), json!(class)))
        .collect();
    let tasks: Map<_, _> = classes
        .iter()
        .map(|class| (class.name.clone(), json!(class.tasks)))
        .collect();
    let hosts: Vec<_> = classes
        .iter()
        .map(|class| class.host.clone().unwrap_or_default())
        .collect();
    let host = shared.shown_host();
    let differ = hosts.windows(2).any(|pair| pair[0] != pair[1]);
    let book = shared.book();
    let option = |name: &str| book.options.get(name).cloned().unwrap_or(Value::Null);
    let extra: Map<_, _> = settings
        .extra_options
        .iter()
        .map(|extra| {
            let mut shown = json!(extra);
            shown["default_value"] = book
                .options
                .get(&extra.dest)
                .cloned()
                .unwrap_or(Value::Null);
            (extra.dest.clone(), shown)
        })
        .collect();
    let picker = settings.class_picker;
    let shape = book.shape.map(|at| &settings.shapes[at]);
    let uses_common_options = shape.map(|shape| shape.uses_common_options);
    let mut shapes: Vec<&str> = settings.shapes.iter().map(|shape| &*shape.name).collect();
    shapes.sort_unstable();
    shapes.insert(0, "Default");
    json!({
        "locustfile": settings.locustfile,
        "state": shared.control.state().name(),
        "is_distributed": false,
        "user_count": shared.control.user_count(),
        "version": settings.version,
        "host": host.clone().unwrap_or_default(),
        "history": locust_json::history(book.history.total().points()),
        "override_host_warning": host.is_none() && differ,
        "missing_host_warning": host.is_none() && hosts.iter().any(String::is_empty),
        "num_users": option("num_users"),
        "spawn_rate": option("spawn_rate"),
        "worker_count": 0,
        "hide_common_options": uses_common_options.map(|uses| !(picker || uses)),
        "shape_use_common_options": uses_common_options,
        "stats_history_enabled": settings.full_history.is_some(),
        "tasks": "{}",
        "extra_options": extra,
        "run_time": option("run_time"),
        "show_userclass_picker": picker,
        "available_user_classes": names,
        "available_shape_classes": shapes,
        "available_user_tasks": tasks,
        "users": users,
        "percentiles_to_chart": settings.chosen.to_chart,
        "percentiles_to_statistics": settings.chosen.to_statistics,
        "is_host_required": false,
        "profile": option("profile"),
        "heat_bounds_ms": crate::history::HEAT_BOUNDS_MS,
        "logged_in": shared.login.is_some(),
    })
}
