//! The images that a model was made from: what retraining mixes uploads with.
//!
//! Either the whole folder of them, where it is on the machine, or the *replay set*
//! that is shipped beside the model: a few hundred of them in one file.

mod dataset;
mod replay;
mod summary;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use classifier_imaging::{Class, GreyImage, Limits, Split, decode};
use serde::{Deserialize, Serialize};

pub(crate) use dataset::{Entry, Place, places, read_image, read_index, scan};
pub(crate) use replay::{Member, Replay};
pub(crate) use summary::{ClassSummary, Summary, brightness, by_class};

use crate::parallel::parallel;

/// Where base images come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Base {
    /// A replay set's file.
    Replay(PathBuf),
    /// A folder of images, and the index of it if there is one.
    Folder {
        folder: PathBuf,
        index: Option<PathBuf>,
    },
}

/// A base image, ready to be prepared for a network.
pub(crate) struct BaseImage {
    pub(crate) image: GreyImage,
    pub(crate) class: Class,
    pub(crate) split: Split,
}

impl Base {
    /// Every image, decoded on `threads` threads.
    pub(crate) fn images(&self, threads: usize, seed: u64) -> Result<Vec<BaseImage>> {
        match self {
            Base::Replay(path) => replay_images(path, threads),
            Base::Folder { folder, index } => {
                let entries = entries(folder, index.as_deref())?;
                let images = read_all(&entries, threads)?;
                let places = places(&entries, &images, seed);
                let both = entries.iter().zip(images).zip(places);
                Ok(both
                    .map(|((entry, image), place)| BaseImage {
                        image,
                        class: entry.class,
                        split: place.split,
                    })
                    .collect())
            }
        }
    }

    /// How many there are of each class, and how they look. Reads every image of a folder;
    /// a replay set knows it of the folder that it was made from.
    pub(crate) fn summary(&self) -> Result<Summary> {
        match self {
            Base::Replay(path) => Ok(Replay::load(path)?.summary),
            Base::Folder { folder, index } => {
                let entries = entries(folder, index.as_deref())?;
                let mut summary = Summary::default();
                for entry in &entries {
                    let image = read_image(&entry.path)
                        .with_context(|| format!("cannot use {}", entry.path.display()))?;
                    summary.add(entry.class, &image);
                }
                Ok(summary)
            }
        }
    }
}

/// As the index lists them, or else as the folder is divided.
pub(crate) fn entries(folder: &Path, index: Option<&Path>) -> Result<Vec<Entry>> {
    match index {
        Some(index) => read_index(folder, index),
        None => scan(folder),
    }
}

/// Every image of `entries`, in their order.
pub(crate) fn read_all(entries: &[Entry], threads: usize) -> Result<Vec<GreyImage>> {
    let read = |(): &mut (), i: usize| -> Result<GreyImage> {
        let path = &entries[i].path;
        read_image(path).with_context(|| format!("cannot use {}", path.display()))
    };
    parallel(entries.len(), threads, read).into_iter().collect()
}

fn replay_images(path: &Path, threads: usize) -> Result<Vec<BaseImage>> {
    let replay = Replay::load(path)?;
    let read = |(): &mut (), i: usize| -> Result<BaseImage> {
        let Member {
            class,
            split,
            content,
        } = &replay.members[i];
        let image = decode(content, &Limits::default())
            .with_context(|| format!("image {} of {}", i + 1, path.display()))?;
        Ok(BaseImage {
            image,
            class: *class,
            split: *split,
        })
    };
    parallel(replay.members.len(), threads, read)
        .into_iter()
        .collect()
}
