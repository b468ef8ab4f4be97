//! Where in an image the network sees what it names.

use crate::inference::{Classifier, Prediction, Scratch};
use crate::network::CLASSES;

/// What each place of an image says for or against the predicted class.
///
/// A class activation map (Zhou et al., 2016): the network's last activations, pixel by
/// pixel, weighted as its head weights their means. Their mean is the class's output
/// without its offset, so the map shows how the decision is made up, not why.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    /// Values in a row, and rows.
    pub side: usize,
    /// Row by row; the mean over the classes at each place is taken off, so that above zero is
    /// for the predicted class and below against it.
    pub values: Vec<f32>,
}

impl Classifier {
    /// A prediction for one preprocessed image, and where it comes from.
    ///
    /// Panics as [`Classifier::predict`] does.
    pub fn explain(&self, scratch: &mut Scratch, image: &[f32]) -> (Prediction, Attention) {
        let prediction = self.predict(scratch, &[image])[0];
        let head = &self.network.head;
        let weights = &self.folded[head.weights.clone()][..head.channels * CLASSES];
        let class = prediction.class().index();
        // How much each channel is for this class, rather than for any.
        let importance: Vec<f32> = weights
            .chunks_exact(CLASSES)
            .map(|weights| weights[class] - weights.iter().sum::<f32>() / CLASSES as f32)
            .collect();
        let last = &scratch.slots[head.input][..head.area * head.channels];
        let values: Vec<f32> = last
            .chunks_exact(head.channels)
            .map(|pixel| pixel.iter().zip(&importance).map(|(a, b)| a * b).sum())
            .collect();
        let side = head.area.isqrt();
        (prediction, Attention { side, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelFile;
    use crate::network::Architecture;
    use classifier_imaging::Random;

    #[test]
    fn the_map_adds_up_to_the_decision() {
        let architecture = Architecture {
            side: 32,
            widths: vec![3, 5],
            blocks: vec![1, 1],
        };
        let classifier = Classifier::from_file(&ModelFile::untrained(architecture, 3));
        let mut random = Random::new(3);
        let image: Vec<f32> = (0..32 * 32).map(|_| random.normal()).collect();
        let mut scratch = Scratch::default();
        let (prediction, map) = classifier.explain(&mut scratch, &image);
        assert_eq!(prediction, classifier.predict(&mut scratch, &[&image])[0]);
        assert_eq!(map.values.len(), map.side * map.side);
        // Without offsets, which an untrained head has none of, outputs minus their mean.
        let logits = classifier.logits(&mut scratch, &[&image], None)[0];
        let mean = logits.iter().sum::<f32>() / logits.len() as f32;
        let expected = logits[prediction.class().index()] - mean;
        let found = map.values.iter().sum::<f32>() / map.values.len() as f32;
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
}
