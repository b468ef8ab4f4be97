//! `classifier train`: from a folder of labelled images to a model file and its card.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use classifier_imaging::{Preprocessing, Split, frame, preprocess};
use classifier_model::{
    Architecture, Evaluation, Example, ModelFile, Settings, Trainer, TrainingRecord,
};

use super::card::{Origin, render};
use super::course::{Course, Data};
use super::output::say;
use super::table::summary;
use crate::base::{entries, places, read_all};
use crate::parallel::thread_count;

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

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    args.check()?;
    let threads = thread_count(args.threads);
    let start = args.start_from.as_deref().map(load_start).transpose()?;
    let architecture = start
        .as_ref()
        .map_or_else(Architecture::default, |model| model.architecture.clone());
    let data = load_data(args, architecture.side, threads)?;
    let checkpoint = prepare_outputs(args)?;
    let (train, valid) = (data.train.len(), data.valid.len());
    say(format_args!(
        "{train} images to train on, {valid} to validate"
    ))?;
    let mut trainer = Trainer::new(&architecture, &args.settings(), &data.train, threads)?;
    if let Some(model) = &start {
        trainer.start_from(model)?;
    }
    let course = Course {
        origin: origin_of(&data, start.as_ref()),
        best: checkpoint.with_extension("best"),
        checkpoint,
        data: &data,
        record: TrainingRecord {
            seed: args.seed,
            train_images: data.train.len(),
            valid_images: data.valid.len(),
            ..TrainingRecord::default()
        },
        version: &args.model_version,
        threads,
    };
    let (model, evaluation) = course.run(&mut trainer, args.fresh)?;
    model.save(&args.out)?;
    let card = args.out.with_extension("md");
    fs::write(&card, card_of(args, &model, &evaluation))
        .with_context(|| format!("cannot write {}", card.display()))?;
    say(summary(&evaluation))?;
    say(format_args!(
        "wrote {} and {}",
        args.out.display(),
        card.display()
    ))
}

impl TrainArgs {
    /// What can be known to be wrong before hours are spent.
    fn check(&self) -> Result<()> {
        self.settings().check()?;
        if self.out.is_dir() {
            bail!("--out {} is a folder; name a file", self.out.display());
        }
        let version = &self.model_version;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if !(1..=64).contains(&version.len()) || !version.chars().all(is_plain) {
            bail!(
                "--model-version {version:?}: expected 1 to 64 letters, digits, dots, hyphens and underscores"
            );
        }
        Ok(())
    }

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
    let entries = entries(&args.data, args.index.as_deref())?;
    let images = read_all(&entries, threads)?;
    let places = places(&entries, &images, args.seed);
    let preprocessing = Preprocessing::new(side);
    let mut data = Data::default();
    for ((entry, image), place) in entries.iter().zip(&images).zip(places) {
        if place.split == Split::Train {
            data.train.push(Example {
                pixels: frame(image, &preprocessing),
                class: entry.class,
                group: place.group,
            });
        } else {
            data.valid.push(preprocess(image, &preprocessing));
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

fn card_of(args: &TrainArgs, model: &ModelFile, evaluation: &Evaluation) -> String {
    let split = match &args.index {
        Some(_) => "They were divided by an index, which keeps near-duplicates together.",
        None => {
            "They were divided so that near-duplicates (32×32 thumbnails that correlate above 0.97, mirrored \
             and upside-down ones included) stay together."
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
