//! Counting finished requests: in the statistics and, if there is one, in the
//! request log, so that both always agree.

use acrida_http::{Observer, Record};
use acrida_report::requests_csv::RequestRow;
use acrida_stats::{Lane, Sample};

use super::RequestLog;

/// Counts the requests of one thread.
#[derive(Debug, Clone)]
pub struct Counter {
    /// Where samples gather.
    pub lane: Lane,
    /// `--csv-requests`.
    pub log: Option<RequestLog>,
}

impl Observer for Counter {
    fn record(&self, record: &Record<'_>) {
        self.lane.record(&Sample {
            method: record.method,
            name: record.name,
            finished_us: record.finished_us,
            response_time_us: record.response_time_us,
            content_length: record.content_length,
            failure: record.failure,
            server: record.server,
            answer: record.answer,
        });
        if let Some(log) = &self.log {
            log.write(&RequestRow {
                finished_us: record.finished_us,
                method: record.method,
                name: record.name,
                response_time_us: record.response_time_us,
                bytes_sent: record.bytes_sent,
                bytes_received: record.bytes_received,
            });
        }
    }
}
