//! What the service counts of itself; [`crate::api`] tells it as JSON or to Prometheus.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use classifier_imaging::Class;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

/// Latencies that are remembered one by one.
const LATEST: usize = 100;
/// Upper bounds of the histograms' buckets, in seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Counters since the start. Names of paths, methods and classes are ours, so that their
/// number is bounded whatever clients send.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    predictions: IntCounterVec,
    inference_seconds: Histogram,
    cached_predictions: IntCounter,
    uploads: IntCounterVec,
    jobs: IntCounterVec,
    waiting_images: IntGauge,
    /// Of the latest predictions, request to reply, in milliseconds, the latest last.
    latest_ms: Mutex<VecDeque<f64>>,
}

/// One line of the count of requests.
#[derive(Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct RequestCount {
    path: String,
    method: String,
    status: String,
    pub(crate) count: u64,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let registry = Registry::new_custom(Some("classifier".to_owned()), None)
            .expect("the prefix is a valid name");
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels);
            registered(&registry, counters)
        };
        let seconds =
            |name: &str, help: &str| HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
        Metrics {
            requests: counters(
                "requests_total",
                "Requests answered.",
                &["path", "method", "status"],
            ),
            request_seconds: registered(
                &registry,
                HistogramVec::new(
                    seconds("request_seconds", "From a request's head to its answer's."),
                    &["path"],
                ),
            ),
            predictions: counters(
                "predictions_total",
                "Predictions, by the class that they named.",
                &["class"],
            ),
            inference_seconds: registered(
                &registry,
                Histogram::with_opts(seconds("inference_seconds", "The network's pass.")),
            ),
            cached_predictions: registered(
                &registry,
                IntCounter::new(
                    "cached_predictions_total",
                    "Of the predictions, those that were remembered.",
                ),
            ),
            uploads: counters(
                "uploads_total",
                "Training images stored, by their label.",
                &["class"],
            ),
            jobs: counters(
                "retrain_jobs_total",
                "Retraining jobs that ended here, by how.",
                &["status"],
            ),
            waiting_images: registered(
                &registry,
                IntGauge::new("waiting_images", "Images that wait for a thread."),
            ),
            latest_ms: Mutex::new(VecDeque::with_capacity(LATEST)),
            registry,
        }
    }

    /// `path` is the route's, not the client's.
    pub(crate) fn count_request(&self, path: &str, method: &str, status: u16, took: Duration) {
        let labels = [path, method, &status.to_string()];
        self.requests.with_label_values(&labels).inc();
        let seconds = took.as_secs_f64();
        let histogram = self.request_seconds.with_label_values(&[path]);
        histogram.observe(seconds);
    }

    /// `infer` is the network's pass; `None` for a result that was remembered.
    pub(crate) fn count_prediction(&self, class: Class, infer: Option<Duration>) {
        let name = class.short_name();
        self.predictions.with_label_values(&[name]).inc();
        match infer {
            Some(infer) => self.inference_seconds.observe(infer.as_secs_f64()),
            None => self.cached_predictions.inc(),
        }
    }

    /// Predictions that were remembered.
    pub(crate) fn cached_predictions(&self) -> u64 {
        self.cached_predictions.get()
    }

    /// Remembers how long a prediction took, request to reply.
    pub(crate) fn remember_latency(&self, took: Duration) {
        let mut latest = self
            .latest_ms
            .lock()
            .expect("no thread panics while it holds this");
        if latest.len() == LATEST {
            latest.pop_front();
        }
        latest.push_back((took.as_secs_f64() * 1e6).round() / 1e3);
    }

    pub(crate) fn count_uploads(&self, class: Class, images: usize) {
        let counter = self.uploads.with_label_values(&[class.short_name()]);
        counter.inc_by(images as u64);
    }

    pub(crate) fn count_job(&self, status: &str) {
        self.jobs.with_label_values(&[status]).inc();
    }

    /// In Prometheus's text format; `waiting` images wait now.
    pub(crate) fn to_text(&self, waiting: usize) -> String {
        self.waiting_images.set(waiting as i64);
        let families = self.registry.gather();
        let text = TextEncoder::new().encode_to_string(&families);
        text.expect("metrics of this kind can be written")
    }

    pub(crate) fn requests(&self) -> Vec<RequestCount> {
        use prometheus::core::Collector;
        let families = self.requests.collect();
        let metrics = families.iter().flat_map(|family| family.get_metric());
        let mut counts: Vec<RequestCount> = metrics
            .map(|metric| {
                let label = |name: &str| {
                    let mut pairs = metric.get_label().iter();
                    let pair = pairs.find(|pair| pair.name() == name);
                    pair.map_or_else(String::new, |pair| pair.value().to_owned())
                };
                RequestCount {
                    path: label("path"),
                    method: label("method"),
                    status: label("status"),
                    count: metric.get_counter().get_value() as u64,
                }
            })
            .collect();
        counts
            .sort_by(|a, b| (&a.path, &a.method, &a.status).cmp(&(&b.path, &b.method, &b.status)));
        counts
    }

    /// Predictions by class, in [`Class`]'s order.
    pub(crate) fn predictions(&self) -> [u64; 4] {
        Class::ALL.map(|class| {
            let counter = self.predictions.with_label_values(&[class.short_name()]);
            counter.get()
        })
    }

    /// Mean of the network's passes, in milliseconds; `None` before the first.
    pub(crate) fn mean_inference_ms(&self) -> Option<f64> {
        let count = self.inference_seconds.get_sample_count();
        let sum = self.inference_seconds.get_sample_sum();
        (count > 0).then(|| (sum / count as f64 * 1e6).round() / 1e3)
    }

    /// The latest predictions' times, request to reply, in milliseconds, the latest last.
    pub(crate) fn latest_ms(&self) -> Vec<f64> {
        let latest = self
            .latest_ms
            .lock()
            .expect("no thread panics while it holds this");
        latest.iter().copied().collect()
    }
}

fn registered<C>(registry: &Registry, made: prometheus::Result<C>) -> C
where
    C: prometheus::core::Collector + Clone + 'static,
{
    let collector = made.expect("the name and the labels are valid");
    let added = registry.register(Box::new(collector.clone()));
    added.expect("every name is registered once");
    collector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_told_in_both_forms() {
        let metrics = Metrics::new();
        assert_eq!(metrics.mean_inference_ms(), None);
        for took_ms in 0..150 {
            let took = Duration::from_millis(took_ms);
            metrics.count_request("/predict", "POST", 200, took);
            metrics.count_prediction(Class::Glioma, Some(Duration::from_millis(2)));
            metrics.remember_latency(took);
        }
        metrics.count_prediction(Class::Glioma, None);
        assert_eq!(metrics.predictions(), [151, 0, 0, 0]);
        assert_eq!(metrics.cached_predictions(), 1);
        assert_eq!(metrics.mean_inference_ms(), Some(2.0));
        let latest = metrics.latest_ms();
        assert_eq!((latest.len(), latest[0], latest[99]), (100, 50.0, 149.0));
        assert_eq!(metrics.requests()[0].count, 150);
        let text = metrics.to_text(7);
        let line =
            "classifier_requests_total{method=\"POST\",path=\"/predict\",status=\"200\"} 150\n";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("classifier_waiting_images 7\n"), "{text}");
    }
}
