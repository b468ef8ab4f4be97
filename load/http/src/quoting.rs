//! Percent signs in URLs.
//!
//! Source of the rules: `requote_uri` of requests 2; RFC 3986, section 2.

use std::fmt::Write as _;

/// `text` with what is quoted in it as it was before.
pub(crate) fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        match (first, hex_pair(others)) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &others[2..];
            }
            _ => {
                out.push(*first);
                rest = others;
            }
        }
    }
    out
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let pair = std::str::from_utf8(bytes.get(..2)?).ok()?;
    u8::from_str_radix(pair, 16)
        .ok()
        .filter(|_| pair.bytes().all(|c| c.is_ascii_hexdigit()))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Appends `text`, with everything quoted that may not stand in a URL, and
/// nothing quoted twice.
pub(crate) fn quote(out: &mut String, text: &str) {
    let allowed = |byte: u8| is_unreserved(byte) || b"!#$&'()*+,/:;=?@[]".contains(&byte);
    if text.bytes().all(allowed) {
        out.push_str(text);
        return;
    }
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        if *first == b'%' {
            match hex_pair(others) {
                Some(byte) if is_unreserved(byte) => out.push(char::from(byte)),
                Some(byte) => {
                    let _ = write!(out, "%{byte:02X}");
                }
                None => {
                    out.push_str("%25");
                    continue;
                }
            }
            rest = &others[2..];
        } else if allowed(*first) {
            out.push(char::from(*first));
        } else {
            let _ = write!(out, "%{first:02X}");
        }
    }
}
