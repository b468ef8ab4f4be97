//! One batch of images: each decoded and prepared, then all judged together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use classifier_imaging::{DecodeError, Limits, Preprocessing, decode, preprocess};
use classifier_model::{Classifier, Helper, Prediction, Scratch};

/// Where the time of one prediction went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timings {
    /// From the arrival of the whole request until a thread took it.
    pub(crate) queue: Duration,
    /// From bytes to pixels.
    pub(crate) decode: Duration,
    /// From pixels to the network's input.
    pub(crate) preprocess: Duration,
    /// The network's pass over the whole batch that the image was in.
    pub(crate) infer: Duration,
}

/// A prediction and what it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) prediction: Prediction,
    pub(crate) timings: Timings,
    pub(crate) source: Source,
}

/// Whether an image was judged anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// By the network, now.
    Network,
    /// Before, when the same image came; all timings are zero.
    Cache,
}

/// Why an image was not judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    #[error(transparent)]
    Image(#[from] DecodeError),
    /// A defect of ours; the image is refused and the thread lives on.
    #[error("this image cannot be decoded")]
    DecoderPanicked,
    /// A defect of ours that no image should be able to cause.
    #[error("the prediction failed inside the service")]
    NetworkPanicked,
}

/// The network's input, and the time it took to get there.
struct Prepared {
    input: Vec<f32>,
    timings: Timings,
}

/// The outcomes of `images`, in their order; a helper helps where a single one is judged.
pub(crate) fn judge(
    classifier: &Classifier,
    scratch: &mut Scratch,
    helper: Option<&mut Helper>,
    limits: &Limits,
    images: &[&[u8]],
) -> Vec<Result<Outcome, JobError>> {
    let prepared: Vec<Result<Prepared, JobError>> = images
        .iter()
        .map(|bytes| prepare(bytes, limits, classifier.preprocessing()))
        .collect();
    let inputs: Vec<&[f32]> = prepared
        .iter()
        .flatten()
        .map(|prepared| &prepared.input[..])
        .collect();
    let started = Instant::now();
    let judged = catch_unwind(AssertUnwindSafe(|| match (&inputs[..], helper) {
        ([input], Some(helper)) => vec![classifier.predict_with_help(scratch, input, helper)],
        _ => classifier.predict(scratch, &inputs),
    }));
    let infer = started.elapsed();
    let Ok(predictions) = judged else {
        *scratch = Scratch::default();
        let failed = |image: Result<Prepared, JobError>| image.and(Err(JobError::NetworkPanicked));
        return prepared.into_iter().map(failed).collect();
    };
    let mut predictions = predictions.into_iter();
    prepared
        .into_iter()
        .map(|image| {
            let timings = image?.timings;
            Ok(Outcome {
                prediction: predictions.next().expect("one prediction for each input"),
                timings: Timings { infer, ..timings },
                source: Source::Network,
            })
        })
        .collect()
}

fn prepare(
    bytes: &[u8],
    limits: &Limits,
    preprocessing: &Preprocessing,
) -> Result<Prepared, JobError> {
    let started = Instant::now();
    catch_unwind(|| {
        let image = decode(bytes, limits)?;
        let decoded = Instant::now();
        let input = preprocess(&image, preprocessing);
        let timings = Timings {
            decode: decoded - started,
            preprocess: decoded.elapsed(),
            ..Timings::default()
        };
        Ok(Prepared { input, timings })
    })
    .unwrap_or(Err(JobError::DecoderPanicked))
}

#[cfg(test)]
mod tests {
    use classifier_model::{Architecture, ModelFile};

    use super::*;

    #[test]
    fn a_bad_image_does_not_disturb_its_neighbours() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../samples/glioma/glioma_1.jpg"
        );
        let good = std::fs::read(path).unwrap();
        let architecture = Architecture {
            side: 32,
            widths: vec![4],
            blocks: vec![1],
        };
        let classifier = Classifier::from_file(&ModelFile::untrained(architecture, 1));
        let images = [&good[..], b"data", &good];
        let outcomes = judge(
            &classifier,
            &mut Scratch::default(),
            None,
            &Limits::default(),
            &images,
        );
        let [first, Err(error), last] = &outcomes[..] else {
            panic!("{outcomes:?}");
        };
        assert_eq!(error.to_string(), "not a JPEG or PNG image");
        let of = |outcome: &Result<Outcome, JobError>| outcome.as_ref().unwrap().prediction;
        assert_eq!(of(first), of(last));
    }
}
