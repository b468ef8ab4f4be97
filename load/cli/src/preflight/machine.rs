//! Whether this machine lets a test write its files and open its connections.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::Finding;

/// Files that a run has open besides its users' connections, generously.
const OWN_FILES: u64 = 100;
/// Where Linux says which ports connections may come from.
const PORTS: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// Whether files that begin with `prefix` can be written.
pub(super) fn folder(prefix: &str) -> Finding {
    let parent = Path::new(prefix).parent();
    let folder = parent.filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), Path::to_owned);
    let probe = PathBuf::from(format!("{prefix}.acrida-check"));
    let written = fs::create_dir_all(&folder)
        .and_then(|()| File::create(&probe))
        .and_then(|_| fs::remove_file(&probe));
    match written {
        Ok(()) => Finding::good(format!("results can be written to {}", folder.display())),
        Err(error) => Finding::bad(format!("results cannot be written to {prefix}*: {error}")),
    }
}

/// Whether as many users can be connected.
pub(super) fn limits(users: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) if files >= users + OWN_FILES => findings.push(Finding::good(format!(
            "{files} open files are allowed, which is enough for {users} users"
        ))),
        Ok(files) => findings.push(Finding::bad(format!(
            "{files} open files are allowed, too few for {users} users: raise the limit (ulimit -Hn)"
        ))),
        Err(error) => findings.push(Finding::note(format!(
            "the limit of open files is unknown: {error}"
        ))),
    }
    let ports = fs::read_to_string(PORTS)
        .ok()
        .and_then(|text| ports_in(&text));
    if let Some(ports) = ports.filter(|ports| *ports < users) {
        findings.push(Finding::bad(format!(
            "connections have {ports} ports to come from, too few for {users} users: widen {PORTS}"
        )));
    }
    findings
}

fn ports_in(range: &str) -> Option<u64> {
    let mut bounds = range.split_whitespace().map(str::parse::<u64>);
    let (from, to) = (bounds.next()?.ok()?, bounds.next()?.ok()?);
    (to + 1).checked_sub(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_tried_and_left_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let prefix = folder.path().join("logs/x").display().to_string();
        assert!(!super::folder(&prefix).is_bad());
        assert_eq!(
            fs::read_dir(folder.path().join("logs"))
                .expect("a folder")
                .count(),
            0
        );
        assert!(super::folder("/dev/null/x").is_bad());
    }

    #[test]
    fn too_many_users_are_noticed() {
        assert!(limits(u64::MAX / 2).iter().any(Finding::is_bad));
        assert_eq!(ports_in("32768\t60999\n"), Some(28_232));
        assert_eq!(ports_in("nonsense"), None);
    }
}
