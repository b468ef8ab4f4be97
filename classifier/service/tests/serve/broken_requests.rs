//! What is wrong with a request, its sender is told; the service goes on.

use crate::support::{Reply, Service, form, post_head, sample};

fn post(service: &Service, content_type: &str, body: &[u8]) -> Reply {
    let head = format!(
        "POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    service.raw(&[head.as_bytes(), body].concat())
}

fn assert_still_serving(service: &Service) {
    let (status, reply, _) = service.post("file", &sample("notumor/notumor_1.jpg"));
    assert_eq!(status, 200, "{reply}");
}

#[test]
fn what_is_not_an_image_is_400() {
    let service = Service::start(&[]);
    let jpeg = sample("glioma/glioma_1.jpg");
    for (why, image, detail) in [
        (
            "the guide's own broken image",
            &b"data"[..],
            "not a JPEG or PNG image",
        ),
        ("a GIF", b"GIF89a", "not a JPEG or PNG image"),
        (
            "half a JPEG",
            &jpeg[..jpeg.len() / 2],
            "cannot decode the JPEG image",
        ),
        (
            "a signature alone",
            b"\x89PNG\r\n\x1a\n",
            "cannot decode the PNG image",
        ),
    ] {
        let reply = post(
            &service,
            "multipart/form-data; boundary=x",
            &form("file", image),
        );
        assert_eq!(reply.status, 400, "{why}");
        assert!(reply.detail().contains(detail), "{why}: {}", reply.detail());
    }
    assert_still_serving(&service);
}

#[test]
fn images_larger_than_they_look_are_400() {
    let service = Service::start(&[]);
    for (why, image) in [
        ("100 megapixels of JPEG", jpeg_of_100_megapixels()),
        ("100 megapixels of PNG", png_of_100_megapixels()),
    ] {
        let reply = post(
            &service,
            "multipart/form-data; boundary=x",
            &form("file", &image),
        );
        assert_eq!(reply.status, 400, "{why}");
        let detail = reply.detail();
        assert!(
            detail.contains("10000×10000 pixels; at most"),
            "{why}: {detail}"
        );
    }
}

fn jpeg_of_100_megapixels() -> Vec<u8> {
    let mut jpeg = sample("glioma/glioma_1.jpg");
    let frame = jpeg
        .windows(2)
        .position(|marker| matches!(marker, [0xFF, 0xC0 | 0xC2]));
    let size = frame.expect("a frame header") + 5;
    jpeg[size..size + 4].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
    jpeg
}

/// A header and its checksum, and nothing behind it.
fn png_of_100_megapixels() -> Vec<u8> {
    const FILE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x27\x10\0\0\x27\x10\x08\0\0\0\0";
    let crc = !FILE[12..].iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    });
    [FILE, &crc.to_be_bytes(), b"\0\0\0\x04IDAT\0\0\0\0\0\0\0\0"].concat()
}

#[test]
fn a_form_without_a_file_is_422() {
    let service = Service::start(&[]);
    let form_type = "multipart/form-data; boundary=x";
    for (why, content_type, body, detail) in [
        (
            "another field",
            form_type,
            form("image", b"data"),
            "\"file\" is missing",
        ),
        (
            "an empty file",
            form_type,
            form("file", b""),
            "\"file\" is empty",
        ),
        (
            "no field",
            form_type,
            b"--x--\r\n".to_vec(),
            "\"file\" is missing",
        ),
        (
            "an empty body",
            form_type,
            Vec::new(),
            "multipart body is malformed",
        ),
        (
            "no multipart",
            "image/jpeg",
            b"data".to_vec(),
            "expected multipart/form-data",
        ),
        (
            "no boundary",
            "multipart/form-data",
            b"data".to_vec(),
            "expected multipart/form-data",
        ),
    ] {
        let reply = post(&service, content_type, &body);
        assert_eq!(reply.status, 422, "{why}");
        assert!(reply.detail().contains(detail), "{why}: {}", reply.detail());
    }
    assert_still_serving(&service);
}

#[test]
fn a_body_over_the_limit_is_413() {
    let service = Service::start(&["--max-body-bytes", "10000"]);
    let form_type = "multipart/form-data; boundary=x";
    let largest = form("file", &vec![b'a'; 10_000 - form("file", b"").len()]);
    assert_eq!(largest.len(), 10_000);
    assert_eq!(post(&service, form_type, &largest).status, 400);
    let reply = post(&service, form_type, &form("file", &[b'a'; 10_000]));
    assert_eq!(reply.status, 413);
    assert!(reply.detail().contains("10000 bytes"), "{}", reply.detail());
    // From the announcement alone: nothing of the body is sent.
    let reply = service.raw(post_head(9_999_999_999, "").as_bytes());
    assert_eq!(reply.status, 413);
}

