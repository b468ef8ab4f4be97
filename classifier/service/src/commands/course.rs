//! A training run from its first or next epoch to the best model that it saw.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use classifier_imaging::Class;
use classifier_model::{
    Checkpoint, Classifier, Evaluation, Example, ModelFile, Prediction, Trainer, TrainingRecord,
    fit_temperature,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::output::say;
use crate::parallel::predict_all;

/// The images in memory, divided.
#[derive(Default)]
pub(crate) struct Data {
    pub(crate) train: Vec<Example>,
    /// Preprocessed images to validate on.
    pub(crate) valid: Vec<Vec<f32>>,
    /// What they show.
    pub(crate) valid_classes: Vec<Class>,
}

/// What stays the same from epoch to epoch.
pub(crate) struct Course<'a> {
    /// Tells apart runs whose settings are equal but whose images are not.
    pub(crate) origin: String,
    /// Where the run's state is kept after each epoch.
    pub(crate) checkpoint: PathBuf,
    /// Where the best model so far is kept.
    pub(crate) best: PathBuf,
    pub(crate) data: &'a Data,
    /// What is known of the training beforehand.
    pub(crate) record: TrainingRecord,
    pub(crate) version: &'a str,
    pub(crate) threads: usize,
}

impl Course<'_> {
    /// Trains to the end, from the checkpoint if there is one and `fresh` is not set;
    /// returns the model of the epoch with the best validation accuracy, calibrated.
    pub(crate) fn run(
        &self,
        trainer: &mut Trainer,
        fresh: bool,
    ) -> Result<(ModelFile, Evaluation)> {
        let mut best = if fresh { None } else { self.resume(trainer)? };
        while !trainer.is_finished() {
            let model = self.run_epoch(trainer)?;
            let accuracy = |model: &ModelFile| model.training.valid_accuracy;
            if best
                .as_ref()
                .is_none_or(|best| accuracy(&model) >= accuracy(best))
            {
                model.save(&self.best)?;
                best = Some(model);
            }
            trainer.save(&self.checkpoint, &self.origin)?;
        }
        let mut model =
            best.context("the checkpoint is at its end, but its best model is missing")?;
        model.temperature = fit_temperature(&self.judge(&Classifier::from_file(&model)));
        let judged = self.judge(&Classifier::from_file(&model));
        let evaluation = Evaluation::of(&judged).context("there are no validation images")?;
        Ok((model, evaluation))
    }

    /// Brings the trainer to where the checkpoint is; returns the best model until there.
    fn resume(&self, trainer: &mut Trainer) -> Result<Option<ModelFile>> {
        let path = &self.checkpoint;
        if !path.exists() {
            return Ok(None);
        }
        let checkpoint = Checkpoint::load(path).with_context(|| {
            format!("cannot resume from {}; --fresh begins anew", path.display())
        })?;
        if let Some(what) = checkpoint.difference(trainer, &self.origin) {
            bail!(
                "{} belongs to a run with another {what}; delete it or give --fresh to begin anew",
                path.display()
            );
        }
        let best = ModelFile::load(&self.best).with_context(|| {
            format!(
                "cannot resume without {}; --fresh begins anew",
                self.best.display()
            )
        })?;
        trainer.resume(&checkpoint);
        say(format_args!(
            "resuming after epoch {} from {}",
            trainer.epoch(),
            path.display()
        ))?;
        Ok(Some(best))
    }

    /// One epoch, and the model after it.
    fn run_epoch(&self, trainer: &mut Trainer) -> Result<ModelFile> {
        let bar = progress_bar(trainer);
        let epoch = trainer.run_epoch(&self.data.train, |step, loss| {
            bar.set_position(step as u64);
            bar.set_message(format!("loss {loss:.3}"));
        });
        bar.finish_and_clear();
        if !epoch.loss.is_finite() {
            bail!(
                "the loss of epoch {} is no number; a lower --learning-rate may help",
                epoch.epoch
            );
        }
        let judged = self.judge(&trainer.classifier());
        let right = judged
            .iter()
            .filter(|(truth, prediction)| prediction.class() == *truth)
            .count();
        let accuracy = right as f64 / judged.len() as f64;
        let (number, epochs, loss) = (epoch.epoch, trainer.epochs(), epoch.loss);
        let percent = 100.0 * accuracy;
        say(format_args!(
            "epoch {number}/{epochs}: loss {loss:.4}, validation accuracy {percent:.2} %"
        ))?;
        let record = TrainingRecord {
            date: jiff::ZonedDateTime::now().date().to_string(),
            epochs: number,
            valid_accuracy: accuracy,
            ..self.record.clone()
        };
        Ok(trainer.model(self.version, record))
    }

    fn judge(&self, classifier: &Classifier) -> Vec<(Class, Prediction)> {
        let predictions = predict_all(classifier, &self.data.valid, self.threads);
        self.data
            .valid_classes
            .iter()
            .copied()
            .zip(predictions)
            .collect()
    }
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar(trainer: &Trainer) -> ProgressBar {
    let bar = ProgressBar::new(trainer.steps_per_epoch() as u64);
    let template = "{prefix} [{bar:30}] {pos}/{len} {msg}, {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template is valid");
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(format!(
        "epoch {}/{}",
        trainer.epoch() + 1,
        trainer.epochs()
    ));
    bar
}
