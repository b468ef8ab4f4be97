//! Many images judged on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use classifier_model::{Classifier, Prediction, Scratch, rest};

/// Applies `work` to `0..count` on `threads` threads; results in order.
pub(crate) fn parallel<S: Default, R: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(&mut S, usize) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<R>>> = Mutex::new((0..count).map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            scope.spawn(|| {
                let mut state = S::default();
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count {
                        return;
                    }
                    let result = work(&mut state, i);
                    results
                        .lock()
                        .expect("no thread panics while it stores a result")[i] = Some(result);
                }
            });
        }
    });
    let results = results
        .into_inner()
        .expect("all threads ended without panic");
    results
        .into_iter()
        .map(|result| result.expect("every index was worked on"))
        .collect()
}

/// Predictions for preprocessed images, in order. Rests before each, since nobody waits
/// for so many at once, but somebody may wait for the core.
pub(crate) fn predict_all(
    classifier: &Classifier,
    images: &[Vec<f32>],
    threads: usize,
) -> Vec<Prediction> {
    parallel(images.len(), threads, |scratch: &mut Scratch, i| {
        rest();
        classifier.predict(scratch, &[&images[i]])[0]
    })
}

/// As many threads as asked for, or one for each core.
pub(crate) fn thread_count(asked: Option<usize>) -> usize {
    asked
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
        .clamp(1, 256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_threads() {
        for threads in [1, 3, 8] {
            let squares = parallel(100, threads, |(): &mut (), i| i * i);
            assert_eq!(squares, (0..100).map(|i| i * i).collect::<Vec<_>>());
        }
        assert!(parallel(0, 2, |(): &mut (), i| i).is_empty());
    }
}
