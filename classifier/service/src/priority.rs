//! Work that may wait, on the scheduler's terms.

/// The lowest niceness there is.
const NICENESS: i32 = 19;

/// Has this thread leave the processor to whatever else wants it. Threads that it starts later
/// do so too.
///
/// Niceness alone would not do: a nice thread on a core counts as that core being busy,
/// and a waking inference thread would rather queue behind another one. A core with idle-class
/// threads alone counts as free.
pub(crate) fn step_back() {
    // Where one of the two is not permitted, the other still helps.
    let _ = rustix::process::nice(NICENESS);
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the call reads the parameters and keeps nothing; 0 is this thread.
    let _ = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &parameters) };
}
