//! JPEG and PNG bytes to grey pixels, within limits that hold before memory is taken.

use std::io::Cursor;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// An 8-bit grey image, row by row; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyImage {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` values, 0 black to 255 white.
    pub pixels: Vec<u8>,
}

/// How large an image may be. Read from its header, before any pixel is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest side, in pixels.
    pub max_side: usize,
    /// Width times height.
    pub max_pixels: usize,
}

impl Default for Limits {
    /// 8,192 pixels a side and 25 megapixels: above any scanner's, and at most 250 MB
    /// while one image is decoded (a progressive JPEG of four colours; a PNG takes 100 MB).
    fn default() -> Limits {
        Limits {
            max_side: 8_192,
            max_pixels: 25_000_000,
        }
    }
}

/// Why bytes did not become an image.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Neither JPEG nor PNG, whatever the file is called.
    #[error("not a JPEG or PNG image")]
    NotAnImage,
    /// The header announces more pixels than allowed.
    #[error(
        "image is {width}×{height} pixels; at most {max_side} a side and {max_pixels} in all are accepted"
    )]
    TooLarge {
        /// Announced width, in pixels.
        width: usize,
        /// Announced height, in pixels.
        height: usize,
        /// The limit on each side.
        max_side: usize,
        /// The limit on their product.
        max_pixels: usize,
    },
    /// The file is cut off, corrupt, or of a kind that cannot be read.
    #[error("cannot decode the {format} image: {reason}")]
    Corrupt {
        /// `JPEG` or `PNG`.
        format: &'static str,
        /// The decoder's own words.
        reason: String,
    },
}

impl Limits {
    fn check(&self, width: usize, height: usize) -> Result<(), DecodeError> {
        let fits = width.max(height) <= self.max_side && width * height <= self.max_pixels;
        if fits {
            return Ok(());
        }
        Err(DecodeError::TooLarge {
            width,
            height,
            max_side: self.max_side,
            max_pixels: self.max_pixels,
        })
    }
}

/// Decodes a JPEG or PNG file to grey; which of the two, its first bytes tell.
///
/// Colour becomes its luma, transparency becomes black, 16 bits become 8, and of
/// an animated PNG the default image counts.
///
/// # Errors
///
/// [`DecodeError`], with a sentence for whoever sent the image.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<GreyImage, DecodeError> {
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        decode_jpeg(bytes, limits)
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        decode_png(bytes, limits)
    } else {
        Err(DecodeError::NotAnImage)
    }
}

fn decode_jpeg(bytes: &[u8], limits: &Limits) -> Result<GreyImage, DecodeError> {
    let corrupt = |reason: String| DecodeError::Corrupt {
        format: "JPEG",
        reason,
    };
    // The decoder's own limits stay above what a JPEG header can say, so that
    // ours is the one that speaks.
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(65_536)
        .set_max_height(65_536);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| corrupt(told(&e)))?;
    let info = decoder
        .info()
        .ok_or_else(|| corrupt("no image in it".to_owned()))?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    limits.check(width, height)?;
    // Four components are inks, which the decoder turns into colours only.
    let space = if info.components == 4 {
        ColorSpace::RGB
    } else {
        ColorSpace::Luma
    };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let decoded = decoder.decode().map_err(|e| corrupt(told(&e)))?;
    let pixels = if space == ColorSpace::RGB {
        decoded.chunks_exact(3).map(luma).collect()
    } else {
        decoded
    };
    if pixels.is_empty() || pixels.len() != width * height {
        return Err(corrupt("fewer pixels than announced".to_owned()));
    }
    Ok(GreyImage {
        width,
        height,
        pixels,
    })
}

/// What the JPEG decoder says, on one line.
fn told(error: &zune_jpeg::errors::DecodeErrors) -> String {
    format!("{error:?}").trim_end().to_owned()
}

fn decode_png(bytes: &[u8], limits: &Limits) -> Result<GreyImage, DecodeError> {
    let corrupt = |reason: png::DecodingError| DecodeError::Corrupt {
        format: "PNG",
        reason: reason.to_string(),
    };
    let mut decoder = png::Decoder::new_with_limits(
        Cursor::new(bytes),
        png::Limits {
            bytes: limits.max_pixels.saturating_mul(8),
        },
    );
    // They may unpack to far more than the image, and say nothing about it.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let header = decoder.read_header_info().map_err(corrupt)?;
    let (width, height) = (header.width as usize, header.height as usize);
    limits.check(width, height)?;
    let mut reader = decoder.read_info().map_err(corrupt)?;
    let size = reader.output_buffer_size().unwrap_or(0);
    let mut buffer = vec![0; size];
    let frame = reader.next_frame(&mut buffer).map_err(corrupt)?;
    let samples = &buffer[..frame.buffer_size()];
    let pixels = match frame.color_type {
        png::ColorType::Grayscale | png::ColorType::Indexed => samples.to_vec(),
        png::ColorType::GrayscaleAlpha => samples
            .chunks_exact(2)
            .map(|p| over_black(p[0], p[1]))
            .collect(),
        png::ColorType::Rgb => samples.chunks_exact(3).map(luma).collect(),
        png::ColorType::Rgba => samples
            .chunks_exact(4)
            .map(|p| over_black(luma(&p[..3]), p[3]))
            .collect(),
    };
    Ok(GreyImage {
        width,
        height,
        pixels,
    })
}

