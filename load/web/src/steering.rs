//! What `/swarm`, `/stop`, `/stats/reset` and `/user` do to the run.

use std::time::Duration;

use acrida_engine::{Command, RunState, Swarm};
use log::{error, info};
use serde_json::{Value, json};

use crate::shared::{Shared, Wanted};
use crate::site::{Change, UserChange};
use crate::swarm::{self, Asked};

/// How often it is looked whether the users have ended.
const STOP_POLL: Duration = Duration::from_millis(20);

/// Starts a test, or changes the one that runs; the reply is Locust's.
pub(crate) fn swarm(shared: &Shared, fields: &[(String, String)]) -> Value {
    let asked = {
        let book = shared.book();
        swarm::read(fields, &book.options, |text| shared.site.run_time(text))
    };
    let started = start(shared, asked);
    let host = shared.book().host.clone();
    match started {
        Ok(mut reply) => {
            reply["host"] = json!(host);
            reply
        }
        Err(message) => {
            error!(target: "locust.web", "{message}");
            json!({"success": false, "message": message, "host": host})
        }
    }
}

fn start(shared: &Shared, asked: Asked) -> Result<Value, String> {
    let mut reply = json!({"success": true, "message": "Swarming started"});
    if shared.settings.class_picker {
        reply["user_classes"] = json!(pick(shared, &asked.user_classes)?);
        pick_shape(shared, asked.shape_class.as_deref())?;
    }
    adopt(shared, &asked);
    if let Some(mistake) = &asked.mistake {
        return Err(mistake.clone());
    }
    let state = shared.control.state();
    if state == RunState::Cleanup {
        return Err("The test is stopping; start again when it has stopped".to_owned());
    }
    let shape = shared.book().shape;
    if let Some(shape) = shape.map(|at| &shared.settings.shapes[at].name) {
        shared.site.change(Change::Shape(asked.run_time));
        reply["message"] = json!(format!("Swarming started using shape class '{shape}'"));
        let mut book = shared.book();
        book.wanted = Wanted::default();
        book.history.note(now_s(), format!("start: {shape}"));
        return Ok(reply);
    }
    let (users, spawn_rate) = asked.target()?;
    shared.control.send(Command::Swarm(Swarm {
        users,
        spawn_rate,
        run_time: asked.run_time,
        classes: None,
    }));
    if let Some(run_time) = asked.run_time {
        reply["run_time"] = json!(run_time.as_secs());
    }
    note_swarm(
        shared,
        Wanted {
            users,
            spawn_rate: spawn_rate.per_second(),
            run_time: asked.run_time.map(|limit| limit.as_secs()),
        },
        state,
    );
    shared.forget_cached();
    shared.publish();
    Ok(reply)
}

/// The classes that run from the next test on, by name.
fn pick(shared: &Shared, chosen: &[String]) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = shared
        .site
        .classes()
        .into_iter()
        .map(|class| class.name)
        .collect();
    let mut book = shared.book();
    if !chosen.is_empty() {
        names.retain(|name| chosen.contains(name));
    } else if shared.control.state().is_active() && !book.picked.is_empty() {
        names.clone_from(&book.picked);
    }
    if names.is_empty() {
        return Err("UserClass picker is active but there are no available UserClasses".to_owned());
    }
    book.picked.clone_from(&names);
    drop(book);
    shared.site.change(Change::Classes(names.clone()));
    names.sort();
    Ok(names)
}

/// The load shape that is followed: none unless it is named, or a test goes on.
fn pick_shape(shared: &Shared, name: Option<&str>) -> Result<(), String> {
    let shapes = &shared.settings.shapes;
    let picked = match name {
        None if shared.control.state().is_active() => return Ok(()),
        None | Some("Default") => None,
        Some(name) => {
            let at = shapes.iter().position(|shape| shape.name == name);
            Some(at.ok_or_else(|| format!("there is no load shape {name:?}"))?)
        }
    };
    let mut book = shared.book();
    if book.shape != picked {
        book.shape = picked;
        let name = picked.map(|at| shapes[at].name.clone());
        shared.site.change(Change::ShapeClass(name));
    }
    Ok(())
}

