//! Batch normalisation (Ioffe and Szegedy, 2015) over one micro-batch, and its gradient.

use crate::network::EPSILON;

/// Mean, variance and 1 / deviation of each channel over a micro-batch.
#[derive(Clone, Default)]
pub(crate) struct Moments {
    pub(crate) means: Vec<f32>,
    pub(crate) variances: Vec<f32>,
    pub(crate) inverse_deviations: Vec<f32>,
}

impl Moments {
    /// Mean and variance by channel. Summed in blocks, so that single precision
    /// stays exact enough over hundreds of thousands of pixels.
    pub(crate) fn of(values: &[f32], channels: usize) -> Moments {
        const BLOCK: usize = 128;
        let (mut sums, mut squares) = (vec![0f64; channels], vec![0f64; channels]);
        let (mut sum, mut square) = (vec![0f32; channels], vec![0f32; channels]);
        for block in values.chunks(channels * BLOCK) {
            sum.fill(0.0);
            square.fill(0.0);
            for pixel in block.chunks_exact(channels) {
                for j in 0..channels {
                    sum[j] += pixel[j];
                    square[j] += pixel[j] * pixel[j];
                }
            }
            for j in 0..channels {
                sums[j] += f64::from(sum[j]);
                squares[j] += f64::from(square[j]);
            }
        }
        let pixels = (values.len() / channels) as f64;
        let means: Vec<f64> = sums.iter().map(|sum| sum / pixels).collect();
        let variances: Vec<f32> = squares
            .iter()
            .zip(&means)
            .map(|(square, mean)| (square / pixels - mean * mean).max(0.0) as f32)
            .collect();
        Moments {
            means: means.iter().map(|mean| *mean as f32).collect(),
            inverse_deviations: variances
                .iter()
                .map(|v| 1.0 / (v + EPSILON).sqrt())
                .collect(),
            variances,
        }
    }

    /// Turns the gradient by the normalised values into that by the raw ones, and
    /// adds the gradients of scales and offsets to `sums`.
    pub(crate) fn backward(
        &self,
        raw: &[f32],
        scales: &[f32],
        gradient: &mut [f32],
        sums: &mut [f32],
    ) {
        let channels = scales.len();
        let (means, inverse) = (
            &self.means[..channels],
            &self.inverse_deviations[..channels],
        );
        let (mut plain, mut weighted) = (vec![0f32; channels], vec![0f32; channels]);
        for (gradient, raw) in gradient
            .chunks_exact(channels)
            .zip(raw.chunks_exact(channels))
        {
            for j in 0..channels {
                plain[j] += gradient[j];
                weighted[j] += gradient[j] * (raw[j] - means[j]) * inverse[j];
            }
        }
        let (scale_sums, offset_sums) = sums.split_at_mut(channels);
        add_scaled(scale_sums, &weighted, 1.0);
        add_scaled(offset_sums, &plain, 1.0);
        // gradient' = scale·inverse · (gradient - mean(gradient) - x̂ · mean(gradient·x̂)),
        // gathered into one factor for the gradient, one for the raw value, one constant.
        let share = channels as f32 / raw.len() as f32;
        let factors: Vec<f32> = zip_map(scales, inverse, |s, i| s * i);
        let slopes: Vec<f32> = (0..channels)
            .map(|j| -factors[j] * inverse[j] * weighted[j] * share)
            .collect();
        let constants: Vec<f32> = (0..channels)
            .map(|j| -factors[j] * plain[j] * share - slopes[j] * means[j])
            .collect();
        for (gradient, raw) in gradient
            .chunks_exact_mut(channels)
            .zip(raw.chunks_exact(channels))
        {
            for j in 0..channels {
                gradient[j] = factors[j] * gradient[j] + slopes[j] * raw[j] + constants[j];
            }
        }
    }
}

/// `raw * factor + shift` by channel, plus the shortcut, cut at zero if `relu`.
pub(crate) fn normalise(
    raw: &[f32],
    factors: &[f32],
    shifts: &[f32],
    shortcut: Option<&[f32]>,
    relu: bool,
    output: &mut [f32],
) {
    let channels = factors.len();
    let pixels = output
        .chunks_exact_mut(channels)
        .zip(raw.chunks_exact(channels));
    let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
    match shortcut {
        Some(shortcut) => {
            for ((output, raw), shortcut) in pixels.zip(shortcut.chunks_exact(channels)) {
                for j in 0..channels {
                    output[j] = (raw[j] * factors[j] + shifts[j] + shortcut[j]).max(floor);
                }
            }
        }
        None => {
            for (output, raw) in pixels {
                for j in 0..channels {
                    output[j] = (raw[j] * factors[j] + shifts[j]).max(floor);
                }
            }
        }
    }
}

/// `sums += values * factor`.
pub(crate) fn add_scaled(sums: &mut [f32], values: &[f32], factor: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value * factor;
    }
}

/// `f` of each pair.
pub(crate) fn zip_map(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect()
}