/// Brightness of a colour, with JPEG's weights (ITU-R BT.601).
fn luma(rgb: &[u8]) -> u8 {
    let weighted = 299 * u32::from(rgb[0]) + 587 * u32::from(rgb[1]) + 114 * u32::from(rgb[2]);
    ((weighted + 500) / 1000) as u8
}

fn over_black(grey: u8, alpha: u8) -> u8 {
    ((u32::from(grey) * u32::from(alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn png_file(
        width: u32,
        height: u32,
        color: png::ColorType,
        depth: png::BitDepth,
        data: &[u8],
    ) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == png::ColorType::Indexed {
            encoder.set_palette(vec![0, 0, 0, 255, 255, 255]);
        }
        encoder
            .write_header()
            .unwrap()
            .write_image_data(data)
            .unwrap();
        file
    }

    fn sample_jpeg() -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/glioma");
        let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
        std::fs::read(file.path()).unwrap()
    }

    #[test]
    fn every_kind_of_png_becomes_grey() {
        use png::BitDepth::{Eight, Sixteen};
        use png::ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
        for (why, color, depth, data, expected) in [
            ("grey", Grayscale, Eight, &[7][..], 7),
            ("16 bits", Grayscale, Sixteen, &[200, 9], 200),
            ("transparent is black", GrayscaleAlpha, Eight, &[255, 0], 0),
            ("green", Rgb, Eight, &[0, 255, 0], 150),
            (
                "half transparent white",
                Rgba,
                Eight,
                &[255, 255, 255, 128],
                128,
            ),
            ("palette", Indexed, Eight, &[1], 255),
        ] {
            let image = decode(&png_file(1, 1, color, depth, data), &Limits::default()).unwrap();
            assert_eq!(image.pixels, [expected], "{why}");
        }
    }

    #[test]
    fn a_real_jpeg_is_decoded_and_every_cut_of_it_refused() {
        let file = sample_jpeg();
        let image = decode(&file, &Limits::default()).unwrap();
        assert_eq!(image.pixels.len(), image.width * image.height);
        for end in [0, 2, 3, 20, 200, file.len() / 2] {
            decode(&file[..end], &Limits::default()).unwrap_err();
        }
    }

    #[test]
    fn what_is_not_an_image_is_refused_by_its_content() {
        for bytes in [&b""[..], b"data", b"GIF89a", b"<html>"] {
            let error = decode(bytes, &Limits::default()).unwrap_err();
            assert_eq!(error.to_string(), "not a JPEG or PNG image");
        }
    }

    #[test]
    fn a_huge_image_is_refused_from_its_header() {
        let mut file = png_file(1, 1, png::ColorType::Grayscale, png::BitDepth::Eight, &[0]);
        file[16..24].copy_from_slice(&[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10]); // 10,000 × 10,000
        let crc = crc32(&file[12..29]);
        file[29..33].copy_from_slice(&crc.to_be_bytes());
        let error = decode(&file, &Limits::default()).unwrap_err();
        assert!(
            matches!(
                error,
                DecodeError::TooLarge {
                    width: 10_000,
                    height: 10_000,
                    ..
                }
            ),
            "{error}"
        );
        let mut jpeg = sample_jpeg();
        let frame = jpeg
            .windows(2)
            .position(|w| w == [0xFF, 0xC0] || w == [0xFF, 0xC2])
            .unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
        let error = decode(&jpeg, &Limits::default()).unwrap_err();
        assert!(
            matches!(error, DecodeError::TooLarge { width: 10_000, .. }),
            "{error}"
        );
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| {
                if c & 1 == 1 {
                    (c >> 1) ^ 0xEDB8_8320
                } else {
                    c >> 1
                }
            })
        })
    }

    proptest! {
        #[test]
        fn damaged_files_never_panic(at in 0usize..4000, value: u8, png in any::<bool>()) {
            let mut file = if png {
                png_file(8, 8, png::ColorType::Rgb, png::BitDepth::Eight, &[9; 192])
            } else {
                sample_jpeg()
            };
            let at = at % file.len();
            file[at] = value;
            let _ = decode(&file, &Limits::default());
        }

        #[test]
        fn garbage_behind_a_signature_never_panics(tail: Vec<u8>, png in any::<bool>()) {
            let head = if png { &b"\x89PNG\r\n\x1a\n"[..] } else { &[0xFF, 0xD8, 0xFF][..] };
            let _ = decode(&[head, &tail].concat(), &Limits::default());
        }
    }
}
