//! Percent signs in URLs.
//!
//! Source of the rules: `requote_uri` of requests 2 and, before it, `parse_url` of urllib3 2; RFC 3986, section 2.

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

/// Appends `text`, a path or a query, with everything quoted that may not stand in a URL, and
/// nothing quoted twice: unless each percent sign in it quotes something, none of them does.
pub(crate) fn quote(out: &mut String, text: &str) {
    let allowed = |byte: u8| is_unreserved(byte) || b"!$&'()*+,/:;=?@".contains(&byte);
    if text.bytes().all(allowed) {
        out.push_str(text);
        return;
    }
    let is_quoted = text
        .split('%')
        .skip(1)
        .all(|after| hex_pair(after.as_bytes()).is_some());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        match (first, hex_pair(others)) {
            (b'%', Some(byte)) => {
                if !is_quoted {
                    let _ = write!(out, "%25{byte:02X}");
                } else if is_unreserved(byte) {
                    out.push(char::from(byte));
                } else {
                    let _ = write!(out, "%{byte:02X}");
                }
                rest = &others[2..];
            }
            (byte, _) if allowed(*byte) => out.push(char::from(*byte)),
            (byte, _) => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}
