//! Who may use whom: the table of ARCHITECTURE.md, and what breaks it.
//!
//! Pure: `cargo metadata` comes as a value. The tests beside this crate run the
//! command and read the sources.

mod rules;
mod workspace;

pub use rules::{PURE_WORDS, RULES, Rule};
pub use workspace::Workspace;

/// Every way in which a workspace breaks the rules, a line each.
pub fn violations(workspace: &Workspace, rules: &[Rule]) -> Vec<String> {
    let mut found = Vec::new();
    for package in workspace.members() {
        let Some(rule) = rules.iter().find(|rule| rule.package == package) else {
            found.push(format!(
                "{package} has no rule: say in rules.rs and ARCHITECTURE.md what it may use"
            ));
            continue;
        };
        for used in workspace.members_used_by(package) {
            if !rule.may_use.contains(&used) {
                found.push(format!("{package} must not use {used}"));
            }
        }
        for (outside, through) in workspace.outside_used_by(package) {
            if rule
                .must_not_know
                .iter()
                .any(|kind| kind.contains(&outside))
            {
                found.push(format!(
                    "{package} must not use {outside} ({})",
                    through.join(" → ")
                ));
            }
        }
    }
    for rule in rules {
        if !workspace.members().any(|package| package == rule.package) {
            found.push(format!("{} has a rule and does not exist", rule.package));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const RULES: &[Rule] = &[
        Rule {
            package: "core",
            may_use: &[],
            must_not_know: &[&["sockets"]],
            pure_sources: None,
        },
        Rule {
            package: "shell",
            may_use: &["core"],
            must_not_know: &[],
            pure_sources: None,
        },
    ];

    /// A dependency of `kind`: `null` is an ordinary one.
    fn edge(to: &str, kind: Value) -> Value {
        json!({"pkg": to, "dep_kinds": [{"kind": kind}]})
    }

    fn workspace(core: &[Value], shell: &[Value]) -> Workspace {
        let package = |name: &str| json!({"id": name, "name": name});
        let packages = ["core", "shell", "sockets", "middle"].map(package);
        let node = |name, deps: &[Value]| json!({"id": name, "deps": deps});
        Workspace::from_metadata(&json!({
            "packages": packages,
            "workspace_members": ["core", "shell"],
            "resolve": {"nodes": [
                node("core", core),
                node("shell", shell),
                node("middle", &[edge("sockets", Value::Null)]),
                node("sockets", &[]),
            ]},
        }))
    }

    #[test]
    fn only_what_the_table_allows_is_used() {
        let normal = Value::Null;
        let dev = || json!("dev");
        for (why, core, shell, expected) in [
            (
                "as designed",
                vec![],
                vec![edge("core", normal.clone())],
                &[][..],
            ),
            (
                "the wrong way round",
                vec![edge("shell", normal.clone())],
                vec![],
                &["core must not use shell"],
            ),
            (
                "through another crate",
                vec![edge("middle", normal.clone())],
                vec![],
                &["core must not use sockets (middle → sockets)"],
            ),
            (
                "a build script counts",
                vec![edge("sockets", json!("build"))],
                vec![],
                &["core must not use sockets (sockets)"],
            ),
            (
                "tests may use what they like",
                vec![edge("shell", dev()), edge("sockets", dev())],
                vec![],
                &[],
            ),
            (
                "nobody forbids it",
                vec![],
                vec![edge("sockets", normal.clone())],
                &[],
            ),
        ] {
            assert_eq!(
                violations(&workspace(&core, &shell), RULES),
                expected,
                "{why}"
            );
        }
    }

    #[test]
    fn every_crate_has_a_rule_and_every_rule_a_crate() {
        let found = violations(&workspace(&[], &[]), &RULES[..1]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("shell has no rule"), "{found:?}");
        let gone = Rule {
            package: "gone",
            ..RULES[0]
        };
        let found = violations(&workspace(&[], &[]), &[RULES[0], RULES[1], gone]);
        assert_eq!(found, ["gone has a rule and does not exist"]);
    }
}
