//! `--show-task-ratio`: how often each user class and each task runs.

use std::fmt::Write as _;

use acrida_engine::UserClass;
use acrida_engine::plan::Dispatch;
use serde_json::{Value, json};

/// A user class and what its users do.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassTasks {
    /// The class.
    pub class: UserClass,
    /// Its tasks.
    pub tasks: Vec<TaskShare>,
}

/// A task, or a set of tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskShare {
    /// The name of the function or class.
    pub name: String,
    /// How often it is picked among its neighbours, which together have 1.0.
    pub share: f64,
    /// What is below a set of tasks.
    pub tasks: Vec<TaskShare>,
}

/// Both tables, laid out as Locust does: shares within each parent, and shares
/// of everything. `users` is how many will run.
pub fn render(classes: &[ClassTasks], users: Option<u64>) -> String {
    const RULE: &str =
        "--------------------------------------------------------------------------------";
    let shares = class_shares(classes, users);
    let mut text = String::new();
    for (title, of_everything) in [
        ("Task ratio per User class", false),
        ("Total task ratio", true),
    ] {
        let _ = writeln!(text, "\n {title}\n{RULE}");
        for (class, share) in classes.iter().zip(&shares) {
            line(&mut text, 0, &class.class.name, *share);
            let parent = if of_everything { Some(*share) } else { None };
            lines(&mut text, 1, &class.tasks, parent);
        }
    }
    text
}

/// Locust's `/tasks`: the same shares as JSON, of each parent and of everything.
pub fn json(classes: &[ClassTasks], users: Option<u64>) -> Value {
    let shares = class_shares(classes, users);
    let tree = |of_everything: bool| -> Value {
        let class = |(class, share): (&ClassTasks, &f64)| {
            let tasks = tasks_json(&class.tasks, of_everything.then_some(*share));
            (
                class.class.name.clone(),
                json!({"ratio": share, "tasks": tasks}),
            )
        };
        Value::Object(classes.iter().zip(&shares).map(class).collect())
    };
    json!({"per_class": tree(false), "total": tree(true)})
}

/// `parent` as in [`lines`].
fn tasks_json(tasks: &[TaskShare], parent: Option<f64>) -> Value {
    let task = |task: &TaskShare| {
        let share = task.share * parent.unwrap_or(1.0);
        let mut row = json!({"ratio": share});
        if !task.tasks.is_empty() {
            row["tasks"] = tasks_json(&task.tasks, parent.map(|_| share));
        }
        (task.name.clone(), row)
    };
    Value::Object(tasks.iter().map(task).collect())
}

/// The share of each class among the users that will run. Without a number of
/// users it is the share of its weight, or, where counts are fixed, that of the
/// one user that would run.
fn class_shares(classes: &[ClassTasks], users: Option<u64>) -> Vec<f64> {
    let classes: Vec<_> = classes.iter().map(|class| class.class.clone()).collect();
    let fixed = classes.iter().any(|class| class.fixed_count > 0);
    let users = users.filter(|users| *users > 0).or(fixed.then_some(1));
    let amounts: Vec<f64> = match users {
        Some(users) => counts(&classes, users),
        None => classes.iter().map(|class| class.weight.max(0.0)).collect(),
    };
    let total: f64 = amounts.iter().sum();
    amounts
        .iter()
        .map(|amount| if total > 0.0 { amount / total } else { 0.0 })
        .collect()
}

fn counts(classes: &[UserClass], users: u64) -> Vec<f64> {
    let mut dispatch = Dispatch::new(classes);
    let mut counts = vec![0.0; classes.len()];
    for class in (0..users).map_while(|_| dispatch.pick()) {
        counts[class.0] += 1.0;
    }
    counts
}

/// `parent` is what the shares are of; `None` leaves them as they are.
fn lines(text: &mut String, level: usize, tasks: &[TaskShare], parent: Option<f64>) {
    for task in tasks {
        let share = task.share * parent.unwrap_or(1.0);
        line(text, level, &task.name, share);
        lines(text, level + 1, &task.tasks, parent.map(|_| share));
    }
}

fn line(text: &mut String, level: usize, name: &str, share: f64) {
    let indent = " ".repeat(2 * level);
    let share = format!("{indent}{:<6.1}", share * 100.0);
    let name = format!("{indent}{name}");
    let _ = writeln!(text, " {share:<10} {name:<50}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str, weight: f64, fixed_count: u64, tasks: Vec<TaskShare>) -> ClassTasks {
        let name = name.to_owned();
        ClassTasks {
            class: UserClass {
                name,
                weight,
                fixed_count,
            },
            tasks,
        }
    }

    fn task(name: &str, share: f64, tasks: Vec<TaskShare>) -> TaskShare {
        TaskShare {
            name: name.to_owned(),
            share,
            tasks,
        }
    }

    fn classes() -> Vec<ClassTasks> {
        let deep = task("Deep", 0.25, vec![task("z", 1.0, vec![])]);
        let sub = task("Sub", 0.25, vec![task("x", 0.75, vec![]), deep]);
        vec![
            class(
                "B",
                3.0,
                0,
                vec![sub, task("b1", 0.5, vec![]), task("b2", 0.25, vec![])],
            ),
            class("A", 1.0, 1, vec![task("a1", 1.0, vec![])]),
            class("C", 1.0, 0, vec![task("c1", 1.0, vec![])]),
        ]
    }

    #[test]
    fn the_tables_are_locusts() {
        // Printed by Locust 2.47.0 with --show-task-ratio -u 5 for the same classes,
        // but for the spaces at the ends of lines.
        let expected = "
 Task ratio per User class
--------------------------------------------------------------------------------
 60.0       B
   25.0       Sub
     75.0       x
     25.0       Deep
       100.0        z
   50.0       b1
   25.0       b2
 20.0       A
   100.0      a1
 20.0       C
   100.0      c1

 Total task ratio
--------------------------------------------------------------------------------
 60.0       B
   15.0       Sub
     11.2       x
     3.8        Deep
       3.8          z
   30.0       b1
   15.0       b2
 20.0       A
   20.0       a1
 20.0       C
   20.0       c1
";
        let actual = render(&classes(), Some(5));
        let actual: String = actual
            .lines()
            .flat_map(|line| [line.trim_end(), "\n"])
            .collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn the_json_has_the_shares_of_both_tables() {
        let both = json(&classes(), Some(5));
        assert_eq!(both["per_class"]["B"]["ratio"], 0.6);
        assert_eq!(
            both["per_class"]["B"]["tasks"]["Sub"]["tasks"]["x"],
            json!({"ratio": 0.75})
        );
        let deep = both["total"]["B"]["tasks"]["Sub"]["tasks"]["Deep"]["ratio"].as_f64();
        assert!((deep.expect("a share") - 0.0375).abs() < 1e-9);
    }

    #[test]
    fn without_a_number_of_users_weights_decide() {
        let weighted = [class("X", 3.0, 0, vec![]), class("Y", 1.0, 0, vec![])];
        assert_eq!(class_shares(&weighted, None), [0.75, 0.25]);
        assert_eq!(class_shares(&classes(), None), [0.0, 1.0, 0.0]);
        assert_eq!(class_shares(&[], None), [0.0; 0]);
    }
}
