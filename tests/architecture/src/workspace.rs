//! What `cargo metadata` says about dependencies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

/// The members of a workspace, and what every package depends on in order to be
/// built: the dependencies of tests and benchmarks are left out.
#[derive(Debug)]
pub struct Workspace {
    members: BTreeSet<String>,
    /// By the identity of a package, since a name may be there in two versions.
    names: BTreeMap<String, String>,
    uses: BTreeMap<String, Vec<String>>,
}

impl Workspace {
    /// Reads the output of `cargo metadata --format-version 1`.
    ///
    /// # Panics
    ///
    /// If it has another form.
    pub fn from_metadata(metadata: &Value) -> Self {
        let packages = array(&metadata["packages"]).iter();
        let nodes = array(&metadata["resolve"]["nodes"]).iter();
        Self {
            members: array(&metadata["workspace_members"])
                .iter()
                .map(text)
                .collect(),
            names: packages
                .map(|package| (text(&package["id"]), text(&package["name"])))
                .collect(),
            uses: nodes
                .map(|node| (text(&node["id"]), needed_to_build(node)))
                .collect(),
        }
    }

    /// The names of the workspace's own packages.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|id| self.name(id))
    }

    /// The workspace's own packages that `package` names as dependencies.
    pub fn members_used_by(&self, package: &str) -> Vec<&str> {
        let used = self.uses_of(self.id(package)).iter();
        used.filter(|id| self.members.contains(*id))
            .map(|id| self.name(id))
            .collect()
    }

    /// Packages from elsewhere that `package` is built with, and the shortest way
    /// to each. Ways through other members are theirs to answer for.
    pub fn outside_used_by(&self, package: &str) -> Vec<(&str, Vec<&str>)> {
        let mut seen = BTreeSet::new();
        let mut next = VecDeque::from([(self.id(package), Vec::new())]);
        let mut found = Vec::new();
        while let Some((id, way)) = next.pop_front() {
            for used in self.uses_of(id) {
                if self.members.contains(used) || !seen.insert(used) {
                    continue;
                }
                let mut way = way.clone();
                way.push(self.name(used));
                found.push((self.name(used), way.clone()));
                next.push_back((used, way));
            }
        }
        found
    }

    fn id(&self, package: &str) -> &str {
        let mut members = self.members.iter();
        let found = members.find(|id| self.name(id) == package);
        found.unwrap_or_else(|| panic!("{package} is a member of the workspace"))
    }

    fn name(&self, id: &str) -> &str {
        &self.names[id]
    }

    fn uses_of(&self, id: &str) -> &[String] {
        self.uses.get(id).map_or(&[], Vec::as_slice)
    }
}

fn needed_to_build(node: &Value) -> Vec<String> {
    let dependencies = array(&node["deps"]).iter();
    dependencies
        .filter(|dependency| {
            array(&dependency["dep_kinds"])
                .iter()
                .any(|kind| kind["kind"] != "dev")
        })
        .map(|dependency| text(&dependency["pkg"]))
        .collect()
}

fn array(value: &Value) -> &[Value] {
    value
        .as_array()
        .expect("a list, as cargo metadata writes it")
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .expect("a text, as cargo metadata writes it")
        .to_owned()
}
