//! A request's head, as it goes over the wire. HOT: no allocation but for cookies.

use std::time::SystemTime;

use crate::cookies::push_pair;
use crate::job::Job;
use crate::request::Request;

/// Appends the head of `job`'s request.
pub(crate) fn write_head(out: &mut Vec<u8>, job: &Job) {
    let request = &job.request;
    let present = request.headers.present();
    push(
        out,
        &[
            request.method.as_bytes(),
            b" ",
            match request.asked_proxy() {
                Some(_) => request.target.url.as_bytes(),
                None => request.target.path().as_bytes(),
            },
            b" HTTP/1.1\r\n",
        ],
    );
    if !present.host {
        push(
            out,
            &[b"Host: ", request.target.host_header().as_bytes(), b"\r\n"],
        );
    }
    if let Some(authorization) = &request.authorization {
        push(
            out,
            &[b"Authorization: ", authorization.as_bytes(), b"\r\n"],
        );
    }
    let proxy = request.asked_proxy();
    if let Some(authorization) = proxy.and_then(|proxy| proxy.authorization.as_ref()) {
        push(
            out,
            &[b"Proxy-Authorization: ", authorization.as_bytes(), b"\r\n"],
        );
    }
    out.extend_from_slice(request.headers.lines());
    if let (Some(content_type), false) = (&request.content_type, present.content_type) {
        push(out, &[b"Content-Type: ", content_type.as_bytes(), b"\r\n"]);
    }
    if let (Some(length), false) = (content_length(request), present.content_length) {
        let mut digits = itoa::Buffer::new();
        push(
            out,
            &[
                b"Content-Length: ",
                digits.format(length).as_bytes(),
                b"\r\n",
            ],
        );
    }
    if !present.cookie {
        write_cookies(out, job);
    }
    out.extend_from_slice(b"\r\n");
}

/// Source of the rule: `prepare_content_length`, requests/models.py.
fn content_length(request: &Request) -> Option<usize> {
    match &request.body {
        _ if request.headers.present().transfer_encoding => None,
        Some(body) if !body.is_empty() => Some(body.len()),
        _ if matches!(&*request.method, "GET" | "HEAD") => None,
        _ => Some(0),
    }
}

fn write_cookies(out: &mut Vec<u8>, job: &Job) {
    let jar = job.session.jar();
    if jar.is_empty() && job.request.cookies.is_empty() {
        return;
    }
    let mut value = Vec::new();
    jar.write(&mut value, &job.request.target, SystemTime::now());
    for (name, cookie) in &job.request.cookies {
        push_pair(&mut value, name, cookie);
    }
    // A value from a server cannot have line ends; one from a locustfile could.
    if !value.is_empty() && !value.contains(&b'\n') && !value.contains(&b'\r') {
        push(out, &[b"Cookie: ", &value, b"\r\n"]);
    }
}

fn push(out: &mut Vec<u8>, pieces: &[&[u8]]) {
    for piece in pieces {
        out.extend_from_slice(piece);
    }
}
