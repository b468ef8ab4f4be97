//! Where in a picture the head is.
//!
//! The collections leave margins of very different width around it; without them the
//! network sees every head at about the same size, and in more of its pixels.

use serde::{Deserialize, Serialize};

use crate::decode::GreyImage;

/// How a head is told from the margin around it; percentages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CropRule {
    /// A pixel belongs to the head when it is brighter than this much of the way from
    /// the darkest to the brightest hundredth of all pixels.
    pub bright_percent: usize,
    /// A row or column belongs to the head when more than this many of its pixels do.
    pub filled_percent: usize,
    /// What stays around the head, as a share of its own extent.
    pub margin_percent: usize,
}

impl Default for CropRule {
    fn default() -> CropRule {
        CropRule {
            bright_percent: 12,
            filled_percent: 4,
            margin_percent: 3,
        }
    }
}

/// A part of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Area {
    /// All of `image`.
    pub(crate) fn whole(image: &GreyImage) -> Area {
        Area {
            left: 0,
            top: 0,
            width: image.width,
            height: image.height,
        }
    }
}

impl CropRule {
    /// Whether these are percentages; a file may hold anything.
    pub fn is_valid(&self) -> bool {
        [
            self.bright_percent,
            self.filled_percent,
            self.margin_percent,
        ]
        .iter()
        .all(|percent| *percent <= 100)
    }

    /// The head's area; all of the image when less than a quarter of its width or
    /// height would be left, since that is no head.
    pub(crate) fn area(&self, image: &GreyImage) -> Area {
        let (columns, rows) = self.bright_pixels(image);
        match (
            self.span(&columns, image.height),
            self.span(&rows, image.width),
        ) {
            (Some((left, width)), Some((top, height)))
                if 4 * width >= image.width && 4 * height >= image.height =>
            {
                Area {
                    left,
                    top,
                    width,
                    height,
                }
            }
            _ => Area::whole(image),
        }
    }

    /// How many bright pixels each column and each row has. Those next to the border
    /// do not count: some pictures have a frame drawn around them.
    fn bright_pixels(&self, image: &GreyImage) -> (Vec<u32>, Vec<u32>) {
        const FRAME: usize = 70;
        let (width, height) = (image.width, image.height);
        let (skip_x, skip_y) = (width / FRAME, height / FRAME);
        let threshold = self.threshold(&image.pixels);
        // Sides are far shorter than 2³² pixels, and small counters are quick to add to.
        let (mut columns, mut rows) = (vec![0u32; width], vec![0u32; height]);
        let inner = image.pixels.chunks_exact(width).zip(&mut rows);
        for (row, count) in inner.take(height - skip_y).skip(skip_y) {
            let row = &row[skip_x..width - skip_x];
            for (value, column) in row.iter().zip(&mut columns[skip_x..]) {
                *column += u32::from(*value > threshold);
            }
            *count = row.iter().map(|value| u32::from(*value > threshold)).sum();
        }
        (columns, rows)
    }

    fn threshold(&self, pixels: &[u8]) -> u8 {
        let counts = counts(pixels);
        let grey_of_rank = |rank: usize| {
            let mut up_to = 0;
            let reaches = |count: &u32| {
                up_to += *count as usize;
                up_to > rank
            };
            counts.iter().position(reaches).unwrap_or(255)
        };
        let hundredth = pixels.len() / 100;
        let dark = grey_of_rank(hundredth);
        let bright = grey_of_rank((pixels.len() - hundredth).saturating_sub(1));
        let rise = bright.saturating_sub(dark) * self.bright_percent / 100;
        (dark + rise).min(255) as u8
    }

    /// Where the first to the last filled line are, with the margin: start and extent.
    fn span(&self, counts: &[u32], across: usize) -> Option<(usize, usize)> {
        let filled = |count: &u32| *count as usize * 100 > across * self.filled_percent;
        let (first, last) = (
            counts.iter().position(filled)?,
            counts.iter().rposition(filled)?,
        );
        let margin = (last - first) * self.margin_percent / 100;
        let start = first.saturating_sub(margin);
        let end = (last + 1).saturating_add(margin).min(counts.len());
        Some((start, end - start))
    }
}

/// How many pixels have each value. Neighbours are counted apart, since they are often equal:
/// an addition that has to wait for the one before it takes several times as long.
fn counts(pixels: &[u8]) -> [u32; 256] {
    const APART: usize = 4;
    let mut counts = [[0u32; 256]; APART];
    let (groups, rest) = pixels.as_chunks::<APART>();
    for group in groups.iter().map(|group| &group[..]).chain([rest]) {
        for (value, counts) in group.iter().zip(&mut counts) {
            counts[usize::from(*value)] += 1;
        }
    }
    std::array::from_fn(|value| counts.iter().map(|counts| counts[value]).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey rectangle on a darker ground, 100×80 pixels.
    fn picture(ground: u8, head: Area) -> GreyImage {
        let inside = |x: usize, y: usize| {
            (head.left..head.left + head.width).contains(&x)
                && (head.top..head.top + head.height).contains(&y)
        };
        GreyImage {
            width: 100,
            height: 80,
            pixels: (0..8000)
                .map(|i| {
                    if inside(i % 100, i / 100) {
                        150
                    } else {
                        ground
                    }
                })
                .collect(),
        }
    }

    const HEAD: Area = Area {
        left: 20,
        top: 10,
        width: 51,
        height: 41,
    };

    #[test]
    fn every_pixel_is_counted_once() {
        for length in [1usize, 4, 7, 1_000] {
            let pixels: Vec<u8> = (0..length).map(|i| (i * i % 251) as u8).collect();
            let of = |value| pixels.iter().filter(|p| usize::from(**p) == value).count();
            let expected: Vec<usize> = (0..256).map(of).collect();
            assert_eq!(counts(&pixels).map(|count| count as usize), expected[..]);
        }
    }

    #[test]
    fn the_head_is_found_with_a_small_margin() {
        let rule = CropRule::default();
        let expected = Area {
            left: 19,
            top: 9,
            width: 53,
            height: 43,
        };
        for ground in [0, 20, 60] {
            assert_eq!(rule.area(&picture(ground, HEAD)), expected);
        }
    }

    #[test]
    fn a_frame_and_a_speck_are_no_head() {
        let mut image = picture(0, HEAD);
        image.pixels[..100].fill(255);
        image
            .pixels
            .chunks_exact_mut(100)
            .for_each(|row| row[99] = 255);
        image.pixels[78 * 100 + 50] = 255;
        assert_eq!(CropRule::default().area(&image).width, 53);
        assert_eq!(CropRule::default().area(&image).height, 43);
    }

    #[test]
    fn without_a_head_the_whole_picture_is_kept() {
        let rule = CropRule::default();
        let small = Area {
            width: 15,
            height: 15,
            ..HEAD
        };
        for image in [picture(9, small), picture(150, HEAD)] {
            assert_eq!(rule.area(&image), Area::whole(&image));
        }
        let pixel = GreyImage {
            width: 1,
            height: 1,
            pixels: vec![7],
        };
        assert_eq!(rule.area(&pixel), Area::whole(&pixel));
    }
}
