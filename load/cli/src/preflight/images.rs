//! Whether the images that lie beside a locustfile are there, and are images.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Finding;

/// Folders that test images are usually in.
const FOLDERS: [&str; 4] = ["samples", "images", "test_images", "testdata"];
/// How deep folders of classes are looked into, and the most files that are.
const DEPTH_MAX: usize = 3;
const FILES_MAX: usize = 10_000;
/// What images end in, and what their files begin with.
const KINDS: [(&[&str], &[u8]); 2] = [
    (&["jpg", "jpeg"], b"\xff\xd8\xff"),
    (&["png"], b"\x89PNG\r\n\x1a\n"),
];

/// A line for each of the usual folders that is there; none if a locustfile has none.
pub(super) fn look(locustfiles: &str) -> Vec<Finding> {
    let mut folders: Vec<PathBuf> = locustfiles
        .split(',')
        .map(|file| beside(Path::new(file.trim())))
        .flat_map(|folder| FOLDERS.map(|name| folder.join(name)))
        .filter(|folder| folder.is_dir())
        .collect();
    folders.sort();
    folders.dedup();
    folders.iter().map(|folder| judge(folder)).collect()
}

/// The folder that a locustfile is in, or that is meant by its name.
fn beside(locustfile: &Path) -> PathBuf {
    if locustfile.is_dir() {
        return locustfile.to_owned();
    }
    let folder = locustfile
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn judge(folder: &Path) -> Finding {
    let shown = folder.strip_prefix(".").unwrap_or(folder).display();
    let mut images = Vec::new();
    gather(folder, DEPTH_MAX, &mut images);
    let broken: Vec<_> = images
        .iter()
        .filter(|(path, magic)| !begins_with(path, magic))
        .collect();
    match (images.len(), broken.first()) {
        (0, _) => Finding::note(format!("{shown} has no images")),
        (count, None) => Finding::good(format!("{count} images are in {shown}")),
        (count, Some((first, _))) => Finding::bad(format!(
            "{} of {count} images in {shown} are none, the first is {}",
            broken.len(),
            first.display()
        )),
    }
}

/// Every file that is called like an image, with what it has to begin with.
fn gather(folder: &Path, depth: usize, images: &mut Vec<(PathBuf, &'static [u8])>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if images.len() >= FILES_MAX {
            return;
        }
        if path.is_dir() && depth > 1 {
            gather(&path, depth - 1, images);
        } else if let Some(magic) = magic_of(&path) {
            images.push((path, magic));
        }
    }
}

fn magic_of(path: &Path) -> Option<&'static [u8]> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    let kind = KINDS
        .iter()
        .find(|(endings, _)| endings.contains(&&*ending));
    kind.map(|(_, magic)| *magic)
}

fn begins_with(path: &Path, magic: &[u8]) -> bool {
    let mut begin = vec![0; magic.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == magic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_counted_and_what_is_none_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let locustfile = folder.path().join("locustfile.py").display().to_string();
        assert_eq!(look(&locustfile), [], "a test without images needs none");
        let samples = folder.path().join("samples");
        fs::create_dir_all(samples.join("glioma")).expect("a folder");
        assert!(
            look(&locustfile)[0]
                .to_string()
                .ends_with("samples has no images")
        );
        fs::write(samples.join("glioma/a.JPG"), b"\xff\xd8\xff\xe0...").expect("a file");
        fs::write(samples.join("b.png"), b"\x89PNG\r\n\x1a\n...").expect("a file");
        fs::write(samples.join("README.md"), "about").expect("a file");
        let found = look(&format!("{locustfile}, {}", folder.path().display()));
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("ok    2 images are in "));
        fs::write(
            samples.join("c.jpg"),
            "version https://git-lfs.github.com/spec/v1",
        )
        .expect("a file");
        fs::write(samples.join("d.png"), "").expect("a file");
        let found = look(&locustfile)[0].to_string();
        assert!(
            found.starts_with("FAIL  2 of 4 images in ") && found.ends_with("samples/c.jpg"),
            "{found}"
        );
    }
}