#[test]
fn an_endless_body_is_cut_off() {
    let service = Service::start(&["--max-body-bytes", "100000"]);
    let mut connection = service.connect();
    connection.send(
        b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary=x\r\n\
          Transfer-Encoding: chunked\r\n\r\n",
    );
    let chunk = [&b"10000\r\n"[..], &[b'a'; 0x10000], b"\r\n"].concat();
    while connection.try_send(&chunk).is_ok() {}
    assert_eq!(connection.reply().status, 413);
    assert_still_serving(&service);
}

#[test]
fn a_body_that_does_not_come_is_408() {
    let service = Service::start(&["--body-timeout", "0.05"]);
    let mut connection = service.connect();
    connection.send(post_head(1_000, "").as_bytes());
    connection.send(b"--x\r\n");
    let reply = connection.reply();
    assert_eq!(reply.status, 408);
    assert_eq!(reply.detail(), "the body was not complete after 50ms");
}

#[test]
fn a_body_that_drips_is_408_however_steadily() {
    let service = Service::start(&["--body-timeout", "0.2"]);
    let mut connection = service.connect();
    connection.send(post_head(1_000_000, "").as_bytes());
    // Far longer than the limit, unless the service closes.
    let drips = (0..10_000).take_while(|_| {
        std::thread::sleep(std::time::Duration::from_millis(1));
        connection.try_send(b"-").is_ok()
    });
    assert!(drips.count() < 10_000, "the service has to stop listening");
    assert_eq!(connection.reply().status, 408);
    assert_still_serving(&service);
}

#[test]
fn a_head_that_does_not_come_ends_the_connection() {
    let service = Service::start(&["--idle-timeout", "0.05"]);
    let mut connection = service.connect();
    connection.send(b"GET /health HTTP/1.1\r\nHost: te");
    assert!(connection.is_closed());
}

#[test]
fn a_head_without_end_is_431() {
    let service = Service::start(&[]);
    let mut connection = service.connect();
    connection.send(b"GET /health HTTP/1.1\r\nHost: test\r\nX: ");
    // The service closes at its limit, so the rest may find nobody.
    let _ = connection.try_send(&[b'a'; 256 * 1024]);
    let head = connection.head();
    assert!(head.starts_with("http/1.1 431"), "{head}");
}

#[test]
fn a_full_queue_is_503_with_a_time_to_come_back() {
    let service = Service::start(&["--threads", "1", "--queue-length", "1"]);
    let body = form("file", &sample("glioma/glioma_1.jpg"));
    let request = [post_head(body.len(), "").as_bytes(), &body].concat();
    // More at once than one thread and one place can hold, until one is refused.
    let refused = (0..200).find_map(|_| {
        let mut connections: Vec<_> = (0..16).map(|_| service.connect()).collect();
        connections.iter_mut().for_each(|c| c.send(&request));
        let replies: Vec<Reply> = connections.iter_mut().map(|c| c.reply()).collect();
        let other = replies.iter().find(|r| ![200, 503].contains(&r.status));
        assert!(other.is_none(), "{other:?}");
        replies.into_iter().find(|reply| reply.status == 503)
    });
    let refused = refused.expect("one of 3,200 requests is refused");
    assert!(
        refused.head.contains("\r\nretry-after: 1\r\n"),
        "{}",
        refused.head
    );
    assert_eq!(refused.detail(), "the queue of images is full");
    assert_still_serving(&service);
}

#[test]
fn unknown_paths_and_methods_are_json_too() {
    let service = Service::start(&[]);
    for (request, status, detail) in [
        ("GET /nothing", 404, "there is nothing at /nothing"),
        ("POST /nothing", 404, "there is nothing at /nothing"),
        (
            "GET /retrain_status/%ff",
            404,
            "there is nothing at /retrain_status/%ff",
        ),
        ("GET /predict", 405, "/predict does not answer GET"),
        ("DELETE /health", 405, "/health does not answer DELETE"),
    ] {
        let reply = service.raw(format!("{request} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes());
        assert_eq!((reply.status, reply.detail()), (status, detail.to_owned()));
        assert_eq!(
            reply.head.contains("\r\nallow: "),
            status == 405,
            "{}",
            reply.head
        );
    }
}
