//! Bodies that are handed over while they arrive.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use acrida_http::{Finished, HttpError, Piece, Request};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{Browser, answer, get, read_request, serve};

/// Sends the head, then each piece when the test says so; answers the next request as usual.
fn piecewise(head: &'static str) -> (u16, std::sync::mpsc::Sender<Vec<u8>>) {
    let (pieces, queue) = channel::<Vec<u8>>();
    let queue: Arc<Mutex<Receiver<Vec<u8>>>> = Arc::new(Mutex::new(queue));
    let port = serve(move |mut stream: TcpStream| {
        let mut requests = 0;
        while let Some((request, _)) = read_request(&mut stream) {
            requests += 1;
            if request.starts_with("GET /next ") {
                let number = requests.to_string();
                stream
                    .write_all(&answer("200 OK", "", number.as_bytes()))
                    .expect("the client listens");
                continue;
            }
            stream
                .write_all(head.as_bytes())
                .expect("the client listens");
            for piece in queue.lock().expect("no panic").iter() {
                if stream.write_all(&piece).is_err() || piece.ends_with(b"0\r\n\r\n") {
                    break;
                }
            }
        }
    });
    (port, pieces)
}

fn streaming(port: u16) -> Request {
    Request {
        streams: true,
        ..get(&format!("http://127.0.0.1:{port}/stream"))
    }
}

fn chunk(text: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", text.len()).into_bytes();
    chunk.extend_from_slice(text);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// Everything up to `length` bytes.
fn read(finished: &Finished, length: usize) -> Vec<u8> {
    let stream = finished.stream.as_ref().expect("a stream");
    let mut all = Vec::new();
    while all.len() < length {
        match stream.wait() {
            Piece::Bytes(bytes) => all.extend(bytes),
            other => panic!("{other:?} after {} bytes", all.len()),
        }
    }
    all
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn a_body_is_there_piece_by_piece_and_its_connection_serves_again() {
    let ((port, pieces), browser) = (piecewise(CHUNKED), Browser::new());
    let finished = browser.exchange(streaming(port));
    let stream = Arc::clone(finished.stream.as_ref().expect("a stream"));
    assert_eq!(finished.content_length(), 0);
    assert_eq!(stream.take(|| 9), Piece::Later);
    for text in [&b"one"[..], b"two"] {
        pieces.send(chunk(text)).expect("a server");
        assert_eq!(read(&finished, 3), text);
    }
    pieces.send(b"0\r\n\r\n".to_vec()).expect("a server");
    assert_eq!(stream.wait(), Piece::End);
    assert_eq!(browser.client.outbox().take_pieces(), [9], "told once");
    let next = browser.get(&format!("http://127.0.0.1:{port}/next"));
    assert_eq!(crate::support::text(&next), "2", "the same connection");
}

#[test]
fn a_compressed_body_is_decompressed_as_it_comes() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n";
    let ((port, pieces), browser) = (piecewise(head), Browser::new());
    let finished = browser.exchange(streaming(port));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for text in ["data: 1\n\n", "data: 2\n\n"] {
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.flush().expect("memory");
        let encoded = std::mem::take(encoder.get_mut());
        pieces.send(chunk(&encoded)).expect("a server");
        assert_eq!(read(&finished, text.len()), text.as_bytes());
    }
}

#[test]
fn a_body_larger_than_what_is_buffered_comes_whole() {
    let ((port, pieces), browser) = (piecewise(CHUNKED), Browser::new());
    let finished = browser.exchange(streaming(port));
    let sent: Vec<u8> = (0..20_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    for piece in sent.chunks(1_000_000) {
        pieces.send(chunk(piece)).expect("a server");
    }
    assert!(read(&finished, sent.len()) == sent);
}

#[test]
fn a_body_that_breaks_off_or_stalls_says_so() {
    let ((port, pieces), browser) = (piecewise(CHUNKED), Browser::new());
    let mut request = streaming(port);
    request.timeouts.read = Some(Duration::from_millis(200));
    let stalled = browser.exchange(request).stream.expect("a stream");
    assert!(matches!(
        stalled.wait(),
        Piece::Failed(HttpError::ReadTimeout { .. })
    ));
    drop(pieces);
    let cut = serve(move |mut stream: TcpStream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    });
    let finished = browser.exchange(streaming(cut));
    assert_eq!(finished.content_length(), 10);
    assert_eq!(read(&finished, 3), b"abc");
    let broken = finished.stream.expect("a stream").wait();
    assert_eq!(
        broken,
        Piece::Failed(HttpError::Incomplete {
            read: 3,
            expected: 7
        })
    );
}

#[test]
fn a_body_that_nobody_wants_closes_its_connection() {
    let ended = Arc::new((Mutex::new(false), std::sync::Condvar::new()));
    let told = Arc::clone(&ended);
    let port = serve(move |mut stream: TcpStream| {
        read_request(&mut stream);
        stream
            .write_all(CHUNKED.as_bytes())
            .expect("the client listens");
        assert!(read_request(&mut stream).is_none(), "the end");
        *told.0.lock().expect("no panic") = true;
        told.1.notify_all();
    });
    let browser = Browser::new();
    browser
        .exchange(streaming(port))
        .stream
        .expect("a stream")
        .abandon();
    let ended_in_time = ended.1.wait_timeout_while(
        ended.0.lock().expect("no panic"),
        Duration::from_secs(20),
        |ended| !*ended,
    );
    assert!(*ended_in_time.expect("no panic").0);
}
