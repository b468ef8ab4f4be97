//! The model card: what a reader has to know before trusting the model.

use classifier_model::{Evaluation, ModelFile};

use super::table::{evaluation_tables, summary};

/// What the card says besides the model and its figures.
pub(crate) struct Origin<'a> {
    /// The command that made the model.
    pub(crate) command: &'a str,
    /// How the images were divided.
    pub(crate) split: &'a str,
    /// The model that training started from, in words.
    pub(crate) start: &'a str,
}

/// The card as Markdown.
pub(crate) fn render(model: &ModelFile, evaluation: &Evaluation, origin: &Origin<'_>) -> String {
    let training = &model.training;
    let architecture = &model.architecture;
    format!(
        "# Brain MRI classifier, {version}

Tells four kinds of brain MRI slices apart: Glioma, Meningioma, Pituitary (tumours) and No_Tumor.

**Not a medical device.** It was made to be load-tested. It knows nothing of patients, scanners or sequences, and always
answers one of four classes, whatever the image shows. Do not use it for anybody's diagnosis.

## Data

{train} images to train on and {valid} to validate. The margin around the head is cut off, and the rest stretched to
{side}×{side} grey pixels, in training as in serving. {split}

## Network and training

A residual network with stages of {widths:?} channels and {blocks:?} blocks; {start}.
{epochs} epochs, seed {seed}, finished on {date}. Random rotation, scale, shift, shear, mirroring, gamma, contrast,
brightness, noise, blur, cut-out and blending; AdamW with a cosine schedule; the running average of the weights is what
is kept. Of near-duplicates, an epoch sees the square root of their number. Weights were fitted to training images alone; the
validation images chose the epoch, and fitted the temperature ({temperature:.3}) that the outputs are divided by, so
the figures below are slightly flattering.

```
{command}
```

## Figures on the validation images

{summary}.

{tables}",
        version = model.version,
        train = training.train_images,
        valid = training.valid_images,
        side = architecture.side,
        split = origin.split,
        widths = architecture.widths,
        blocks = architecture.blocks,
        start = origin.start,
        epochs = training.epochs,
        seed = training.seed,
        date = training.date,
        temperature = model.temperature,
        command = origin.command,
        summary = summary(evaluation),
        tables = evaluation_tables(evaluation),
    )
}
