//! A server with a script, and a client that waits for one answer.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use acrida_http::{
    Client, Finished, Headers, Limits, Observer, Record, Request, Session, Settings, Target,
    Timeouts, Wording,
};

/// Answers every connection with `script` on a thread of its own; returns the port.
pub(crate) fn serve(script: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let script = Arc::new(script);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let script = Arc::clone(&script);
            let stream = stream.expect("a connection");
            std::thread::spawn(move || script(stream));
        }
    });
    port
}

/// Reads one request: its head as text, and its body.
pub(crate) fn read_request(stream: &mut impl Read) -> Option<(String, Vec<u8>)> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).expect("text");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// Answers each request with what `answer` makes of its head and body.
pub(crate) fn serve_answers(
    answer: impl Fn(&str, &[u8]) -> Vec<u8> + Send + Sync + 'static,
) -> u16 {
    serve(move |mut stream| {
        while let Some((head, body)) = read_request(&mut stream) {
            let sent = stream.write_all(&answer(&head, &body));
            sent.expect("the client listens");
        }
    })
}

/// An answer with this status line, these header lines and this body.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// Remembers what it is told: method, name, failure.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Vec<(String, String, Option<String>)>>);

impl Observer for Seen {
    fn record(&self, record: &Record<'_>) {
        self.0.lock().expect("no panic").push((
            record.method.to_owned(),
            record.name.to_owned(),
            record.failure.map(str::to_owned),
        ));
    }
}

impl Seen {
    pub(crate) fn rows(&self) -> Vec<(String, String, Option<String>)> {
        self.0.lock().expect("no panic").clone()
    }
}

/// One user.
pub(crate) struct Browser {
    pub(crate) client: Arc<Client>,
    pub(crate) session: Session,
    pub(crate) seen: Arc<Seen>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self::with(limits, None)
    }

    /// Looks for the server's time in this field of JSON answers.
    pub(crate) fn with_time_field(field: &str) -> Self {
        Self::with(Limits::default(), Some(field.to_owned()))
    }

    fn with(limits: Limits, time_field: Option<String>) -> Self {
        let seen = Arc::new(Seen::default());
        let settings = Settings {
            observers: vec![Arc::clone(&seen) as Arc<dyn Observer>],
            limits,
            time_field,
        };
        let client = Client::start(settings).expect("an I/O thread");
        Self {
            session: client.session(),
            client,
            seen,
        }
    }

    pub(crate) fn get(&self, url: &str) -> Finished {
        self.exchange(get(url))
    }

    /// Sends a request and waits for its end.
    pub(crate) fn exchange(&self, request: Request) -> Finished {
        self.session.submit(7, request);
        self.client.wake();
        let deadline = Instant::now() + Duration::from_secs(20);
        assert_eq!(
            self.client.outbox().wait_until_idle(deadline),
            0,
            "an end in time"
        );
        let finished = self.client.outbox().take().pop();
        let finished = finished.expect("a finished request");
        assert_eq!(finished.ticket(), 7);
        finished
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.client.close();
    }
}

pub(crate) fn get(url: &str) -> Request {
    Request {
        method: "GET".into(),
        target: Arc::new(Target::parse(url).expect("a URL")),
        name: None,
        headers: Headers::new(Headers::default_fields()).expect("valid headers"),
        content_type: None,
        body: None,
        cookies: Vec::new(),
        authorization: None,
        timeouts: Timeouts::default(),
        max_redirects: Some(30),
        proxies: None,
        tls: None,
        wording: Wording::default(),
        streams: false,
        verdict_is_open: false,
        due: None,
    }
}

/// The body of an answer that has to be there.
pub(crate) fn text(finished: &Finished) -> String {
    let response = finished.result.as_ref().expect("an answer");
    String::from_utf8_lossy(response.body()).into_owned()
}
