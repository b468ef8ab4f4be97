//! AdamW, its learning rate over time, and the running average of the weights.

use std::ops::Range;

const MOMENTUM: f32 = 0.9;
const SQUARES: f32 = 0.99;
/// Longest gradient that counts in full.
const CLIP: f32 = 2.0;
const AVERAGE: f32 = 0.9985;
/// How much of the statistics each micro-batch replaces.
const STATISTICS: f32 = 0.05;

/// Everything that training changes; what a checkpoint holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// Steps made.
    pub(crate) step: usize,
    pub(crate) parameters: Vec<f32>,
    /// Running average of the parameters; this is what is used in the end.
    pub(crate) averaged: Vec<f32>,
    pub(crate) momentum: Vec<f32>,
    pub(crate) squares: Vec<f32>,
    pub(crate) statistics: Vec<f32>,
    pub(crate) averaged_statistics: Vec<f32>,
}

/// How fast to learn, from the first step to the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Schedule {
    pub(crate) peak: f32,
    pub(crate) warmup: usize,
    pub(crate) steps: usize,
}

impl Schedule {
    /// Rises linearly to the peak, then falls as half a cosine to a five-hundredth.
    pub(crate) fn rate(&self, step: usize) -> f32 {
        if step < self.warmup {
            return self.peak * (step + 1) as f32 / self.warmup as f32;
        }
        let done = (step - self.warmup) as f32 / (self.steps - self.warmup).max(1) as f32;
        self.peak * (0.5 + 0.5 * (std::f32::consts::PI * done.min(1.0)).cos()).max(0.002)
    }
}

impl State {
    /// A start from given numbers.
    pub(crate) fn new(parameters: Vec<f32>, statistics: Vec<f32>) -> State {
        State {
            step: 0,
            averaged: parameters.clone(),
            momentum: vec![0.0; parameters.len()],
            squares: vec![0.0; parameters.len()],
            parameters,
            averaged_statistics: statistics.clone(),
            statistics,
        }
    }

    /// One step of AdamW (Loshchilov and Hutter, 2019) against `gradient`;
    /// weight decay applies to `decayed` alone.
    pub(crate) fn step(
        &mut self,
        gradient: &[f32],
        rate: f32,
        decay: f32,
        decayed: &[Range<usize>],
    ) {
        self.step += 1;
        let length = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        let clip = (CLIP / (length + 1e-9)).min(1.0);
        for range in decayed {
            for parameter in &mut self.parameters[range.clone()] {
                *parameter -= rate * decay * *parameter;
            }
        }
        let steps = self.step.min(100_000) as i32;
        let (bias, bias_squares) = (1.0 - MOMENTUM.powi(steps), 1.0 - SQUARES.powi(steps));
        let moments = self.momentum.iter_mut().zip(&mut self.squares);
        for ((parameter, gradient), (momentum, square)) in
            self.parameters.iter_mut().zip(gradient).zip(moments)
        {
            let gradient = gradient * clip;
            *momentum = MOMENTUM * *momentum + (1.0 - MOMENTUM) * gradient;
            *square = SQUARES * *square + (1.0 - SQUARES) * gradient * gradient;
            *parameter -= rate * (*momentum / bias) / ((*square / bias_squares).sqrt() + 1e-8);
        }
        let keep = self.keep();
        blend(&mut self.averaged, &self.parameters, keep);
    }

    /// Takes in the statistics of the step's micro-batches.
    pub(crate) fn observe<'a>(&mut self, statistics: impl Iterator<Item = &'a [f32]>) {
        for seen in statistics {
            blend(&mut self.statistics, seen, 1.0 - STATISTICS);
        }
        let keep = self.keep();
        blend(&mut self.averaged_statistics, &self.statistics, keep);
    }

    /// How much of the average stays; less in the first steps, so that the random
    /// start is soon forgotten.
    fn keep(&self) -> f32 {
        AVERAGE.min((1.0 + self.step as f32) / (10.0 + self.step as f32))
    }
}

fn blend(average: &mut [f32], values: &[f32], keep: f32) {
    for (average, value) in average.iter_mut().zip(values) {
        *average = keep * *average + (1.0 - keep) * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_to_its_peak_and_falls_to_nearly_nothing() {
        let schedule = Schedule {
            peak: 0.01,
            warmup: 10,
            steps: 110,
        };
        assert!((schedule.rate(0) - 0.001).abs() < 1e-9);
        assert!((schedule.rate(9) - 0.01).abs() < 1e-9);
        assert!((schedule.rate(60) - 0.005).abs() < 1e-6);
        assert!(schedule.rate(109) < 0.0001);
        assert!((1..100).all(|step| schedule.rate(10 + step) <= schedule.rate(9 + step)));
    }

    #[test]
    fn steps_lead_to_the_minimum_and_decay_pulls_to_zero() {
        let mut state = State::new(vec![0.0, 5.0], vec![]);
        let decayed = std::slice::from_ref(&(1..2));
        for _ in 0..600 {
            // Half of (x - 3)² in the first parameter, nothing in the second.
            let gradient = [state.parameters[0] - 3.0, 0.0];
            state.step(&gradient, 0.02, 0.5, decayed);
        }
        assert!(
            (state.parameters[0] - 3.0).abs() < 0.05,
            "{:?}",
            state.parameters
        );
        assert!(state.parameters[1] < 0.02, "{:?}", state.parameters);
    }

    #[test]
    fn a_gradient_of_any_length_moves_by_the_rate_at_most() {
        let mut state = State::new(vec![0.0], vec![]);
        state.step(&[1e15], 0.1, 0.0, &[]);
        assert!(
            (state.parameters[0] + 0.1).abs() < 1e-4,
            "{:?}",
            state.parameters
        );
    }
}
