//! `bench-classifier`: what a prediction consists of, timed without a service around it.
//!
//! `bench/run.py` starts it beside `bench/peers`, which times the same work with Pillow
//! and onnxruntime. It prints one median, in milliseconds.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use classifier_imaging::{Limits, Preprocessing, decode, preprocess};
use classifier_model::{Classifier, Helper, Scratch};

#[derive(Debug, Parser)]
#[command(about = "Times the parts of a prediction")]
struct Cli {
    /// Model file
    #[arg(long)]
    model: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// From a file's bytes to the network's input, on one thread
    Prepare { image: PathBuf, seconds: f64 },
    /// From the network's input to probabilities
    Infer {
        image: PathBuf,
        seconds: f64,
        /// Images judged together
        batch: usize,
        threads: usize,
    },
    /// Writes the network's inputs (f32, little endian, image after image) to a file, and prints
    /// the probabilities, a line an image
    Dump {
        inputs: PathBuf,
        images: Vec<PathBuf>,
    },
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let classifier = Classifier::load(&cli.model)?;
    let preprocessing = classifier.preprocessing();
    match &cli.command {
        Command::Prepare { image, seconds } => {
            let file = read(image)?;
            prepare(&file, preprocessing)?;
            let times = times(*seconds, || {
                black_box(prepare(black_box(&file), preprocessing)).expect("it worked before");
            });
            print_median(times);
        }
        Command::Infer {
            image,
            seconds,
            batch,
            threads,
        } => {
            ensure!(
                (1..=64).contains(threads),
                "threads is {threads}, expected 1 to 64"
            );
            let input = prepare(&read(image)?, preprocessing)?;
            let batch = vec![&input[..]; *batch];
            print_median(match batch[..] {
                [image] if *threads > 1 => infer_with_help(&classifier, image, *seconds)?,
                _ => infer(&classifier, &batch, *threads, *seconds),
            });
        }
        Command::Dump { inputs, images } => dump(&classifier, inputs, images)?,
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn prepare(file: &[u8], preprocessing: &Preprocessing) -> Result<Vec<f32>> {
    Ok(preprocess(
        &decode(file, &Limits::default())?,
        preprocessing,
    ))
}

/// How long each call of `work` took, for so many seconds and at least three times; the
/// first tenth, which warms up, is left out.
fn times(seconds: f64, mut work: impl FnMut()) -> Vec<Duration> {
    let mut times = Vec::new();
    let (start, whole) = (Instant::now(), Duration::from_secs_f64(seconds));
    while start.elapsed() < whole || times.len() < 3 {
        let before = Instant::now();
        work();
        if start.elapsed() > whole / 10 {
            times.push(before.elapsed());
        }
    }
    times
}

fn print_median(mut times: Vec<Duration>) {
    times.sort_unstable();
    println!("{:.4}", times[times.len() / 2].as_secs_f64() * 1e3);
}

/// Two threads share an image that is alone, as the service's threads do.
fn infer_with_help(classifier: &Classifier, image: &[f32], seconds: f64) -> Result<Vec<Duration>> {
    let mut helper = Helper::start("helper")?;
    let mut scratch = Scratch::default();
    Ok(times(seconds, || {
        black_box(classifier.predict_with_help(&mut scratch, image, &mut helper));
    }))
}

/// Each thread judges an equal share of the batch, as the service's threads do.
fn infer(classifier: &Classifier, batch: &[&[f32]], threads: usize, seconds: f64) -> Vec<Duration> {
    let shares: Vec<&[&[f32]]> = batch.chunks(batch.len().div_ceil(threads)).collect();
    let (begin, end) = (Barrier::new(shares.len()), Barrier::new(shares.len()));
    let over = AtomicBool::new(false);
    let (mine, others) = shares.split_first().expect("a batch is not empty");
    std::thread::scope(|scope| {
        for share in others {
            scope.spawn(|| {
                let mut scratch = Scratch::default();
                loop {
                    begin.wait();
                    if over.load(Ordering::Acquire) {
                        return;
                    }
                    black_box(classifier.predict(&mut scratch, share));
                    end.wait();
                }
            });
        }
        let mut scratch = Scratch::default();
        let times = times(seconds, || {
            begin.wait();
            black_box(classifier.predict(&mut scratch, mine));
            end.wait();
        });
        over.store(true, Ordering::Release);
        begin.wait();
        times
    })
}

fn dump(classifier: &Classifier, inputs: &Path, images: &[PathBuf]) -> Result<()> {
    let mut bytes = Vec::new();
    let mut scratch = Scratch::default();
    for image in images {
        let input = prepare(&read(image)?, classifier.preprocessing())?;
        let prediction = classifier.predict(&mut scratch, &[&input])[0];
        println!(
            "{}",
            prediction.probabilities.map(|p| p.to_string()).join(" ")
        );
        bytes.extend(input.iter().flat_map(|number| number.to_le_bytes()));
    }
    fs::write(inputs, bytes).with_context(|| format!("cannot write {}", inputs.display()))
}
