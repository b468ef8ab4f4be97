//! `classifier serve`: predictions over HTTP.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail};
use classifier_imaging::Limits;
use classifier_model::{Classifier, ModelFile};
use classifier_store::{NewModel, Store};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::keep::{KeepArgs, summarise};
use crate::api::{App, Guard, router};
use crate::memory::Budget;
use crate::metrics::Metrics;
use crate::parallel::thread_count;
use crate::prediction::{Policy, Predictor};
use crate::profile::Profiler;
use crate::retraining::{Plan, Retraining, load};
use crate::server::{Connections, Ending, StopSignals, acceptor, serve};

/// Memory for all request bodies together: this many of the largest, but no less
/// than the bytes below.
const LARGEST_BODIES: usize = 8;
const BODY_MEMORY_BYTES_MIN: usize = 256 * 1024 * 1024;
/// Cores that one thread for connections keeps busy with images.
const CORES_PER_IO_THREAD: usize = 4;
/// Questions to the store that are dealt with at once; others wait.
const STORE_THREADS: usize = 8;
/// Of so many inference threads, one more decodes uploads.
const CORES_PER_UPLOAD: usize = 4;

/// Flags of `classifier serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on; 0.0.0.0 for every network
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    port: u16,
    /// Model file
    #[arg(long, value_name = "FILE", default_value = "models/brain-mri.model")]
    model: PathBuf,
    /// Threads that decode and judge images [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Longest request body, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 10 * 1024 * 1024, value_parser = byte_count)]
    max_body_bytes: usize,
    /// Largest image, as width times height
    #[arg(long, value_name = "PIXELS", default_value_t = Limits::default().max_pixels)]
    max_image_pixels: usize,
    /// Connections at once; further ones wait
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = count)]
    max_connections: usize,
    /// Images that may wait for a thread; one more is answered with 503
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = count)]
    queue_length: usize,
    /// Images that a thread judges together if so many wait
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = count)]
    batch_size: usize,
    /// Longest wait for a fuller batch while all other threads are busy
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    batch_wait_ms: u64,
    /// Time for a prediction once its image is there, or 503
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    request_timeout: Duration,
    /// Time for a request's body to arrive, or 408
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    body_timeout: Duration,
    /// Time for the next request's head to arrive, or the connection is closed
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    idle_timeout: Duration,
    /// Time to go on answering after SIGINT or SIGTERM, while /ready says no [default: none]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    drain_delay: Option<Duration>,
    /// Time for open requests to finish after SIGINT or SIGTERM, and after that delay
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    drain_timeout: Duration,
    /// File with the key that requests have to bring; without it, everyone may ask
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Requests a second from one address, on average; one more is answered with 429
    #[arg(long, value_name = "N", value_parser = count)]
    rate_limit: Option<usize>,
    /// Certificate, and those that it depends on, in PEM form: answers HTTPS instead of HTTP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM form
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Results of so many images are remembered, and given to the same image again
    #[arg(long, value_name = "IMAGES", default_value_t = 0, value_parser = zero_or_count)]
    result_cache: usize,
    /// Where to write a flame graph (SVG) of the time that the processor spent, at the end
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    #[command(flatten)]
    keep: KeepArgs,
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=1_000_000) => Ok(number),
        _ => Err("expected a number from 1 to 1000000".to_owned()),
    }
}

fn zero_or_count(text: &str) -> Result<usize, String> {
    match text {
        "0" => Ok(0),
        text => count(text).map_err(|_| "expected a number from 0 to 1000000".to_owned()),
    }
}

pub(super) fn byte_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=1_073_741_824) => Ok(number),
        _ => Err("expected a number of bytes from 1 to 1073741824".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.001..=86_400.0).contains(&number) => Ok(Duration::from_secs_f64(number)),
        _ => Err("expected seconds, from 0.001 to 86400".to_owned()),
    }
}

