//! What went wrong in a run.

use acrida_stats::{ExceptionRow, FailureRow, OTHER_NAMES, Snapshot};

use super::counted;
use super::style::Style;
use super::tables::one_line;

const COUNT_WIDTH: usize = 18;
const ERROR_WIDTH: usize = 100;

/// What failed, what tasks raised, and what is not in the tables as one may
/// expect; empty if there is nothing of that kind.
///
/// The list of failures is Locust's; the other parts are ours.
pub fn error_report(snapshot: &Snapshot, style: Style) -> String {
    let failures = snapshot.failures.iter();
    let failures = failures.map(|failure| (failure.occurrences, failure_text(failure)));
    let exceptions = snapshot.exceptions.iter();
    let exceptions = exceptions.map(|exception| (exception.count, exception_text(exception)));
    let lists = [
        list("Error report", "Error", failures, style),
        list("Exception report", "Exception", exceptions, style),
        notes(snapshot, style),
    ];
    lists.concat()
}

fn list(
    title: &str,
    what: &str,
    rows: impl ExactSizeIterator<Item = (u64, String)>,
    style: Style,
) -> String {
    if rows.len() == 0 {
        return String::new();
    }
    let dashes = "-".repeat(80 + style.name_width() - 19);
    let separator = format!("{}|{dashes}\n", "-".repeat(COUNT_WIDTH));
    let header = format!("{:<COUNT_WIDTH$} {what:<ERROR_WIDTH$}\n", "# occurrences");
    let rows: String = rows
        .map(|(count, text)| {
            let text = style.bad(&format!("{:<ERROR_WIDTH$}", one_line(&text)));
            format!("{count:<COUNT_WIDTH$} {text}\n")
        })
        .collect();
    format!("{title}\n{header}{separator}{rows}{separator}\n")
}

fn failure_text(failure: &FailureRow) -> String {
    let place = [&*failure.method, &*failure.name];
    let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let error = without_wrapping(&failure.error);
    if place.is_empty() {
        return error.to_owned();
    }
    format!("{}: {error}", place.join(" "))
}

/// The message alone, where a locustfile gave one to `failure()`.
///
/// The message is a Python string literal; one with escapes stays a literal.
fn without_wrapping(error: &str) -> &str {
    let message = error
        .strip_prefix("CatchResponseError(")
        .and_then(|rest| rest.strip_suffix(')'));
    let Some(message) = message else { return error };
    let unquoted = ['\'', '"'].iter().find_map(|quote| {
        let inside = message.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (!inside.contains('\\')).then_some(inside)
    });
    unquoted.unwrap_or(message)
}

fn exception_text(exception: &ExceptionRow) -> String {
    match exception.nodes.as_slice() {
        [] => exception.message.clone(),
        nodes => format!("{} ({})", exception.message, nodes.join(", ")),
    }
}

fn notes(snapshot: &Snapshot, style: Style) -> String {
    let mut notes = Vec::new();
    if snapshot.cut_off > 0 {
        let requests = counted(snapshot.cut_off, "request was", "requests were");
        notes.push(format!(
            "Cut off: {requests} still open when the run ended, and counted nowhere else."
        ));
    }
    if snapshot.overflowed_names > 0 {
        let more = if snapshot.more_overflowed_names {
            "more than "
        } else {
            ""
        };
        let names = counted(snapshot.overflowed_names, "name is", "names are");
        notes.push(format!(
            "Too many names: {more}{names} counted together as \"{OTHER_NAMES}\"; give requests that belong together the same name=."
        ));
    }
    let end = if notes.is_empty() { "" } else { "\n" };
    let lines: String = notes
        .iter()
        .map(|note| format!("{}\n", style.bad(note)))
        .collect();
    format!("{lines}{end}")
}
