//! One retraining, from images to a model file and the verdict on it.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use classifier_imaging::{
    Class, GreyImage, Split, Thumbnail, frame, group_near_duplicates, preprocess, split_by_group,
};
use classifier_model::{
    Classifier, Evaluation, Example, ModelFile, Prediction, Settings, Trainer, TrainingRecord,
    fit_temperature, rest,
};

use super::process::{Done, Event, Task};
use super::verdict::{Score, Source, sentence};
use crate::base::{BaseImage, read_image};
use crate::parallel::{parallel, predict_all};

/// Epochs without a better result after which training ends early.
const PATIENCE: usize = 3;
/// Share of the uploads that is held out.
const UPLOADS_HELD_OUT: f32 = 0.2;
const SEED: u64 = 1;

/// A labelled image and where it belongs.
struct Labelled {
    image: GreyImage,
    class: Class,
    split: Split,
    /// Near-duplicates share a number.
    group: usize,
    source: Source,
}

/// Held-out images, prepared.
#[derive(Default)]
struct HeldOut {
    inputs: Vec<Vec<f32>>,
    classes: Vec<Class>,
    sources: Vec<Source>,
}

/// The best network so far.
struct Best {
    model: ModelFile,
    right: usize,
    /// Mean negative logarithm of the probability given to the truth.
    surprise: f64,
    loss: f64,
    epoch: usize,
}

/// Does `task`; `tell` hears how it goes.
pub(crate) fn train(task: &Task, tell: &mut impl FnMut(&Event)) -> Result<Done> {
    let start = ModelFile::load(&task.model).context("cannot use the model that serves")?;
    let images = load(task)?;
    let (examples, held_out) = divide(&images, &start);
    if held_out.classes.is_empty() {
        bail!("no image is left to judge the result by");
    }
    let settings = Settings {
        epochs: task.epochs,
        batch_size: task.batch_size,
        learning_rate: task.learning_rate,
        seed: SEED,
        ..Settings::default()
    };
    let mut trainer = Trainer::new(&start.architecture, &settings, &examples, task.threads)?;
    trainer.start_from(&start)?;
    trainer.rest_often();
    let record = TrainingRecord {
        seed: SEED,
        train_images: examples.len(),
        valid_images: held_out.classes.len(),
        ..TrainingRecord::default()
    };
    let best = run(
        task,
        &mut trainer,
        &examples,
        &held_out,
        &start,
        &record,
        tell,
    )?;
    finish(task, &start, best, &held_out)
}

/// Base images and uploads, near-duplicates found among all of them.
fn load(task: &Task) -> Result<Vec<Labelled>> {
    let base = task.base.images(task.threads, SEED)?;
    let read = |(): &mut (), i: usize| -> Result<GreyImage> {
        let path = &task.uploads[i].0;
        read_image(path).with_context(|| format!("cannot use the upload {}", path.display()))
    };
    let uploads: Vec<GreyImage> = parallel(task.uploads.len(), task.threads, read)
        .into_iter()
        .collect::<Result<_>>()?;
    let thumbnails: Vec<Thumbnail> = base
        .iter()
        .map(|base| &base.image)
        .chain(&uploads)
        .map(Thumbnail::new)
        .collect();
    let groups = group_near_duplicates(&thumbnails);
    let (base_groups, upload_groups) = groups.split_at(base.len());
    let splits = upload_splits(&base, base_groups, upload_groups);
    let base = base
        .into_iter()
        .zip(base_groups)
        .map(|(base, group)| Labelled {
            image: base.image,
            class: base.class,
            split: base.split,
            group: *group,
            source: Source::Base,
        });
    let uploads = uploads
        .into_iter()
        .zip(&task.uploads)
        .zip(upload_groups)
        .zip(splits);
    let uploads = uploads.map(|(((image, (_, class)), group), split)| Labelled {
        image,
        class: *class,
        split,
        group: *group,
        source: Source::Upload,
    });
    Ok(base.chain(uploads).collect())
}

/// An upload that is nearly a base image goes where that is; of the others, a share is
/// held out, near-duplicates together.
fn upload_splits(base: &[BaseImage], base_groups: &[usize], uploads: &[usize]) -> Vec<Split> {
    let mut known: HashMap<usize, Split> = HashMap::new();
    for (base, group) in base.iter().zip(base_groups) {
        let split = known.entry(*group).or_insert(base.split);
        if base.split == Split::Valid {
            *split = Split::Valid;
        }
    }
    let others: Vec<usize> = uploads
        .iter()
        .copied()
        .filter(|group| !known.contains_key(group))
        .collect();
    let mut drawn = split_by_group(&others, UPLOADS_HELD_OUT, SEED).into_iter();
    uploads
        .iter()
        .map(|group| match known.get(group) {
            Some(split) => *split,
            None => drawn.next().expect("one for each of the others"),
        })
        .collect()
}

