//! `classifier replay`: a compact choice of training images, for retraining elsewhere.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use classifier_imaging::{Class, Random, Split};

use super::output::say;
use crate::base::{Member, Place, Replay, Summary, entries, places, read_all};
use crate::parallel::thread_count;

/// Flags of `classifier replay`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// Folder with one subfolder of images for each class
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// CSV file with the columns file, label and split (train or valid); without it, images are
    /// divided so that near-duplicates stay together
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,
    /// File to write
    #[arg(long, value_name = "FILE", default_value = "models/brain-mri.replay")]
    out: PathBuf,
    /// Images of each class to learn from
    #[arg(long, value_name = "N", default_value_t = 96)]
    train_images: usize,
    /// Images of each class to judge by; none of them is learnt from
    #[arg(long, value_name = "N", default_value_t = 48)]
    valid_images: usize,
    /// Larger image files are passed over
    #[arg(long, value_name = "BYTES", default_value_t = 12 * 1024)]
    max_image_bytes: usize,
    /// Where the choice comes from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(args: &ReplayArgs) -> Result<()> {
    let entries = entries(&args.data, args.index.as_deref())?;
    let images = read_all(&entries, thread_count(None))?;
    let places = places(&entries, &images, args.seed);
    let mut summary = Summary::default();
    for (entry, image) in entries.iter().zip(&images) {
        summary.add(entry.class, image);
    }
    let mut order: Vec<usize> = (0..entries.len()).collect();
    Random::new(args.seed).shuffle(&mut order);
    let mut choice = Choice::new(args);
    let mut members = Vec::new();
    for i in order {
        let (entry, place) = (&entries[i], places[i]);
        if !choice.wants(entry.class, place) {
            continue;
        }
        let content = fs::read(&entry.path)
            .with_context(|| format!("cannot read {}", entry.path.display()))?;
        if content.len() <= args.max_image_bytes {
            choice.take(entry.class, place);
            members.push(Member {
                class: entry.class,
                split: place.split,
                content,
            });
        }
    }
    if members.is_empty() {
        bail!(
            "no image has at most {} bytes; raise --max-image-bytes",
            args.max_image_bytes
        );
    }
    let count = members.len();
    let bytes = Replay { summary, members }.to_bytes();
    fs::write(&args.out, &bytes).with_context(|| format!("cannot write {}", args.out.display()))?;
    let of = entries.len();
    let (path, length) = (args.out.display(), bytes.len());
    say(format_args!(
        "wrote {count} of {of} images to {path}, {length} bytes"
    ))
}

/// Which images are still wanted: so many of each class and split, and of
/// near-duplicates one.
struct Choice {
    left: [[usize; 2]; 4],
    groups: HashSet<usize>,
}

impl Choice {
    fn new(args: &ReplayArgs) -> Choice {
        Choice {
            left: [[args.train_images, args.valid_images]; 4],
            groups: HashSet::new(),
        }
    }

    fn wants(&mut self, class: Class, place: Place) -> bool {
        *self.left(class, place.split) > 0 && !self.groups.contains(&place.group)
    }

    fn take(&mut self, class: Class, place: Place) {
        *self.left(class, place.split) -= 1;
        self.groups.insert(place.group);
    }

    fn left(&mut self, class: Class, split: Split) -> &mut usize {
        &mut self.left[class.index()][usize::from(split == Split::Valid)]
    }
}
