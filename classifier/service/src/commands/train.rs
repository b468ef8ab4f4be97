//! `classifier train`: from a folder of labelled images to a model file and its card.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use classifier_imaging::{Class, GreyImage, Preprocessing, Split, preprocess, resize};
use classifier_model::{
    Architecture, Checkpoint, Classifier, Evaluation, Example, ModelFile, Prediction, Settings,
    Trainer, TrainingRecord, fit_temperature,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::card::{Origin, render};
use super::dataset::{assign_splits, read_image, read_index, scan};
use super::judge::{parallel, predict_all, thread_count};
use super::table::summary;

/// Flags of `classifier train`.
#[derive(Debug, clap::Args)]
pub(crate) struct TrainArgs {
    /// Folder with one subfolder of images for each class
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// CSV file with the columns file, label and split (train or valid); without it, images are
    /// divided so that near-duplicates stay together
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,
    /// Model file to write; its card goes beside it, with the ending .md
    #[arg(long, value_name = "FILE", default_value = "models/brain-mri.model")]
    out: PathBuf,
    /// Start from this model's weights instead of random ones
    #[arg(long, value_name = "FILE")]
    start_from: Option<PathBuf>,
    /// Folder for the checkpoint [default: checkpoints, beside the model]
    #[arg(long, value_name = "DIR")]
    checkpoints: Option<PathBuf>,
    /// Ignore a checkpoint and begin anew
    #[arg(long)]
    fresh: bool,
    /// Name of the version in the model file
    #[arg(long, default_value = "v1")]
    model_version: String,
    /// Passes over the training images
    #[arg(long, default_value_t = 60)]
    epochs: usize,
    /// Images between two steps; a multiple of 16
    #[arg(long, default_value_t = 64)]
    batch_size: usize,
    /// Highest learning rate
    #[arg(long, default_value_t = 0.003)]
    learning_rate: f32,
    /// Share of images blended with another, 0.0 to 1.0
    #[arg(long, default_value_t = 0.3)]
    mixup: f32,
    /// Where everything random comes from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; the result does not depend on them [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// The images in memory, divided.
struct Data {
    train: Vec<Example>,
    /// Preprocessed, with their classes.
    valid: Vec<Vec<f32>>,
    valid_classes: Vec<Class>,
}

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    let threads = thread_count(args.threads);
    let start = args.start_from.as_deref().map(load_start).transpose()?;
    let architecture = start
        .as_ref()
        .map_or_else(Architecture::default, |model| model.architecture.clone());
    let checkpoint = prepare_outputs(args)?;
    let data = load_data(args, architecture.side, threads)?;
    println!(
        "{} images to train on, {} to validate",
        data.train.len(),
        data.valid.len()
    );
    let mut trainer = Trainer::new(&architecture, &args.settings(), data.train.len(), threads)?;
    if let Some(model) = &start {
        trainer.start_from(model)?;
    }
    let origin = origin_of(&data, start.as_ref());
    resume(&mut trainer, &checkpoint, &origin, args.fresh)?;
    while !trainer.is_finished() {
        run_epoch(&mut trainer, &data, args.epochs, threads);
        trainer.save(&checkpoint, &origin)?;
    }
    finish(args, &architecture, &trainer, &data, threads)
}

impl TrainArgs {
    fn settings(&self) -> Settings {
        Settings {
            epochs: self.epochs,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            mixup: self.mixup,
            seed: self.seed,
            ..Settings::default()
        }
    }
}

fn load_start(path: &Path) -> Result<ModelFile> {
    ModelFile::load(path).with_context(|| format!("cannot start from {}", path.display()))
}

/// Makes the folders, so that hours of training do not end at a missing one; returns
/// the checkpoint's path.
fn prepare_outputs(args: &TrainArgs) -> Result<PathBuf> {
    let beside = args.out.parent().unwrap_or(Path::new(""));
    let folder = args
        .checkpoints
        .clone()
        .unwrap_or_else(|| beside.join("checkpoints"));
    for folder in [beside, &folder]
        .into_iter()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let name = args.out.file_stem().context("--out has to name a file")?;
    Ok(folder.join(name).with_extension("checkpoint"))
}

fn load_data(args: &TrainArgs, side: usize, threads: usize) -> Result<Data> {
    let entries = match &args.index {
        Some(index) => read_index(&args.data, index)?,
        None => scan(&args.data)?,
    };
    let read = |(): &mut (), i: usize| -> Result<GreyImage> {
        let path = &entries[i].path;
        read_image(path).with_context(|| format!("cannot use {}", path.display()))
    };
    let images = parallel(entries.len(), threads, read)
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    let splits = assign_splits(&entries, &images, args.seed);
    let mut data = Data {
        train: Vec::new(),
        valid: Vec::new(),
        valid_classes: Vec::new(),
    };
    for ((entry, image), split) in entries.iter().zip(&images).zip(splits) {
        if split == Split::Train {
            let pixels = resize(image, side);
            data.train.push(Example {
                pixels,
                class: entry.class,
            });
        } else {
            data.valid.push(preprocess(image, &Preprocessing { side }));
            data.valid_classes.push(entry.class);
        }
    }
    if data.valid.is_empty() {
        bail!("no image is left to validate on; give more images, or an index that has some");
    }
    Ok(data)
}

/// Tells apart runs whose settings are equal but whose images or starting weights are not.
fn origin_of(data: &Data, start: Option<&ModelFile>) -> String {
    // FNV-1a: stable between versions and machines, unlike the standard hasher.
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut take = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for example in &data.train {
        take(example.class.index() as u8);
        example.pixels.iter().for_each(|pixel| take(*pixel));
    }
    if let Some(model) = start {
        model.to_bytes().into_iter().for_each(take);
    }
    format!("{hash:016x}")
}

fn resume(trainer: &mut Trainer, path: &Path, origin: &str, fresh: bool) -> Result<()> {
    if fresh || !path.exists() {
        return Ok(());
    }
    let checkpoint =
        Checkpoint::load(path).with_context(|| format!("cannot resume from {}", path.display()))?;
    if let Some(what) = checkpoint.difference(trainer, origin) {
        bail!(
            "{} belongs to a run with another {what}; delete it or give --fresh to begin anew",
            path.display()
        );
    }
    trainer.resume(&checkpoint);
    println!(
        "resuming after epoch {} from {}",
        trainer.epoch(),
        path.display()
    );
    Ok(())
}

fn run_epoch(trainer: &mut Trainer, data: &Data, epochs: usize, threads: usize) {
    let bar = progress_bar(trainer.steps_per_epoch(), trainer.epoch() + 1, epochs);
    let summary = trainer.run_epoch(&data.train, |step, loss| {
        bar.set_position(step as u64);
        bar.set_message(format!("loss {loss:.3}"));
    });
    bar.finish_and_clear();
    let judged = judge(&trainer.classifier(), data, threads);
    let right = judged
        .iter()
        .filter(|(truth, prediction)| prediction.class() == *truth)
        .count();
    let accuracy = 100.0 * right as f64 / judged.len() as f64;
    println!(
        "epoch {}/{epochs}: loss {:.4}, validation accuracy {accuracy:.2} %",
        summary.epoch, summary.loss
    );
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar(steps: usize, epoch: usize, epochs: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr());
    let template = "{prefix} [{bar:30}] {pos}/{len} {msg}, {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template is valid");
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(format!("epoch {epoch}/{epochs}"));
    bar
}

