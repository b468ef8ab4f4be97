//! What the system allows a run.

/// Every user has a connection, so as many files may be open as the system allows.
pub(super) fn raise_file_limit() {
    /// Below this a test of some size runs into the limit; Locust warns there too.
    const OPEN_FILES_MIN: u64 = 10_000;
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) if limit >= OPEN_FILES_MIN => {}
        Ok(limit) => log::warn!(
            target: "locust.main",
            "This system allows {limit} open files, so at most about {limit} users can be connected; \
             raise the limit (ulimit -Hn) for more"
        ),
        Err(error) => {
            log::warn!(target: "locust.main", "Cannot raise the limit of open files: {error}")
        }
    }
}
