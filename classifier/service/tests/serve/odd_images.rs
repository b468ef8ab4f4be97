//! Images of unusual kinds: read for what they show, or refused with a reason.

use serde_json::Value;

use crate::support::{Service, repository, sample};

fn predict(service: &Service, image: &[u8]) -> (u16, Value) {
    let (status, reply, _) = service.post("file", image);
    (status, reply)
}

/// A PNG file of a kind; `data` as its rows.
fn png(side: u32, color: png::ColorType, depth: png::BitDepth, data: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette((0..=255).flat_map(|grey| [grey; 3]).collect::<Vec<u8>>());
    }
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(data).expect("pixels");
    writer.finish().expect("an end");
    file
}

/// Two frames; the first is the default image.
fn animated(side: u32, first: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_animated(2, 0).expect("two frames");
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(first).expect("a frame");
    writer
        .write_image_data(&vec![0; first.len()])
        .expect("a frame");
    writer.finish().expect("an end");
    file
}

#[test]
fn the_same_picture_is_judged_the_same_in_every_kind_of_file() {
    let service = Service::start(&[]);
    let jpeg = sample("meningioma/meningioma_1.jpg");
    let image = classifier_imaging::decode(&jpeg, &classifier_imaging::Limits::default());
    let image = image.expect("a JPEG");
    assert_eq!(image.width, image.height);
    let (side, grey) = (image.width as u32, &image.pixels);
    let sixteen: Vec<u8> = grey.iter().flat_map(|grey| [*grey; 2]).collect();
    let rgb: Vec<u8> = grey.iter().flat_map(|grey| [*grey; 3]).collect();
    let opaque: Vec<u8> = grey.iter().flat_map(|grey| [*grey, 255]).collect();
    let (status, expected) = predict(&service, &jpeg);
    assert_eq!(status, 200, "{expected}");
    use png::{BitDepth, ColorType};
    for (why, file) in [
        (
            "grey",
            png(side, ColorType::Grayscale, BitDepth::Eight, grey),
        ),
        (
            "16 bits",
            png(side, ColorType::Grayscale, BitDepth::Sixteen, &sixteen),
        ),
        ("colour", png(side, ColorType::Rgb, BitDepth::Eight, &rgb)),
        (
            "a palette",
            png(side, ColorType::Indexed, BitDepth::Eight, grey),
        ),
        (
            "transparency",
            png(side, ColorType::GrayscaleAlpha, BitDepth::Eight, &opaque),
        ),
        ("animated", animated(side, grey)),
        ("a JPEG said to be rotated", with_orientation(&jpeg)),
    ] {
        let (status, reply) = predict(&service, &file);
        assert_eq!(status, 200, "{why}: {reply}");
        assert_eq!(reply["probabilities"], expected["probabilities"], "{why}");
    }
}

/// A JPEG with an EXIF header that asks viewers for a quarter turn. It is not followed: the
/// collections' images are as their scanner wrote them, and the network was taught so.
fn with_orientation(jpeg: &[u8]) -> Vec<u8> {
    let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let length = (exif.len() + 2) as u16;
    [
        &jpeg[..2],
        &[0xFF, 0xE1],
        &length.to_be_bytes(),
        exif,
        &jpeg[2..],
    ]
    .concat()
}

#[test]
fn inks_are_read_as_colours() {
    let service = Service::start(&[]);
    let cmyk =
        std::fs::read(repository("classifier/service/tests/serve/cmyk.jpg")).expect("a file");
    let (status, reply) = predict(&service, &cmyk);
    assert_eq!(status, 200, "{reply}");
}

#[test]
fn one_pixel_is_an_image_and_text_is_none() {
    let service = Service::start(&[]);
    let pixel = png(1, png::ColorType::Grayscale, png::BitDepth::Eight, &[200]);
    let (status, reply) = predict(&service, &pixel);
    assert_eq!(status, 200, "{reply}");
    let sum: f64 = reply["probabilities"]
        .as_object()
        .expect("an object")
        .values()
        .filter_map(Value::as_f64)
        .sum();
    assert!((sum - 1.0).abs() < 0.001, "{reply}");
    let (status, reply) = predict(&service, b"this is text, whatever its name says");
    assert_eq!(
        (status, &reply["detail"]),
        (400, &"field \"file\": not a JPEG or PNG image".into())
    );
}

/// Decompression bombs: small files that would become large.
#[test]
fn small_files_of_many_pixels_are_refused_before_they_take_memory() {
    let service = Service::start(&["--max-image-pixels", "1000000"]);
    let side = 4000;
    let blank = png(
        side,
        png::ColorType::Grayscale,
        png::BitDepth::One,
        &vec![0; 4000 * 500],
    );
    assert!(blank.len() < 20_000, "{}", blank.len());
    let (status, reply) = predict(&service, &blank);
    assert_eq!(status, 400);
    let said = reply["detail"].as_str().expect("a message");
    assert!(said.contains("4000×4000 pixels; at most"), "{said}");
    // A text that would unpack to far more than an image of these few pixels needs.
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 64, 64);
    encoder.set_color(png::ColorType::Grayscale);
    encoder
        .add_ztxt_chunk("Comment".to_owned(), "a".repeat(200_000_000))
        .expect("a text");
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&[9; 64 * 64]).expect("pixels");
    writer.finish().expect("an end");
    let before = service.peak_kib();
    let (status, reply) = predict(&service, &file);
    assert!(status == 200 || status == 400, "{reply}");
    let added = service.peak_kib() - before;
    assert!(added < 50_000, "{added} KiB for a picture of 64×64");
}
