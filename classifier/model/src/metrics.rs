//! How good predictions are, once the truth is known.

use classifier_imaging::Class;
use serde::Serialize;

use crate::inference::Prediction;
use crate::network::CLASSES;

/// How well one class is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassScores {
    /// Images of this class.
    pub images: usize,
    /// Of those called this class, the share that is; `None` if none was.
    pub precision: Option<f64>,
    /// Of those that are this class, the share called so; `None` if there are none.
    pub recall: Option<f64>,
    /// Harmonic mean of the two; `None` where both are missing.
    pub f1: Option<f64>,
    /// Area under the ROC curve, this class against the rest; `None` unless there
    /// are images of both.
    pub roc_auc: Option<f64>,
}

/// A whole evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Images judged.
    pub images: usize,
    /// Share judged right.
    pub accuracy: f64,
    /// Mean over the classes present; `None` with fewer than two.
    pub macro_roc_auc: Option<f64>,
    /// Mean distance between confidence and accuracy, over 15 bins of confidence.
    pub calibration_error: f64,
    /// Rows: what it is; columns: what it was called; in [`Class`]'s order.
    pub confusion: [[usize; CLASSES]; CLASSES],
    /// By class, in [`Class`]'s order.
    pub classes: [ClassScores; CLASSES],
}

impl Evaluation {
    /// Compares predictions with the truth; `None` without any.
    pub fn of(judged: &[(Class, Prediction)]) -> Option<Evaluation> {
        if judged.is_empty() {
            return None;
        }
        let mut confusion = [[0; CLASSES]; CLASSES];
        for (truth, prediction) in judged {
            confusion[truth.index()][prediction.class().index()] += 1;
        }
        let right: usize = (0..CLASSES).map(|i| confusion[i][i]).sum();
        let classes = Class::ALL.map(|class| ClassScores::of(class, &confusion, judged));
        let areas: Vec<f64> = classes.iter().filter_map(|scores| scores.roc_auc).collect();
        Some(Evaluation {
            images: judged.len(),
            accuracy: right as f64 / judged.len() as f64,
            macro_roc_auc: (!areas.is_empty())
                .then(|| areas.iter().sum::<f64>() / areas.len() as f64),
            calibration_error: calibration_error(judged),
            confusion,
            classes,
        })
    }
}

impl ClassScores {
    fn of(
        class: Class,
        confusion: &[[usize; CLASSES]; CLASSES],
        judged: &[(Class, Prediction)],
    ) -> ClassScores {
        let i = class.index();
        let images: usize = confusion[i].iter().sum();
        let called: usize = confusion.iter().map(|row| row[i]).sum();
        let share = |whole: usize| (whole > 0).then(|| confusion[i][i] as f64 / whole as f64);
        ClassScores {
            images,
            precision: share(called),
            recall: share(images),
            // 2·precision·recall / (precision + recall), without its 0/0.
            f1: (images + called > 0)
                .then(|| 2.0 * confusion[i][i] as f64 / (images + called) as f64),
            roc_auc: roc_auc(class, judged),
        }
    }
}

/// The chance that an image of `class` scores higher for it than one of the rest;
/// ties count half (Mann and Whitney).
fn roc_auc(class: Class, judged: &[(Class, Prediction)]) -> Option<f64> {
    let mut scores: Vec<(f32, bool)> = judged
        .iter()
        .map(|(truth, prediction)| (prediction.of(class), *truth == class))
        .collect();
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = scores.iter().filter(|(_, is)| *is).count();
    let negatives = scores.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut below, mut wins) = (0.0, 0.0);
    for tied in scores.chunk_by(|a, b| a.0 == b.0) {
        let is = tied.iter().filter(|(_, is)| *is).count() as f64;
        let is_not = tied.len() as f64 - is;
        wins += is * (below + 0.5 * is_not);
        below += is_not;
    }
    Some(wins / (positives as f64 * negatives as f64))
}

/// Expected calibration error (Guo et al., 2017).
fn calibration_error(judged: &[(Class, Prediction)]) -> f64 {
    const BINS: usize = 15;
    let mut bins = [(0.0, 0.0); BINS];
    for (truth, prediction) in judged {
        let confidence = f64::from(prediction.confidence());
        let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += confidence;
        bin.1 += f64::from(u8::from(prediction.class() == *truth));
    }
    bins.iter()
        .map(|(confidence, right)| (confidence - right).abs())
        .sum::<f64>()
        / judged.len() as f64
}