pub(crate) fn run(args: &ServeArgs) -> Result<()> {
    let started = Instant::now();
    let connections = connections(args)?;
    let profiler = args.profile.as_deref().map(Profiler::start).transpose()?;
    let (store, classifier) = open_store(args)?;
    let threads = thread_count(args.threads);
    let version = classifier.version().to_owned();
    let predictor = Arc::new(start_predictor(args, classifier, threads)?);
    let metrics = Arc::new(Metrics::new());
    let base = args.keep.base(&args.model)?;
    let base_summary = summarise(base.as_ref())?;
    let can_retrain = base.is_some();
    let retraining = Arc::new(Retraining::start(Plan {
        store: Arc::clone(&store),
        predictor: Arc::clone(&predictor),
        metrics: Arc::clone(&metrics),
        base,
        threads: args.keep.retrain_threads(),
    })?);
    let draining = Arc::new(AtomicBool::new(false));
    let app = App {
        predictor,
        store,
        metrics,
        guard: guard(args)?,
        retraining: Arc::clone(&retraining),
        can_retrain,
        waiting_jobs_max: args.keep.retrain_queue,
        uploads: args
            .keep
            .upload_limits(args.max_body_bytes, image_limits(args)),
        upload_places: Arc::new(Semaphore::new(threads.div_ceil(CORES_PER_UPLOAD))),
        base_summary,
        memory: Budget::new(body_memory_bytes(args)),
        body_bytes_max: args.max_body_bytes,
        body_within: args.body_timeout,
        started,
        draining: Arc::clone(&draining),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(thread_count(None).div_ceil(CORES_PER_IO_THREAD))
        .max_blocking_threads(STORE_THREADS)
        .enable_all()
        .build()
        .context("cannot start the threads for connections")?;
    let ending = runtime.block_on(async {
        let signals = StopSignals::catch().context("cannot catch signals")?;
        let (listener, address) = listen(args).await?;
        announce(&format!(
            "serving {} ({version}) at {}://{address} on {threads} threads",
            args.model.display(),
            if connections.tls.is_some() {
                "https"
            } else {
                "http"
            },
        ));
        let router = router(Arc::new(app));
        Ok::<_, Error>(serve(listener, router, connections, signals, draining).await)
    })?;
    retraining.stop();
    // Whoever is still connected had the drain timeout.
    runtime.shutdown_background();
    profiler.map(Profiler::write).transpose()?;
    announce(match ending {
        Ending::Drained => "stopped",
        Ending::CutOff => "stopped; some requests were cut off",
    });
    Ok(())
}

/// Opens the store, and has the model file in it if it is new; the classifier is of the
/// version that serves, which may be a later one.
fn open_store(args: &ServeArgs) -> Result<(Arc<Store>, Classifier)> {
    let model = &args.model;
    if !model.exists() {
        bail!(
            "there is no model file {}; name one with --model, or make one with 'classifier train'",
            model.display()
        );
    }
    let unusable = || format!("cannot use the model {}", model.display());
    let content = fs::read(model).with_context(unusable)?;
    let file = ModelFile::from_bytes(&content).with_context(unusable)?;
    let unopened = || format!("cannot open the store {}", args.keep.place.names());
    let store = Store::open_at(&args.keep.place.config()).with_context(unopened)?;
    let new = NewModel {
        content: &content,
        accuracy: Some(file.training.valid_accuracy),
        evaluation: None,
        version: Some(&file.version),
    };
    let serving = store
        .adopt_model(&new, Timestamp::now())
        .with_context(unopened)?;
    let classifier = load(&store, &serving).with_context(unopened)?;
    Ok((Arc::new(store), classifier))
}

fn guard(args: &ServeArgs) -> Result<Guard> {
    let key = args.api_key_file.as_ref().map(|path| {
        let read = fs::read_to_string(path);
        let text =
            read.with_context(|| format!("cannot read the API key in {}", path.display()))?;
        let key = text.trim();
        if key.is_empty() || key.contains(char::is_whitespace) {
            bail!("{} does not hold one word, the API key", path.display());
        }
        Ok(key.to_owned())
    });
    let rate = args
        .rate_limit
        .map(|rate| u32::try_from(rate).expect("the flag's limit is lower"));
    Ok(Guard::new(key.transpose()?.as_deref(), rate))
}

/// For a few of the largest bodies at least.
fn body_memory_bytes(args: &ServeArgs) -> usize {
    let largest = args.max_body_bytes * LARGEST_BODIES;
    BODY_MEMORY_BYTES_MIN
        .max(largest)
        .max(args.keep.max_upload_bytes)
}

fn image_limits(args: &ServeArgs) -> Limits {
    Limits {
        max_pixels: args.max_image_pixels,
        ..Limits::default()
    }
}

fn start_predictor(args: &ServeArgs, classifier: Classifier, threads: usize) -> Result<Predictor> {
    let policy = Policy {
        batch_size_max: args.batch_size,
        batch_wait: Duration::from_millis(args.batch_wait_ms),
        queue_length_max: args.queue_length,
    };
    Predictor::start(
        classifier,
        image_limits(args),
        policy,
        threads,
        args.request_timeout,
        args.result_cache,
    )
    .with_context(|| format!("cannot start {threads} threads"))
}

fn connections(args: &ServeArgs) -> Result<Connections> {
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(acceptor(certificate, key)?),
        _ => None,
    };
    // A shell's usual limit is 1024 files; as far as the system lets us, take what
    // the connections need. With less, further ones wait.
    let _ = rlimit::increase_nofile_limit(args.max_connections as u64 + 64);
    Ok(Connections {
        tls,
        connections_max: args.max_connections,
        head_within: args.idle_timeout,
        drain_delay: args.drain_delay,
        drain_within: args.drain_timeout,
    })
}

async fn listen(args: &ServeArgs) -> Result<(TcpListener, SocketAddr)> {
    let wanted = match args.host.parse::<IpAddr>() {
        Ok(address) => SocketAddr::new(address, args.port).to_string(),
        Err(_) => format!("{}:{}", args.host, args.port),
    };
    let bound = TcpListener::bind((args.host.as_str(), args.port)).await;
    let listener = bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Error::msg(format!(
            "cannot listen on {wanted}: another program does; stop it, or choose another port with --port"
        )),
        io::ErrorKind::PermissionDenied => Error::msg(format!(
            "cannot listen on {wanted}: not permitted; choose a port above 1023 with --port"
        )),
        io::ErrorKind::AddrNotAvailable => Error::msg(format!(
            "cannot listen on {wanted}: this machine has no such address; choose one with --host"
        )),
        _ => Error::new(error).context(format!("cannot listen on {wanted}")),
    })?;
    let address = listener.local_addr().context("cannot tell the port")?;
    Ok((listener, address))
}

/// One line for whoever started the service, who may have stopped reading.
fn announce(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