/// Makes the settings of a form hold.
fn adopt(shared: &Shared, asked: &Asked) {
    if asked.options.is_empty() {
        return;
    }
    let mut book = shared.book();
    if let Some(host) = asked.options.get("host").and_then(Value::as_str) {
        book.host = Some(host.to_owned());
    }
    book.options.extend(asked.options.clone());
    shared.site.change(Change::Settings(asked.options.clone()));
}

fn note_swarm(shared: &Shared, mut wanted: Wanted, state: RunState) {
    let mut book = shared.book();
    let users = wanted.users;
    let text = if state.is_active() {
        wanted.run_time = wanted.run_time.or(book.wanted.run_time);
        format!("{users} users")
    } else {
        format!("start: {users} users")
    };
    book.wanted = wanted;
    book.history.note(now_s(), text);
}

/// Ends the test, and returns when its users have ended.
pub(crate) async fn stop(shared: &Shared) {
    shared.control.send(Command::Stop);
    loop {
        tokio::time::sleep(STOP_POLL).await;
        if !shared.control.state().is_active() {
            break;
        }
    }
    shared.forget_cached();
    shared.publish();
}

/// Begins the statistics anew.
pub(crate) fn reset(shared: &Shared) {
    shared.site.reset();
    shared.site.change(Change::StatsReset);
    info!(target: "locust.web", "The statistics were reset");
    shared.book().history.note(now_s(), "reset".to_owned());
    shared.forget_cached();
    shared.publish();
}

/// Changes a user class, as the JSON of `POST /user` asks. What it may not change
/// is left out.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn change_user(shared: &Shared, body: &[u8]) -> Result<(), String> {
    let asked: Value =
        serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?;
    let change = user_change(&asked)?;
    let classes = shared.site.classes();
    if !classes
        .iter()
        .any(|class| class.name == change.user_class_name)
    {
        return Err(format!(
            "there is no user class {:?}",
            change.user_class_name
        ));
    }
    shared.site.change(Change::User(change));
    Ok(())
}

fn user_change(asked: &Value) -> Result<UserChange, String> {
    let name = asked["user_class_name"]
        .as_str()
        .ok_or("user_class_name is missing")?;
    let host = &asked["host"];
    let weight = number(asked, "weight", |value| {
        value.as_f64().filter(|weight| *weight >= 0.0)
    })?;
    let fixed_count = number(asked, "fixed_count", Value::as_u64)?;
    let tasks = match &asked["tasks"] {
        Value::Null => None,
        Value::Array(names) => Some(
            names
                .iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
        ),
        _ => return Err("tasks is not a list of names".to_owned()),
    };
    Ok(UserChange {
        user_class_name: name.to_owned(),
        host: host.as_str().map(str::to_owned),
        weight,
        fixed_count,
        tasks,
    })
}

fn number<T>(
    asked: &Value,
    name: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, String> {
    match &asked[name] {
        Value::Null => Ok(None),
        value => read(value)
            .map(Some)
            .ok_or_else(|| format!("{name} is no number from 0")),
    }
}

fn now_s() -> f64 {
    jiff::Timestamp::now().as_millisecond() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_four_things_of_a_user_can_be_changed() {
        let asked = json!({
            "user_class_name": "A", "host": "http://x", "weight": 2, "fixed_count": 1, "tasks": ["a", 3],
            "abstract": true, "__init__": "x",
        });
        let change = user_change(&asked).expect("it is right");
        let kept = serde_json::to_value(&change).expect("JSON");
        assert_eq!(
            kept,
            json!({"user_class_name": "A", "host": "http://x", "weight": 2.0, "fixed_count": 1, "tasks": ["a"]})
        );
        for wrong in [
            json!({}),
            json!({"user_class_name": 3}),
            json!({"user_class_name": "A", "weight": "x"}),
            json!({"user_class_name": "A", "weight": -1}),
            json!({"user_class_name": "A", "fixed_count": 1.5}),
            json!({"user_class_name": "A", "tasks": "a"}),
        ] {
            assert!(user_change(&wrong).is_err(), "{wrong}");
        }
    }
}
