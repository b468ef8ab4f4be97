//! Train and validation images that have nothing to do with each other.
//!
//! MRI collections are full of near-duplicates: neighbouring slices, re-encodings,
//! copies mirrored or upside down. One of them in training and another in validation would
//! flatter the score, so a group of near-duplicates always stays together.

use std::collections::BTreeMap;

use crate::decode::GreyImage;
use crate::preprocess::resize;
use crate::random::Random;

/// Where an image belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The network learns from it.
    Train,
    /// It is kept to measure what the network learnt.
    Valid,
}

const SIDE: usize = 32;
/// Correlation of thumbnails above which two images count as near-duplicates.
const NEAR: f32 = 0.97;

/// A 32×32 view of an image with mean 0 and length 1, to compare images by.
#[derive(Clone, Debug)]
pub struct Thumbnail(Vec<f32>);

impl Thumbnail {
    /// The thumbnail of `image`.
    pub fn new(image: &GreyImage) -> Thumbnail {
        let mut values: Vec<f32> = resize(image, SIDE).into_iter().map(f32::from).collect();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        values.iter_mut().for_each(|v| *v -= mean);
        let length = values.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-6);
        values.iter_mut().for_each(|v| *v /= length);
        Thumbnail(values)
    }

    /// The largest correlation with `other`, as it is or mirrored left to right, top to
    /// bottom, or both; -1 to 1.
    fn correlation(&self, other: &Thumbnail) -> f32 {
        let rows = || self.0.chunks_exact(SIDE);
        let others = || other.0.chunks_exact(SIDE);
        let straight = rows().zip(others());
        let upside_down = rows().zip(others().rev());
        correlation_of_rows(straight).max(correlation_of_rows(upside_down))
    }
}

/// Summed products of paired rows, the second ones mirrored or not, whichever is larger.
fn correlation_of_rows<'a>(pairs: impl Iterator<Item = (&'a [f32], &'a [f32])>) -> f32 {
    let (mut straight, mut mirrored) = (0.0, 0.0);
    for (a, b) in pairs {
        straight += a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        mirrored += a
            .iter()
            .zip(b.iter().rev())
            .map(|(x, y)| x * y)
            .sum::<f32>();
    }
    straight.max(mirrored)
}

/// A group number for each image: near-duplicates, and their near-duplicates, share one.
///
/// Compares every pair, so the cost grows with the square of the count: about four
/// seconds for 5,000 images.
pub fn group_near_duplicates(thumbnails: &[Thumbnail]) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..thumbnails.len()).collect();
    for i in 0..thumbnails.len() {
        for j in 0..i {
            if thumbnails[i].correlation(&thumbnails[j]) > NEAR {
                let (a, b) = (root(&mut parent, i), root(&mut parent, j));
                parent[a.max(b)] = a.min(b);
            }
        }
    }
    (0..parent.len()).map(|i| root(&mut parent, i)).collect()
}

fn root(parent: &mut [usize], mut i: usize) -> usize {
    while parent[i] != i {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    i
}

/// A split of each image such that no group stands on both sides and about
/// `valid_share` (0.0 to 1.0) of the images are for validation.
pub fn split_by_group(groups: &[usize], valid_share: f32, seed: u64) -> Vec<Split> {
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    for group in groups {
        *sizes.entry(*group).or_default() += 1;
    }
    let mut order: Vec<usize> = sizes.keys().copied().collect();
    Random::new(seed).shuffle(&mut order);
    let wanted = (groups.len() as f32 * valid_share).round() as usize;
    let mut taken = 0;
    let mut valid = std::collections::BTreeSet::new();
    for group in order {
        if taken + sizes[&group] <= wanted {
            taken += sizes[&group];
            valid.insert(group);
        }
    }
    let side = |group| {
        if valid.contains(group) {
            Split::Valid
        } else {
            Split::Train
        }
    };
    groups.iter().map(side).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(seed: u64) -> GreyImage {
        let mut random = Random::new(seed);
        let pixels = (0..64 * 64).map(|_| random.below(256) as u8).collect();
        GreyImage {
            width: 64,
            height: 64,
            pixels,
        }
    }

    #[test]
    fn copies_brighter_and_mirrored_and_upside_down_ones_share_a_group() {
        let original = image(1);
        let mut mirrored = original.clone();
        mirrored
            .pixels
            .chunks_exact_mut(64)
            .for_each(<[u8]>::reverse);
        let mut brighter = original.clone();
        brighter.pixels.iter_mut().for_each(|p| *p = *p / 2 + 100);
        let mut turned = original.clone();
        turned.pixels.reverse();
        let mut upside_down = turned.clone();
        upside_down
            .pixels
            .chunks_exact_mut(64)
            .for_each(<[u8]>::reverse);
        let all = [
            original,
            image(2),
            mirrored,
            brighter,
            image(3),
            turned,
            upside_down,
        ]
        .map(|i| Thumbnail::new(&i));
        assert_eq!(group_near_duplicates(&all), [0, 1, 0, 0, 4, 0, 0]);
    }

    #[test]
    fn no_group_is_torn_and_the_share_is_met() {
        let groups: Vec<usize> = (0..1000).map(|i| i / 3).collect();
        let splits = split_by_group(&groups, 0.15, 9);
        for (i, j) in (0..1000).zip(1..1000) {
            assert!(groups[i] != groups[j] || splits[i] == splits[j]);
        }
        let valid = splits.iter().filter(|s| **s == Split::Valid).count();
        assert!((147..=150).contains(&valid), "{valid}");
        assert_eq!(splits, split_by_group(&groups, 0.15, 9));
    }
}
