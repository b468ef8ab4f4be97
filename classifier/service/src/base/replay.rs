//! The replay set's file: laid out as a model's, with image files one after the other
//! where a model has its numbers.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use classifier_imaging::{Class, Split};
use classifier_model::{ArtifactError, container};
use serde::{Deserialize, Serialize};

use super::summary::Summary;

const MAGIC: &[u8; 8] = b"MRIREPLY";
/// A longer file is not read: a replay set is compact.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Some images of a folder, and a summary of all of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Replay {
    /// Of the folder that the images were chosen from.
    pub(crate) summary: Summary,
    pub(crate) members: Vec<Member>,
}

/// An image file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) class: Class,
    /// Training ones are learnt from; the others only judge what was learnt.
    pub(crate) split: Split,
    pub(crate) content: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    summary: Summary,
    members: Vec<MemberHeader>,
}

#[derive(Serialize, Deserialize)]
struct MemberHeader {
    class: Class,
    valid: bool,
    length: usize,
}

impl Replay {
    /// Reads a file.
    pub(crate) fn load(path: &Path) -> Result<Replay> {
        let read = || {
            let length = fs::metadata(path)?.len();
            if length > FILE_BYTES_MAX {
                bail!("{length} bytes; a replay set has at most {FILE_BYTES_MAX}");
            }
            Replay::from_bytes(&fs::read(path)?)
        };
        read().with_context(|| format!("cannot use the replay set {}", path.display()))
    }

    /// The file's bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let header = Header {
            summary: self.summary.clone(),
            members: self
                .members
                .iter()
                .map(|member| MemberHeader {
                    class: member.class,
                    valid: member.split == Split::Valid,
                    length: member.content.len(),
                })
                .collect(),
        };
        let content: Vec<&[u8]> = self.members.iter().map(|member| &*member.content).collect();
        container::seal(MAGIC, &header, &content)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Replay> {
        let (header, mut rest): (Header, _) =
            container::open(MAGIC, "replay set", FILE_BYTES_MAX as usize, bytes)?;
        let mut members = Vec::with_capacity(header.members.len());
        for member in header.members {
            let (content, after) = rest
                .split_at_checked(member.length)
                .ok_or(ArtifactError::Damaged)?;
            rest = after;
            members.push(Member {
                class: member.class,
                split: if member.valid {
                    Split::Valid
                } else {
                    Split::Train
                },
                content: content.to_vec(),
            });
        }
        Ok(Replay {
            summary: header.summary,
            members,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay() -> Replay {
        let member = |class, split, content: &[u8]| Member {
            class,
            split,
            content: content.to_vec(),
        };
        Replay {
            summary: Summary::default(),
            members: vec![
                member(Class::Glioma, Split::Train, b"first"),
                member(Class::NoTumor, Split::Valid, b"second, longer"),
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(Replay::from_bytes(&replay().to_bytes()).unwrap(), replay());
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_noticed() {
        let file = replay().to_bytes();
        for end in 0..file.len() {
            Replay::from_bytes(&file[..end]).unwrap_err();
        }
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 0x10;
            Replay::from_bytes(&damaged).unwrap_err();
        }
    }
}
