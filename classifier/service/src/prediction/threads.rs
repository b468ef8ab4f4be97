//! The inference threads, and the way to them from a connection.
//!
//! Decoding happens here too, so that no more images are in memory as pixels
//! than there are threads times the size of a batch.

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::body::Bytes;
use classifier_imaging::Limits;
use classifier_model::{Classifier, Helper, Scratch};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::batching::Policy;
use super::cache::Cache;
use super::job::{JobError, Outcome, Source, Timings, judge};
use super::queue::Queue;
use crate::memory::Share;

/// How long a refusal is held back, its image already forgotten: clients that try
/// again at once would otherwise take the processor from the images that wait.
const REFUSED_AFTER: Duration = Duration::from_millis(100);

/// Sends images to the inference threads; they end when it is dropped.
#[derive(Debug)]
pub(crate) struct Predictor {
    shared: Arc<Shared>,
    answer_within: Duration,
    cache: Option<Cache>,
}

#[derive(Debug)]
struct Shared {
    queue: Queue<Waiting>,
    /// Each batch is prepared and judged by the model that is current when it starts.
    model: ArcSwap<Classifier>,
    limits: Limits,
    /// Helps with an image that has the service to itself.
    helper: Option<Mutex<Helper>>,
}

/// An image file, and its share of the memory for request bodies: held until the
/// file is gone, even if the client has long left.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) bytes: Bytes,
    #[expect(dead_code, reason = "held, not read")]
    pub(crate) share: Share,
}

#[derive(Debug)]
struct Waiting {
    image: Image,
    arrived: Instant,
    reply: oneshot::Sender<Result<Outcome, JobError>>,
}

/// Why no prediction came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the queue of images is full")]
    QueueFull,
    #[error("no thread was free for this image within {0:?}")]
    TooLate(Duration),
    #[error(transparent)]
    Job(#[from] JobError),
}

impl Predictor {
    /// Starts `threads` threads; `results_max` results are remembered.
    pub(crate) fn start(
        classifier: Classifier,
        limits: Limits,
        policy: Policy,
        threads: usize,
        answer_within: Duration,
        results_max: usize,
    ) -> io::Result<Predictor> {
        let helper = (threads > 1)
            .then(|| Helper::start("infer-helper"))
            .transpose()?;
        let shared = Arc::new(Shared {
            queue: Queue::new(policy),
            model: ArcSwap::from_pointee(classifier),
            limits,
            helper: helper.map(Mutex::new),
        });
        // Made first: if a thread cannot be started, dropping it ends the others.
        let predictor = Predictor {
            shared,
            answer_within,
            cache: NonZeroUsize::new(results_max).map(Cache::new),
        };
        for n in 0..threads {
            let shared = Arc::clone(&predictor.shared);
            thread::Builder::new()
                .name(format!("infer-{n}"))
                .spawn(move || shared.run())?;
        }
        Ok(predictor)
    }

    /// The model that the next batch is judged by.
    pub(crate) fn model(&self) -> Arc<Classifier> {
        self.shared.model.load_full()
    }

    /// Has `classifier` judge from the next batch on.
    pub(crate) fn replace(&self, classifier: Classifier) {
        let store = || self.shared.model.store(Arc::new(classifier));
        match &self.cache {
            Some(cache) => cache.change_model(store),
            None => store(),
        }
    }

    /// Whether one more image could wait.
    pub(crate) fn has_room(&self) -> bool {
        self.shared.queue.has_room()
    }

    /// Images that wait for a thread.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.queue.len()
    }

    /// Whether results are remembered.
    pub(crate) fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// What is remembered of `image`, or else what a thread says.
    pub(crate) async fn predict(&self, image: Image) -> Result<Outcome, Refusal> {
        let Some(cache) = &self.cache else {
            return self.judge(image).await;
        };
        match cache.look_up(&image.bytes) {
            Ok(prediction) => Ok(Outcome {
                prediction,
                timings: Timings::default(),
                source: Source::Cache,
            }),
            Err(key) => {
                let outcome = self.judge(image).await?;
                cache.remember(key, outcome.prediction);
                Ok(outcome)
            }
        }
    }

    /// Waits for a thread to judge `image`; giving up takes it from the queue.
    async fn judge(&self, image: Image) -> Result<Outcome, Refusal> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting {
            image,
            arrived: Instant::now(),
            reply,
        };
        if self.shared.queue.push(waiting).is_err() {
            sleep(REFUSED_AFTER).await;
            return Err(Refusal::QueueFull);
        }
        match timeout(self.answer_within, answer).await {
            Ok(answered) => Ok(answered.expect("threads answer whatever they take")?),
            Err(_) => Err(Refusal::TooLate(self.answer_within)),
        }
    }
}

impl Drop for Predictor {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

impl Shared {
    fn run(&self) {
        let mut scratch = Scratch::default();
        warm_up(&self.model.load(), &mut scratch);
        self.queue.work_off(|mut batch| {
            // Nobody waits any more for these: the client left, or its time was up.
            batch.retain(|waiting| !waiting.reply.is_closed());
            self.answer(batch, &mut scratch);
        });
    }

    fn answer(&self, batch: Vec<Waiting>, scratch: &mut Scratch) {
        let taken = Instant::now();
        let images: Vec<&[u8]> = batch
            .iter()
            .map(|waiting| &waiting.image.bytes[..])
            .collect();
        let mut helper = self.helper_for(&images);
        let outcomes = judge(
            &self.model.load(),
            scratch,
            helper.as_deref_mut(),
            &self.limits,
            &images,
        );
        for (waiting, mut outcome) in batch.into_iter().zip(outcomes) {
            if let Ok(outcome) = &mut outcome {
                outcome.timings.queue = taken.duration_since(waiting.arrived);
            }
            // An error means that the client left in the meantime.
            let _ = waiting.reply.send(outcome);
        }
    }

    /// A helper, if `images` is one and no other is worked on or waits: helping with it would
    /// otherwise cost the others what it gains.
    fn helper_for(&self, images: &[&[u8]]) -> Option<MutexGuard<'_, Helper>> {
        let helper = self.helper.as_ref().filter(|_| images.len() == 1)?;
        self.queue
            .works_on_one_batch_alone()
            .then(|| helper.try_lock().ok())?
    }
}

/// Judges a blank image, so that the first real one finds memory and caches ready.
fn warm_up(classifier: &Classifier, scratch: &mut Scratch) {
    let side = classifier.preprocessing().side;
    classifier.predict(scratch, &[&vec![0.0; side * side]]);
}
