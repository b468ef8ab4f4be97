//! From a grey image of any size to the numbers that the network reads.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use serde::{Deserialize, Serialize};

use crate::crop::{Area, CropRule};
use crate::decode::GreyImage;

/// What the network expects; travels with its weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// Width and height of the network's input, in pixels.
    pub side: usize,
    /// What is cut off before; nothing for models of before this was done.
    #[serde(default)]
    pub crop: Option<CropRule>,
}

impl Preprocessing {
    /// What training prepares images with, for a network that reads `side` pixels.
    pub fn new(side: usize) -> Preprocessing {
        Preprocessing {
            side,
            crop: Some(CropRule::default()),
        }
    }
}

/// The network's input for `image`: `side * side` numbers, row by row.
pub fn preprocess(image: &GreyImage, preprocessing: &Preprocessing) -> Vec<f32> {
    let mut values: Vec<f32> = frame(image, preprocessing)
        .into_iter()
        .map(f32::from)
        .collect();
    normalise(&mut values);
    values
}

/// The head alone, stretched to the network's square: what training makes variants of.
pub fn frame(image: &GreyImage, preprocessing: &Preprocessing) -> Vec<u8> {
    let area = area_of(image, preprocessing);
    resize_area(image, area, preprocessing.side)
}

/// The part of `image` that the network sees: left edge, top edge, width and height, as
/// shares of the image's width and height (0.0 to 1.0).
pub fn framed_part(image: &GreyImage, preprocessing: &Preprocessing) -> [f64; 4] {
    let area = area_of(image, preprocessing);
    let (width, height) = (image.width as f64, image.height as f64);
    [
        area.left as f64 / width,
        area.top as f64 / height,
        area.width as f64 / width,
        area.height as f64 / height,
    ]
}

fn area_of(image: &GreyImage, preprocessing: &Preprocessing) -> Area {
    match &preprocessing.crop {
        Some(rule) => rule.area(image),
        None => Area::whole(image),
    }
}

/// The whole image stretched to a square of `side` pixels, averaged where it shrinks.
pub fn resize(image: &GreyImage, side: usize) -> Vec<u8> {
    resize_area(image, Area::whole(image), side)
}

/// The aspect ratio is given up on purpose: heads fill the square, whatever their shape.
fn resize_area(image: &GreyImage, area: Area, side: usize) -> Vec<u8> {
    if area == Area::whole(image) && (area.width, area.height) == (side, side) {
        return image.pixels.clone();
    }
    let [left, top, width, height] =
        [area.left, area.top, area.width, area.height].map(|length| length as f64);
    let source = ImageRef::new(
        image.width as u32,
        image.height as u32,
        &image.pixels,
        PixelType::U8,
    )
    .expect("a grey image has width * height pixels");
    let mut target = Image::new(side as u32, side as u32, PixelType::U8);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
        .crop(left, top, width, height);
    Resizer::new()
        .resize(&source, &mut target, &options)
        .expect("both images are 8-bit grey and not empty");
    target.into_vec()
}

/// Shifts and scales pixel values (0 to 255) to mean 0 and about deviation 1.
///
/// Each image by its own mean and deviation, so that brightness and contrast of
/// the scanner do not matter. The constant keeps the noise of a blank image small.
pub fn normalise(values: &mut [f32]) {
    let count = values.len() as f32;
    let mean = sum(values, |v| v) / count;
    let variance = sum(values, |v| (v - mean) * (v - mean)) / count;
    let factor = 1.0 / (variance.sqrt() + 4.0);
    for value in values {
        *value = (*value - mean) * factor;
    }
}

/// The sum of what `of` makes of each value; several partial sums are quicker than one, and
/// nearer to the truth.
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; 32];
    let (groups, rest) = values.as_chunks::<32>();
    for group in groups {
        for (sum, value) in sums.iter_mut().zip(group) {
            *sum += of(*value);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|value| of(*value)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> GreyImage {
        let pixels = (0..width * height)
            .map(|i| (i % width * 255 / width) as u8)
            .collect();
        GreyImage {
            width,
            height,
            pixels,
        }
    }

    #[test]
    fn any_size_becomes_the_networks_size() {
        for (width, height) in [(1, 1), (1, 900), (160, 160), (512, 380), (2000, 3)] {
            let values = preprocess(&ramp(width, height), &Preprocessing::new(160));
            assert_eq!(values.len(), 160 * 160);
            assert!(values.iter().all(|v| v.is_finite()));
        }
    }

    #[test]
    fn brightness_and_contrast_hardly_matter() {
        let image = ramp(200, 200);
        let dimmed = GreyImage {
            pixels: image.pixels.iter().map(|p| p / 2 + 20).collect(),
            ..image.clone()
        };
        let side = Preprocessing::new(64);
        let (a, b) = (preprocess(&image, &side), preprocess(&dimmed, &side));
        let largest = a
            .iter()
            .zip(&b)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(largest < 0.1, "{largest}");
    }

    #[test]
    fn the_framed_part_is_all_of_an_image_without_a_margin() {
        for preprocessing in [
            Preprocessing::new(8),
            Preprocessing {
                side: 8,
                crop: None,
            },
        ] {
            assert_eq!(framed_part(&ramp(90, 60), &preprocessing)[1], 0.0);
        }
        let mut pixels = vec![0; 100 * 50];
        for row in pixels.chunks_exact_mut(100).skip(10).take(30) {
            row[40..90].fill(200);
        }
        let image = GreyImage {
            width: 100,
            height: 50,
            pixels,
        };
        let [left, top, width, height] = framed_part(&image, &Preprocessing::new(8));
        // The head and a margin of 3 % of it.
        assert!((0.38..=0.4).contains(&left) && (0.5..=0.54).contains(&width));
        assert!((0.16..=0.2).contains(&top) && (0.6..=0.68).contains(&height));
    }

    #[test]
    fn a_blank_image_gives_zeros() {
        let blank = GreyImage {
            width: 9,
            height: 9,
            pixels: vec![17; 81],
        };
        assert!(
            preprocess(&blank, &Preprocessing::new(8))
                .iter()
                .all(|v| *v == 0.0)
        );
    }
}
