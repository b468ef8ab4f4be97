//! Labelled images on disk: `DIR/CLASS/*.jpg|jpeg|png`, or as an index lists them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use classifier_imaging::{
    Class, GreyImage, Limits, Split, Thumbnail, decode, group_near_duplicates, split_by_group,
};

/// Images beyond this many are refused: all of them have to fit in memory.
const IMAGES_MAX: usize = 200_000;
/// An image file longer than this is not read.
const FILE_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// Share of the images that is kept for validation where no index says so.
const VALID_SHARE: f32 = 0.14;

/// A labelled image that has not been read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    pub(crate) class: Class,
    /// `train`, `valid` or whatever the index calls it; `None` without an index.
    pub(crate) split: Option<String>,
    /// What the index calls its group of near-duplicates; `None` where it does not say.
    pub(crate) group: Option<String>,
}

/// What training has to know about an image besides its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) split: Split,
    /// Near-duplicates share a number.
    pub(crate) group: usize,
}

/// Every image below `folder`, in the order of their paths.
pub(crate) fn scan(folder: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for class_folder in sorted_children(folder)? {
        if !class_folder.is_dir() {
            continue;
        }
        let name = class_folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        let class: Class = name
            .parse()
            .with_context(|| format!("{} is not named after a class", class_folder.display()))?;
        let images = sorted_children(&class_folder)?
            .into_iter()
            .filter(|path| is_image(path));
        entries.extend(images.map(|path| Entry {
            path,
            class,
            split: None,
            group: None,
        }));
    }
    if entries.is_empty() {
        bail!(
            "no images in {}: expected subfolders named after the classes (Glioma, Meningioma, Pituitary, \
             No_Tumor) with .jpg, .jpeg or .png files",
            folder.display()
        );
    }
    bounded(entries)
}

/// The images that a CSV index lists; its columns `file`, `label`, `split`
/// and, where there is one, `group` are used.
pub(crate) fn read_index(folder: &Path, index: &Path) -> Result<Vec<Entry>> {
    let text =
        fs::read_to_string(index).with_context(|| format!("cannot read {}", index.display()))?;
    let entries = parse_index(folder, &text).with_context(|| format!("in {}", index.display()))?;
    if entries.is_empty() {
        bail!("{} lists no images", index.display());
    }
    bounded(entries)
}

fn parse_index(folder: &Path, text: &str) -> Result<Vec<Entry>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let column = |name| {
        header
            .iter()
            .position(|column| column.trim() == name)
            .with_context(|| format!("no column {name:?} in the first line"))
    };
    let (file, label, split) = (column("file")?, column("label")?, column("split")?);
    let group = header.iter().position(|column| column.trim() == "group");
    let parse_line = |(number, line): (usize, &str)| -> Result<Entry> {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        if fields.len() != header.len() {
            bail!(
                "line {} has {} fields, expected {}",
                number + 2,
                fields.len(),
                header.len()
            );
        }
        Ok(Entry {
            path: folder.join(fields[file]),
            class: fields[label]
                .parse()
                .with_context(|| format!("line {}", number + 2))?,
            split: Some(fields[split].to_owned()),
            group: group.map(|group| fields[group].to_owned()),
        })
    };
    lines
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(parse_line)
        .collect()
}

/// Reads and decodes one image.
pub(crate) fn read_image(path: &Path) -> Result<GreyImage> {
    let length = fs::metadata(path).context("cannot be read")?.len();
    if length > FILE_BYTES_MAX {
        bail!("{length} bytes; at most {FILE_BYTES_MAX} are read");
    }
    let bytes = fs::read(path).context("cannot be read")?;
    Ok(decode(&bytes, &Limits::default())?)
}

/// Split and group of each image: as the index says or, where it does not, found by
/// comparing the images; near-duplicates then stay on one side. Deterministic.
pub(crate) fn places(entries: &[Entry], images: &[GreyImage], seed: u64) -> Vec<Place> {
    let groups = named_groups(entries).unwrap_or_else(|| {
        let thumbnails: Vec<Thumbnail> = images.iter().map(Thumbnail::new).collect();
        group_near_duplicates(&thumbnails)
    });
    let splits =
        named_splits(entries).unwrap_or_else(|| split_by_group(&groups, VALID_SHARE, seed));
    splits
        .into_iter()
        .zip(groups)
        .map(|(split, group)| Place { split, group })
        .collect()
}

fn named_splits(entries: &[Entry]) -> Option<Vec<Split>> {
    let side = |name: &str| {
        if name == "train" {
            Split::Train
        } else {
            Split::Valid
        }
    };
    entries
        .iter()
        .map(|entry| entry.split.as_deref().map(side))
        .collect()
}

/// Groups numbered in the order of their first image.
fn named_groups(entries: &[Entry]) -> Option<Vec<usize>> {
    let mut numbers = HashMap::new();
    let mut number = |name| {
        let next = numbers.len();
        *numbers.entry(name).or_insert(next)
    };
    entries
        .iter()
        .map(|entry| entry.group.as_deref().map(&mut number))
        .collect()
}

fn bounded(entries: Vec<Entry>) -> Result<Vec<Entry>> {
    if entries.len() > IMAGES_MAX {
        bail!(
            "{} images; at most {IMAGES_MAX} are handled at once",
            entries.len()
        );
    }
    Ok(entries)
}

fn sorted_children(folder: &Path) -> Result<Vec<PathBuf>> {
    let children = fs::read_dir(folder).and_then(|children| {
        children
            .map(|child| child.map(|c| c.path()))
            .collect::<Result<Vec<_>, _>>()
    });
    let mut children = children.with_context(|| format!("cannot list {}", folder.display()))?;
    children.sort();
    Ok(children)
}

fn is_image(path: &Path) -> bool {
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    matches!(extension.as_str(), "jpg" | "jpeg" | "png")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_are_found_class_by_class() {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
        let entries = scan(&samples).unwrap();
        assert_eq!(entries.len(), 12);
        for class in Class::ALL {
            assert_eq!(
                entries.iter().filter(|entry| entry.class == class).count(),
                3,
                "{class}"
            );
        }
        read_image(&entries[0].path).unwrap();
    }

    #[test]
    fn an_index_may_order_its_columns_as_it_likes() {
        let text = "split,file,group,label\ntrain,a/1.jpg,7,no tumor\n\nvalid,b/2.png,8,Glioma\n";
        let entries = parse_index(Path::new("/d"), text).unwrap();
        assert_eq!(entries[0].path, Path::new("/d/a/1.jpg"));
        assert_eq!(
            (entries[0].class, entries[1].class),
            (Class::NoTumor, Class::Glioma)
        );
        assert_eq!(entries[1].split.as_deref(), Some("valid"));
        let places = places(&entries, &[], 1);
        assert_eq!(
            places[0],
            Place {
                split: Split::Train,
                group: 0
            }
        );
        assert_eq!(
            places[1],
            Place {
                split: Split::Valid,
                group: 1
            }
        );
    }

    #[test]
    fn a_broken_index_says_where() {
        for (text, expected) in [
            ("file,label\n", "split"),
            ("file,label,split\na.jpg,cat,train\n", "line 2"),
            (
                "file,label,split\na.jpg\n",
                "line 2 has 1 fields, expected 3",
            ),
        ] {
            let error = format!("{:#}", parse_index(Path::new(""), text).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_folder_without_images_is_an_error_that_says_what_to_do() {
        let empty = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/glioma");
        let error = scan(&empty).unwrap_err().to_string();
        assert!(
            error.contains("subfolders named after the classes"),
            "{error}"
        );
    }
}
