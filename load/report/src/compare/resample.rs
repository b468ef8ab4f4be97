//! A circular block bootstrap: which windows a resample is made of.

use fastrand::Rng;

/// Windows in a block: neighbours depend on each other, those that are further apart less.
pub(super) fn block_length(windows: usize) -> usize {
    ((windows as f64).cbrt().ceil() as usize).max(1)
}

/// `count` times as many window indices as there are windows, in blocks of neighbours; the
/// first window comes after the last. The same for the same `seed` and number of windows, so
/// that an answer can be repeated, and all names of a run are resampled alike.
pub(super) fn resamples(
    windows: usize,
    count: usize,
    seed: u64,
) -> impl Iterator<Item = Vec<usize>> {
    let mut rng = Rng::with_seed(seed);
    let length = block_length(windows);
    (0..count).map(move |_| {
        let mut picked = Vec::with_capacity(windows);
        while picked.len() < windows {
            let start = rng.usize(0..windows);
            let block = (start..start + length).map(|at| at % windows);
            picked.extend(block.take(windows - picked.len()));
        }
        picked
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resamples_have_every_window_equally_often() {
        let mut seen = [0; 20];
        for picked in resamples(20, 2_000, 1) {
            assert_eq!(picked.len(), 20);
            picked.into_iter().for_each(|at| seen[at] += 1);
        }
        assert!(
            seen.iter().all(|count| (1_700..2_300).contains(count)),
            "{seen:?}"
        );
        assert_eq!(resamples(0, 1, 1).next(), Some(vec![]));
    }
}