fn divide(images: &[Labelled], model: &ModelFile) -> (Vec<Example>, HeldOut) {
    let mut examples = Vec::new();
    let mut held_out = HeldOut::default();
    for labelled in images {
        rest();
        if labelled.split == Split::Train {
            examples.push(Example {
                pixels: frame(&labelled.image, &model.preprocessing),
                class: labelled.class,
                group: labelled.group,
            });
        } else {
            held_out
                .inputs
                .push(preprocess(&labelled.image, &model.preprocessing));
            held_out.classes.push(labelled.class);
            held_out.sources.push(labelled.source);
        }
    }
    (examples, held_out)
}

/// Trains until the last epoch, or until nothing got better for a while.
fn run(
    task: &Task,
    trainer: &mut Trainer,
    examples: &[Example],
    held_out: &HeldOut,
    start: &ModelFile,
    record: &TrainingRecord,
    tell: &mut impl FnMut(&Event),
) -> Result<Best> {
    let steps = trainer.steps_per_epoch() * task.epochs;
    let mut best: Option<Best> = None;
    loop {
        let before = trainer.epoch() * trainer.steps_per_epoch();
        let summary = trainer.run_epoch(examples, |step, _| {
            let percent = (100 * (before + step) / steps) as u32;
            tell(&Event::Progress { percent });
        });
        if !summary.loss.is_finite() {
            bail!(
                "the loss of epoch {} is no number; a lower learning rate may help",
                trainer.epoch()
            );
        }
        let candidate = judge_epoch(task, trainer, held_out, start, record, summary.loss);
        tell(&Event::Epoch {
            accuracy: candidate.model.training.valid_accuracy,
            loss: summary.loss,
        });
        let better =
            |best: &Best| (candidate.right, -candidate.surprise) > (best.right, -best.surprise);
        if best.as_ref().is_none_or(better) {
            best = Some(candidate);
        }
        let best_epoch = best.as_ref().map_or(0, |best| best.epoch);
        if trainer.is_finished() || trainer.epoch() - best_epoch >= PATIENCE {
            return Ok(best.expect("there was an epoch"));
        }
    }
}

fn judge_epoch(
    task: &Task,
    trainer: &Trainer,
    held_out: &HeldOut,
    start: &ModelFile,
    record: &TrainingRecord,
    loss: f64,
) -> Best {
    let judged = held_out.judge(&trainer.classifier(), task.threads);
    let right = Score::of(&held_out.sources, &judged).total();
    let surprise = judged
        .iter()
        .map(|(truth, prediction)| -f64::from(prediction.of(*truth).max(1e-9)).ln())
        .sum::<f64>();
    let record = TrainingRecord {
        date: jiff::ZonedDateTime::now().date().to_string(),
        epochs: trainer.epoch(),
        valid_accuracy: right as f64 / judged.len() as f64,
        ..record.clone()
    };
    Best {
        model: ModelFile {
            // Images are prepared as the model to start from has it.
            preprocessing: start.preprocessing.clone(),
            ..trainer.model(&task.version, record)
        },
        right,
        surprise: surprise / judged.len() as f64,
        loss,
        epoch: trainer.epoch(),
    }
}

/// Calibrates the best network, compares it, and writes its file.
fn finish(task: &Task, start: &ModelFile, best: Best, held_out: &HeldOut) -> Result<Done> {
    let mut model = best.model;
    let judged = held_out.judge(&Classifier::from_file(&model), task.threads);
    model.temperature = fit_temperature(&judged);
    let judged = held_out.judge(&Classifier::from_file(&model), task.threads);
    let evaluation = Evaluation::of(&judged).context("no image was judged")?;
    let current = held_out.judge(&Classifier::from_file(start), task.threads);
    let new = Score::of(&held_out.sources, &judged);
    let current = Score::of(&held_out.sources, &current);
    model.save(&task.out)?;
    Ok(Done {
        accepted: new.is_no_worse_than(current),
        message: sentence(
            (&model.version, new),
            (&task.serving, current),
            held_out.count(),
        ),
        accuracy: evaluation.accuracy,
        loss: best.loss,
        evaluation: Done::evaluation_of(&evaluation),
    })
}

impl HeldOut {
    fn judge(&self, classifier: &Classifier, threads: usize) -> Vec<(Class, Prediction)> {
        let predictions = predict_all(classifier, &self.inputs, threads);
        self.classes.iter().copied().zip(predictions).collect()
    }

    fn count(&self) -> Score {
        let uploads = self
            .sources
            .iter()
            .filter(|source| **source == Source::Upload);
        let uploads = uploads.count();
        Score {
            base: self.sources.len() - uploads,
            uploads,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_that_is_nearly_a_held_out_image_is_not_learnt_from() {
        let base = |split| BaseImage {
            image: GreyImage {
                width: 1,
                height: 1,
                pixels: vec![0],
            },
            class: Class::Glioma,
            split,
        };
        let bases = [base(Split::Train), base(Split::Valid), base(Split::Train)];
        // The third base image and the second share a group through an upload.
        let splits = upload_splits(&bases, &[0, 1, 1], &[1, 0, 7]);
        assert_eq!(splits[..2], [Split::Valid, Split::Train]);
        let many: Vec<usize> = (10..110).collect();
        let splits = upload_splits(&bases, &[0, 1, 1], &many);
        let held_out = splits.iter().filter(|split| **split == Split::Valid);
        assert_eq!(held_out.count(), 20);
    }
}
