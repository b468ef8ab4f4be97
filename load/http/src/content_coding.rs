//! Decompressing bodies, within a limit.

use std::io::{self, Read, Write};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::write;

use crate::error::HttpError;

/// What `Accept-Encoding` offers.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br";
/// Working memory of the brotli decoder's reader.
const BROTLI_BUFFER: usize = 4096;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Not at all, or in a way that is not known here and stays as it is.
    Identity,
    Gzip,
    Deflate,
    Brotli,
}

impl Coding {
    /// The coding that a `Content-Encoding` header names.
    pub(crate) fn named(value: &[u8]) -> Self {
        match value.trim_ascii().to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => Self::Gzip,
            b"deflate" => Self::Deflate,
            b"br" => Self::Brotli,
            _ => Self::Identity,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
        }
    }

    /// What Python's zlib says of the most usual mistake, and our decoder of others.
    fn in_zlibs_words(self, body: &[u8], error: &io::Error) -> String {
        if self == Self::Gzip && !b"\x1f\x8b".starts_with(&body[..body.len().min(2)]) {
            return "Error -3 while decompressing data: incorrect header check".to_owned();
        }
        error.to_string()
    }

    /// Decompresses `body`; the result may have `max` bytes.
    pub(crate) fn decode(self, body: &[u8], max: usize) -> Result<Vec<u8>, HttpError> {
        if body.is_empty() {
            return Ok(Vec::new());
        }
        let decoded = match self {
            Self::Identity => Ok(body.to_vec()),
            Self::Gzip => read_all(MultiGzDecoder::new(body), max),
            Self::Deflate => read_all(ZlibDecoder::new(body), max)
                .or_else(|_| read_all(DeflateDecoder::new(body), max)),
            Self::Brotli => read_all(brotli::Decompressor::new(body, BROTLI_BUFFER), max),
        };
        match decoded {
            Ok(decoded) if decoded.len() > max => Err(HttpError::TooLarge {
                what: "body, decompressed,",
                limit: max,
            }),
            Ok(decoded) => Ok(decoded),
            Err(error) => Err(HttpError::BadCoding {
                coding: self.name().to_owned(),
                reason: self.in_zlibs_words(body, &error),
            }),
        }
    }
}

/// Decompresses a body piece by piece.
pub(crate) enum Decoder {
    Identity,
    Gzip(write::MultiGzDecoder<Vec<u8>>),
    Deflate(write::ZlibDecoder<Vec<u8>>),
    Brotli(Box<brotli::DecompressorWriter<Vec<u8>>>),
}

impl Decoder {
    pub(crate) fn new(coding: Coding) -> Self {
        match coding {
            Coding::Identity => Self::Identity,
            Coding::Gzip => Self::Gzip(write::MultiGzDecoder::new(Vec::new())),
            Coding::Deflate => Self::Deflate(write::ZlibDecoder::new(Vec::new())),
            Coding::Brotli => Self::Brotli(Box::new(brotli::DecompressorWriter::new(
                Vec::new(),
                BROTLI_BUFFER,
            ))),
        }
    }

    /// What `piece` adds to the body.
    pub(crate) fn decode(&mut self, piece: &[u8]) -> Result<Vec<u8>, HttpError> {
        let (coding, decoded) = match self {
            Self::Identity => return Ok(piece.to_vec()),
            Self::Gzip(decoder) => (Coding::Gzip, feed(decoder, piece, |d| d.get_mut())),
            Self::Deflate(decoder) => (Coding::Deflate, feed(decoder, piece, |d| d.get_mut())),
            Self::Brotli(decoder) => (Coding::Brotli, feed(&mut **decoder, piece, |d| d.get_mut())),
        };
        decoded.map_err(|error| HttpError::BadCoding {
            coding: coding.name().to_owned(),
            reason: coding.in_zlibs_words(piece, &error),
        })
    }
}

/// Decoders have no form to show.
impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decoder")
    }
}

fn feed<D: Write>(
    decoder: &mut D,
    piece: &[u8],
    out: impl FnOnce(&mut D) -> &mut Vec<u8>,
) -> io::Result<Vec<u8>> {
    decoder.write_all(piece)?;
    decoder.flush()?;
    Ok(std::mem::take(out(decoder)))
}

/// At most one byte more than `max`.
fn read_all(decoder: impl Read, max: usize) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    decoder.take(max as u64 + 1).read_to_end(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    fn encoded(mut encoder: impl Read) -> Vec<u8> {
        let mut out = Vec::new();
        encoder
            .read_to_end(&mut out)
            .expect("memory to compress in");
        out
    }

    #[test]
    fn every_offered_coding_is_decoded() {
        let text = b"hello, hello, hello";
        let level = Compression::default();
        for (coding, bytes) in [
            ("gzip", encoded(GzEncoder::new(&text[..], level))),
            ("deflate", encoded(ZlibEncoder::new(&text[..], level))),
            ("Deflate", encoded(DeflateEncoder::new(&text[..], level))),
            (
                "br",
                encoded(brotli::CompressorReader::new(&text[..], 4096, 5, 22)),
            ),
            ("other", text.to_vec()),
        ] {
            let coding = Coding::named(coding.as_bytes());
            assert_eq!(
                coding.decode(&bytes, 100).as_deref(),
                Ok(&text[..]),
                "{coding:?}"
            );
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = encoded(GzEncoder::new(
            io::repeat(0).take(50_000_000),
            Compression::default(),
        ));
        let refused = Coding::Gzip.decode(&bomb, 1000);
        assert!(matches!(
            refused,
            Err(HttpError::TooLarge { limit: 1000, .. })
        ));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli] {
                let _ = coding.decode(&bytes, 1000);
            }
        }
    }
}
