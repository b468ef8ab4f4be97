//! The layout that models, checkpoints and other files beside them share.
//!
//! Eight bytes of magic, the header's length (u32, little endian), a JSON header, the
//! content (of models and checkpoints: f32, little endian), and the SHA-256 of
//! everything before it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::network::ShapeError;

const MAGIC_LENGTH: usize = 8;
const DIGEST_LENGTH: usize = 32;
/// No header of ours comes near it; a damaged length field would.
const HEADER_LENGTH_MAX: usize = 64 * 1024;
/// Above any network that an architecture of the allowed shapes is used for.
const FILE_LENGTH_MAX: u64 = 1 << 30;

/// Why a model or checkpoint file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It does not begin like a file of this kind.
    #[error("not a {expected} file")]
    Foreign {
        /// What was expected: such as `model`.
        expected: &'static str,
    },
    /// It ends early, or some of it changed since it was written.
    #[error("the file is damaged or cut off: its checksum does not match")]
    Damaged,
    /// Written by another version of this program.
    #[error("the file's header cannot be understood; was it written by another version?")]
    Header(#[source] serde_json::Error),
    /// The header describes a network that cannot be built.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Made for other classes, or for images prepared in another way.
    #[error("the model was made for other classes or other preprocessing")]
    Labels,
    /// A weight is infinite or not a number.
    #[error("the model's weights are not all numbers: its training went wrong")]
    NotFinite,
    /// The header and the numbers do not belong together.
    #[error("the file holds {found} numbers where its network has {expected}")]
    Count {
        /// Numbers in the file.
        found: usize,
        /// Numbers that the described network has.
        expected: usize,
    },
}

/// The bytes of a file with `header` and `numbers`.
pub(crate) fn encode(
    magic: &[u8; MAGIC_LENGTH],
    header: &impl Serialize,
    numbers: &[&[f32]],
) -> Vec<u8> {
    let numbers = numbers.iter().copied().flatten();
    let content: Vec<u8> = numbers.flat_map(|number| number.to_le_bytes()).collect();
    seal(magic, header, &[&content])
}

/// The bytes of a file with `header` and `content`.
pub fn seal(magic: &[u8; MAGIC_LENGTH], header: &impl Serialize, content: &[&[u8]]) -> Vec<u8> {
    let header = serde_json::to_vec(header).expect("headers are plain data");
    let mut bytes = magic.to_vec();
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(header);
    content.iter().for_each(|part| bytes.extend(*part));
    let digest = Sha256::digest(&bytes);
    bytes.extend(digest);
    bytes
}

/// Header and numbers of a file, once its checksum is found right.
pub(crate) fn decode<H: DeserializeOwned>(
    magic: &[u8; MAGIC_LENGTH],
    kind: &'static str,
    bytes: &[u8],
) -> Result<(H, Vec<f32>), ArtifactError> {
    let (header, content) = open(magic, kind, HEADER_LENGTH_MAX, bytes)?;
    let (numbers, _) = content.as_chunks::<4>();
    let numbers = numbers.iter().map(|n| f32::from_le_bytes(*n)).collect();
    Ok((header, numbers))
}

/// Header and content of a file, once its checksum is found right. `kind` is what
/// messages call it; a header longer than `header_max` bytes counts as damage.
///
/// # Errors
///
/// [`ArtifactError`] when it is another file, damaged, or of another version.
pub fn open<'a, H: DeserializeOwned>(
    magic: &[u8; MAGIC_LENGTH],
    kind: &'static str,
    header_max: usize,
    bytes: &'a [u8],
) -> Result<(H, &'a [u8]), ArtifactError> {
    if !bytes.starts_with(magic) {
        return Err(ArtifactError::Foreign { expected: kind });
    }
    let (content, digest) = bytes
        .len()
        .checked_sub(DIGEST_LENGTH)
        .map(|end| bytes.split_at(end))
        .ok_or(ArtifactError::Damaged)?;
    if Sha256::digest(content)[..] != *digest {
        return Err(ArtifactError::Damaged);
    }
    let rest = content.get(MAGIC_LENGTH..).ok_or(ArtifactError::Damaged)?;
    let (length, rest) = rest
        .split_first_chunk::<4>()
        .ok_or(ArtifactError::Damaged)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > header_max.min(rest.len()) {
        return Err(ArtifactError::Damaged);
    }
    let (header, content) = rest.split_at(length);
    let header = serde_json::from_slice(header).map_err(ArtifactError::Header)?;
    Ok((header, content))
}

/// The whole file, unless it is absurdly large.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ArtifactError> {
    let failed = |source| ArtifactError::Read {
        path: path.to_owned(),
        source,
    };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > FILE_LENGTH_MAX {
        return Err(ArtifactError::Damaged);
    }
    fs::read(path).map_err(failed)
}

/// Writes the file whole or not at all: beside it first, then renamed over it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".partial");
    let written = fs::File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|source| ArtifactError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: &[u8; 8] = b"TESTFILE";

    fn file() -> Vec<u8> {
        encode(MAGIC, &("name", 7), &[&[1.5, -2.0], &[3.0]])
    }

    #[test]
    fn what_is_written_is_read_back() {
        let (header, numbers): ((String, u32), _) = decode(MAGIC, "test", &file()).unwrap();
        assert_eq!(
            (header, numbers),
            (("name".to_owned(), 7), vec![1.5, -2.0, 3.0])
        );
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_noticed() {
        let file = file();
        for end in 0..file.len() {
            decode::<(String, u32)>(MAGIC, "test", &file[..end]).unwrap_err();
        }
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 0x10;
            decode::<(String, u32)>(MAGIC, "test", &damaged).unwrap_err();
        }
    }

    #[test]
    fn a_length_beyond_the_file_is_no_panic() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(u32::MAX.to_le_bytes());
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        let error = decode::<()>(MAGIC, "test", &bytes).unwrap_err();
        assert!(matches!(error, ArtifactError::Damaged));
    }
}
