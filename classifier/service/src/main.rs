//! `classifier`: trains, evaluates and serves the brain MRI classifier.

mod api;
mod base;
mod commands;
mod memory;
mod metrics;
mod parallel;
mod prediction;
mod priority;
mod profile;
mod retraining;
mod server;

use std::process::ExitCode;

use clap::Parser;
use commands::{evaluate, ready, replay, serve, train};

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
    Serve(Box<serve::ServeArgs>),
    /// Choose some images of a folder, for retraining where the folder is not
    Replay(replay::ReplayArgs),
    /// Ask a service on this machine whether it is ready for requests; for health checks
    Ready(ready::ReadyArgs),
    /// What 'serve' starts for each retraining job
    #[command(hide = true)]
    RetrainTask,
}

/// Exit codes: 0 done, 1 failed (one line on stderr says why), 2 wrong flags.
fn main() -> ExitCode {
    memory::give_back_large_blocks();
    let result = match Cli::parse().command {
        Command::Train(args) => train::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Ready(args) => ready::run(&args),
        Command::RetrainTask => retraining::run_process(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("classifier: {error:#}");
            ExitCode::FAILURE
        }
    }
}
