//! `classifier evaluate`: how good a model is on a folder of labelled images.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use classifier_imaging::{Class, preprocess};
use classifier_model::{Classifier, Evaluation, Prediction, Scratch};
use serde::Serialize;

use super::output::say;
use super::table::{evaluation_tables, summary};
use crate::base::{Entry, read_image, read_index, scan};
use crate::parallel::{parallel, thread_count};

/// Unreadable images that are named one by one; further ones are only counted.
const NAMED_MAX: usize = 20;

/// Flags of `classifier evaluate`.
#[derive(Debug, clap::Args)]
pub(crate) struct EvaluateArgs {
    /// Folder with one subfolder of images for each class
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Model file
    #[arg(long, value_name = "FILE", default_value = "models/brain-mri.model")]
    model: PathBuf,
    /// CSV file with the columns file, label and split, instead of listing the folder
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,
    /// Only the images of this split of the index
    #[arg(long, value_name = "NAME", requires = "index")]
    split: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

#[derive(Serialize)]
struct Report<'a> {
    model: String,
    model_version: &'a str,
    #[serde(flatten)]
    evaluation: &'a Evaluation,
    labels: [&'static str; 4],
    images_per_second: f64,
    unreadable: Vec<String>,
}

pub(crate) fn run(args: &EvaluateArgs) -> Result<()> {
    let classifier = Classifier::load(&args.model)
        .with_context(|| format!("cannot use the model {}", args.model.display()))?;
    let entries = select(args)?;
    let started = Instant::now();
    let threads = thread_count(args.threads);
    let results = parallel(entries.len(), threads, |scratch: &mut Scratch, i| {
        judge(&classifier, scratch, &entries[i].path)
    });
    let seconds = started.elapsed().as_secs_f64();
    let (judged, unreadable) = sort_out(&entries, results);
    let Some(evaluation) = Evaluation::of(&judged) else {
        bail!(
            "none of the {} images in {} can be read: {}",
            entries.len(),
            args.data.display(),
            unreadable[0]
        );
    };
    let report = Report {
        model: args.model.display().to_string(),
        model_version: classifier.version(),
        evaluation: &evaluation,
        labels: Class::ALL.map(Class::short_name),
        images_per_second: entries.len() as f64 / seconds,
        unreadable,
    };
    if args.json {
        say(serde_json::to_string_pretty(&report)?)
    } else {
        say(text(&report, threads))
    }
}

fn select(args: &EvaluateArgs) -> Result<Vec<Entry>> {
    let Some(index) = &args.index else {
        return scan(&args.data);
    };
    let mut entries = read_index(&args.data, index)?;
    if let Some(split) = &args.split {
        entries.retain(|entry| entry.split.as_ref() == Some(split));
        if entries.is_empty() {
            bail!("{} lists no image of the split {split:?}", index.display());
        }
    }
    Ok(entries)
}

fn judge(classifier: &Classifier, scratch: &mut Scratch, path: &Path) -> Result<Prediction> {
    let image = preprocess(&read_image(path)?, classifier.preprocessing());
    Ok(classifier.predict(scratch, &[&image])[0])
}

/// Predictions beside their truths, and a line for each image that could not be read.
fn sort_out(
    entries: &[Entry],
    results: Vec<Result<Prediction>>,
) -> (Vec<(Class, Prediction)>, Vec<String>) {
    let (mut judged, mut unreadable) = (Vec::new(), Vec::new());
    for (entry, result) in entries.iter().zip(results) {
        match result {
            Ok(prediction) => judged.push((entry.class, prediction)),
            Err(error) => unreadable.push(format!("{}: {error:#}", entry.path.display())),
        }
    }
    (judged, unreadable)
}

fn text(report: &Report<'_>, threads: usize) -> String {
    let mut lines = vec![
        summary(report.evaluation),
        format!("model {} ({})", report.model, report.model_version),
        format!(
            "{:.0} images/s on {threads} threads, decoding included\n",
            report.images_per_second
        ),
        evaluation_tables(report.evaluation).trim_end().to_owned(),
    ];
    if !report.unreadable.is_empty() {
        let count = report.unreadable.len();
        lines.push(format!(
            "\n{count} images could not be read and do not count:"
        ));
        let named = report.unreadable.iter().take(NAMED_MAX);
        lines.extend(named.map(|line| format!("  {line}")));
        if count > NAMED_MAX {
            lines.push(format!("  and {} more", count - NAMED_MAX));
        }
    }
    lines.join("\n")
}
