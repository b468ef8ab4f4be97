//! `classifier`: trains, evaluates and serves the brain MRI classifier.

mod api;
mod commands;
mod memory;
mod prediction;
mod server;

use std::process::ExitCode;

use clap::Parser;
use commands::{evaluate, serve, train};

/// Brain MRI classifier. Not a medical device.
#[derive(Debug, Parser)]
#[command(name = "classifier", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Train a network; goes on from its checkpoint if there is one
    Train(train::TrainArgs),
    /// Measure a model on a folder of labelled images
    Evaluate(evaluate::EvaluateArgs),
    /// Answer images over HTTP with the class of what they show
    Serve(serve::ServeArgs),
}

/// Exit codes: 0 done, 1 failed (one line on stderr says why), 2 wrong flags.
fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train(args) => train::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Serve(args) => serve::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("classifier: {error:#}");
            ExitCode::FAILURE
        }
    }
}
