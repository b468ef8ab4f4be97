//! What one micro-batch sees: images made from images, and the answers wanted.

use classifier_imaging::{Random, augment};

use crate::network::CLASSES;
use crate::train::rest::Rests;
use crate::train::settings::Settings;
use crate::train::trainer::Example;

/// Fills `input` with variants of `chosen` examples, one after the other, and returns
/// the wanted probabilities.
///
/// Some images are blended with another of the same micro-batch, and their wanted
/// probabilities with them ("mixup", Zhang et al., 2018). Depends on the seed, the
/// epoch and the examples alone. Rests after each image if it is time.
pub(crate) fn draw(
    examples: &[Example],
    chosen: &[usize],
    epoch: usize,
    settings: &Settings,
    side: usize,
    (input, rests): (&mut [f32], &mut Rests),
) -> Vec<[f32; CLASSES]> {
    let mut other = vec![0.0; side * side];
    let images = input.chunks_exact_mut(side * side);
    let draw_one = |(place, image): (usize, &mut [f32])| {
        let index = chosen[place];
        let mut random = Random::new((settings.seed << 40) ^ ((epoch as u64) << 20) ^ index as u64);
        let example = &examples[index];
        augment(&example.pixels, side, &mut random, image);
        let mut target = [settings.label_smoothing / CLASSES as f32; CLASSES];
        let sure = 1.0 - settings.label_smoothing;
        if chosen.len() > 1 && random.unit() < settings.mixup {
            let partner = chosen[(place + 1 + random.below(chosen.len() - 1)) % chosen.len()];
            let share = 0.5 + 0.5 * random.unit().sqrt();
            augment(&examples[partner].pixels, side, &mut random, &mut other);
            for (value, other) in image.iter_mut().zip(&other) {
                *value = share * *value + (1.0 - share) * other;
            }
            target[example.class.index()] += sure * share;
            target[examples[partner].class.index()] += sure * (1.0 - share);
        } else {
            target[example.class.index()] += sure;
        }
        rests.take();
        target
    };
    images.enumerate().map(draw_one).collect()
}

/// Summed cross-entropy between softmaxed `outputs` and `targets`, and its gradient by
/// the outputs.
pub(crate) fn cross_entropy(
    outputs: &[[f32; CLASSES]],
    targets: &[[f32; CLASSES]],
) -> (f64, Vec<[f32; CLASSES]>) {
    let mut loss = 0.0;
    let gradient = outputs
        .iter()
        .zip(targets)
        .map(|(output, target)| {
            let largest = output.iter().copied().fold(f32::MIN, f32::max);
            let log_sum = output.iter().map(|o| (o - largest).exp()).sum::<f32>().ln();
            std::array::from_fn(|class| {
                let log_probability = output[class] - largest - log_sum;
                loss -= f64::from(target[class]) * f64::from(log_probability);
                log_probability.exp() - target[class]
            })
        })
        .collect();
    (loss, gradient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use classifier_imaging::Class;

    #[test]
    fn wanted_probabilities_sum_to_one_and_favour_the_label() {
        let examples: Vec<Example> = Class::ALL
            .map(|class| Example {
                pixels: vec![class.index() as u8 * 60; 64],
                class,
                group: class.index(),
            })
            .to_vec();
        let settings = Settings {
            mixup: 0.5,
            ..Settings::default()
        };
        for epoch in 0..20 {
            let mut input = vec![0.0; 4 * 64];
            let places = (&mut input[..], &mut Rests::default());
            let targets = draw(&examples, &[3, 2, 1, 0], epoch, &settings, 8, places);
            for (target, class) in targets.iter().zip([3, 2, 1, 0]) {
                assert!((target.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                assert!(target[class] >= 0.475, "{target:?}");
            }
        }
    }

    #[test]
    fn cross_entropy_of_known_values() {
        let (loss, gradient) = cross_entropy(&[[0.0; 4]], &[[1.0, 0.0, 0.0, 0.0]]);
        assert!((loss - 4f64.ln()).abs() < 1e-6);
        assert_eq!(gradient, [[-0.75, 0.25, 0.25, 0.25]]);
    }
}