fn judge(classifier: &Classifier, data: &Data, threads: usize) -> Vec<(Class, Prediction)> {
    let predictions = predict_all(classifier, &data.valid, threads);
    data.valid_classes
        .iter()
        .copied()
        .zip(predictions)
        .collect()
}

/// Fits the temperature, and writes model and card.
fn finish(
    args: &TrainArgs,
    architecture: &Architecture,
    trainer: &Trainer,
    data: &Data,
    threads: usize,
) -> Result<()> {
    let plain = judge(&trainer.classifier(), data, threads);
    let mut model = ModelFile {
        version: args.model_version.clone(),
        architecture: architecture.clone(),
        temperature: fit_temperature(&plain),
        training: TrainingRecord::default(),
        weights: trainer.weights(),
    };
    let judged = judge(&Classifier::from_file(&model), data, threads);
    let evaluation = Evaluation::of(&judged).context("there are validation images")?;
    model.training = TrainingRecord {
        date: jiff::Zoned::now().date().to_string(),
        seed: args.seed,
        epochs: trainer.epoch(),
        train_images: data.train.len(),
        valid_images: data.valid.len(),
        valid_accuracy: evaluation.accuracy,
    };
    model.save(&args.out)?;
    let card = args.out.with_extension("md");
    fs::write(&card, card_of(args, &model, &evaluation))
        .with_context(|| format!("cannot write {}", card.display()))?;
    println!("{}", summary(&evaluation));
    println!("wrote {} and {}", args.out.display(), card.display());
    Ok(())
}

fn card_of(args: &TrainArgs, model: &ModelFile, evaluation: &Evaluation) -> String {
    let split = match &args.index {
        Some(_) => "They were divided by an index, which keeps near-duplicates together.",
        None => {
            "They were divided so that near-duplicates (32×32 thumbnails that correlate above 0.97, mirrored \
             ones included) stay together."
        }
    };
    let start = match &args.start_from {
        Some(_) => "training started from the weights of an earlier run",
        None => "training started from random weights",
    };
    let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let origin = Origin {
        command: &format!("classifier {command}"),
        split,
        start,
    };
    render(model, evaluation, &origin)
}