/// The temperature at which `judged`, made at temperature 1, would be the least
/// surprised by the truth; between 0.1 and 10.
pub fn fit_temperature(judged: &[(Class, Prediction)]) -> f32 {
    let surprise = |temperature: f32| -> f64 {
        judged
            .iter()
            .map(|(truth, prediction)| {
                let logits = prediction.probabilities.map(|p| p.max(1e-30).ln());
                -f64::from(
                    Prediction::from_logits(logits, temperature)
                        .of(*truth)
                        .max(1e-30)
                        .ln(),
                )
            })
            .sum()
    };
    // Golden-section search over the logarithm; the surprise has one minimum.
    const RATIO: f32 = 0.618_034;
    let (mut low, mut high) = (0.1f32.ln(), 10f32.ln());
    for _ in 0..40 {
        let (a, b) = (high - RATIO * (high - low), low + RATIO * (high - low));
        if surprise(a.exp()) < surprise(b.exp()) {
            high = b;
        } else {
            low = a;
        }
    }
    ((low + high) / 2.0).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sure(class: Class, confidence: f32) -> Prediction {
        let rest = (1.0 - confidence) / 3.0;
        let mut probabilities = [rest; CLASSES];
        probabilities[class.index()] = confidence;
        Prediction { probabilities }
    }

    #[test]
    fn scores_of_a_known_confusion() {
        use Class::{Glioma, Meningioma, NoTumor};
        let judged = [
            (Glioma, sure(Glioma, 0.9)),
            (Glioma, sure(Glioma, 0.8)),
            (Glioma, sure(Meningioma, 0.7)),
            (NoTumor, sure(NoTumor, 0.9)),
        ];
        let evaluation = Evaluation::of(&judged).unwrap();
        assert_eq!(evaluation.accuracy, 0.75);
        assert_eq!(evaluation.confusion[0], [2, 1, 0, 0]);
        let [glioma, meningioma, pituitary, no_tumor] = evaluation.classes;
        assert_eq!(
            (glioma.precision, glioma.recall, glioma.f1),
            (Some(1.0), Some(2.0 / 3.0), Some(0.8))
        );
        assert_eq!((meningioma.precision, meningioma.recall), (Some(0.0), None));
        assert_eq!(
            (pituitary.images, pituitary.precision, pituitary.f1),
            (0, None, None)
        );
        assert_eq!(no_tumor.roc_auc, Some(1.0));
        assert_eq!(Evaluation::of(&[]), None);
    }

    #[test]
    fn the_area_counts_pairs_in_order_and_ties_half() {
        use Class::{Glioma, NoTumor};
        // Scores for Glioma: its own 0.9 and 0.4, the other's 0.4 and 0.1.
        let judged = [
            (Glioma, sure(Glioma, 0.9)),
            (Glioma, sure(Glioma, 0.4)),
            (NoTumor, sure(Glioma, 0.4)),
            (NoTumor, sure(Glioma, 0.1)),
        ];
        assert_eq!(
            Evaluation::of(&judged).unwrap().classes[0].roc_auc,
            Some(0.875)
        );
    }

    #[test]
    fn temperature_mends_confidence() {
        // Always 97 % sure, but right in four of five cases.
        let judged: Vec<_> = (0..1000)
            .map(|i| {
                let truth = if i % 5 == 0 {
                    Class::Meningioma
                } else {
                    Class::Glioma
                };
                (truth, sure(Class::Glioma, 0.97))
            })
            .collect();
        assert!((calibration_error(&judged) - 0.17).abs() < 1e-3);
        let temperature = fit_temperature(&judged);
        assert!(temperature > 1.5, "{temperature}");
        let mended: Vec<_> = judged
            .iter()
            .map(|(truth, p)| {
                (
                    *truth,
                    Prediction::from_logits(p.probabilities.map(f32::ln), temperature),
                )
            })
            .collect();
        assert!(calibration_error(&mended) < 0.1);
    }
}
