//! The command `acrida` without Python: it answers everything that needs no
//! locustfile, and says how to get the rest.

use std::process::exit;

use acrida_cli::commands;
use acrida_cli::exit::Exit;
use acrida_cli::invocation::Invocation;

const PROGRAM: &str = "acrida";

fn main() {
    let args = std::env::args_os().skip(1);
    let args = args
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>();
    let version = concat!("acrida ", env!("CARGO_PKG_VERSION"), " (without Python)");
    if let Some(command) = commands::find(PROGRAM, &args) {
        exit(command().unwrap_or_else(|end| end.say(PROGRAM)));
    }
    exit(
        match Invocation::of_process(PROGRAM, version, args).and_then(run) {
            Ok(never) => match never {},
            Err(end) => end.say(PROGRAM),
        },
    );
}

/// Finds every mistake that can be found without Python, then gives up.
fn run(invocation: Invocation) -> Result<std::convert::Infallible, Exit> {
    if invocation.wants_help() {
        return Err(invocation.help(&[]));
    }
    let files = invocation.locustfiles()?;
    invocation.options(&[])?;
    let names = files
        .iter()
        .map(|file| file.display().to_string())
        .collect::<Vec<_>>();
    Err(Exit::Failed(format!(
        "running {} takes Python: in a clone of acrida run 'pip install .', and use the command that it installs",
        names.join(", ")
    )))
}
