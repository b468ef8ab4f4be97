//! Which user classes of a locustfile run.

use acrida_engine::UserClass;
use log::info;

use crate::exit::Exit;
use crate::options::Options;

/// What `--list` shows.
pub fn list(names: &[String]) -> Exit {
    let lines = names
        .iter()
        .map(|name| format!("    {name}\n"))
        .collect::<String>();
    Exit::Shown(format!("Available Users:\n{lines}"))
}

/// The indices, in `names`, of the classes to run: those that were asked for, or all.
///
/// # Errors
///
/// [`Exit::Failed`] if there are none, or if one that was asked for is not there.
pub fn choose(names: &[String], options: &Options) -> Result<Vec<usize>, Exit> {
    if names.is_empty() {
        let text =
            "no user class found: a locustfile needs a class that inherits from User or HttpUser";
        return Err(Exit::Failed(text.to_owned()));
    }
    let wanted = &options.user_classes;
    let unknown: Vec<_> = wanted
        .iter()
        .filter(|name| !names.contains(name))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        return Err(Exit::Failed(format!(
            "unknown user class {}; the locustfile has {}",
            unknown.join(", "),
            names.join(", ")
        )));
    }
    let all = names.iter().enumerate();
    let chosen = all.filter(|(_, name)| wanted.is_empty() || wanted.contains(name));
    Ok(chosen.map(|(index, _)| index).collect())
}

/// Logs that more users have a fixed count than will run.
pub fn warn_about_fixed_counts(classes: &[UserClass], options: &Options) {
    let fixed: u64 = classes.iter().map(|class| class.fixed_count).sum();
    if let Some(users) = options.users
        && fixed > users
    {
        info!(
            target: "locust.main",
            "Total fixed_count of User classes ({fixed}) is greater than the number of users ({users}): not all will be spawned"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::Given;

    fn options(user_classes: &[&str]) -> Options {
        let given = Given {
            user_classes: user_classes.iter().map(|name| (*name).to_owned()).collect(),
            ..Given::default()
        };
        crate::options::resolve(&given, &Default::default(), &[], &[]).expect("no mistake")
    }

    #[test]
    fn classes_are_chosen_by_name_in_the_locustfiles_order() {
        let names = ["B", "A", "C"].map(str::to_owned);
        for (wanted, expected) in [(&[][..], Ok(vec![0, 1, 2])), (&["C", "B"], Ok(vec![0, 2]))] {
            assert_eq!(choose(&names, &options(wanted)), expected);
        }
        let text = "unknown user class X, Y; the locustfile has B, A, C";
        assert_eq!(
            choose(&names, &options(&["X", "A", "Y"])),
            Err(Exit::Failed(text.to_owned()))
        );
        assert!(matches!(choose(&[], &options(&[])), Err(Exit::Failed(_))));
    }

    #[test]
    fn the_list_looks_like_locusts() {
        let names = ["B", "A"].map(str::to_owned);
        assert_eq!(
            list(&names),
            Exit::Shown("Available Users:\n    B\n    A\n".to_owned())
        );
    }
}
