//! Flags of `classifier serve` about what it keeps and learns from.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};
use classifier_imaging::Limits;

use crate::api::UploadLimits;
use crate::base::{Base, Summary, read_index};
use crate::parallel::thread_count;
use crate::priority::step_back;

use super::place::PlaceArgs;
use super::serve::{byte_count, count};

#[derive(Debug, clap::Args)]
pub(crate) struct KeepArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Folder of images that retraining mixes uploads with, instead of the replay set
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// CSV file that says how that folder is divided
    #[arg(long, value_name = "FILE", requires = "data")]
    index: Option<PathBuf>,
    /// Replay set [default: beside the model, with the ending .replay]
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    replay: Option<PathBuf>,
    /// Threads that retrain, at the lowest priority [default: half the cores]
    #[arg(long, value_name = "N", value_parser = count)]
    retrain_threads: Option<usize>,
    /// Retraining jobs that may wait; one more is answered with 503
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = count)]
    pub(crate) retrain_queue: usize,
    /// Longest upload of training images, in bytes; each of them --max-body-bytes at most
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024 * 1024, value_parser = byte_count)]
    pub(crate) max_upload_bytes: usize,
    /// Most images in one upload
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = count)]
    max_upload_files: usize,
    /// All uploads together, in megabytes on disk; beyond it uploads are answered with 507
    #[arg(long, value_name = "MB", default_value_t = 10_000, value_parser = count)]
    max_stored_mb: usize,
}

impl KeepArgs {
    /// Where base images come from; `None` if there are none, which only matters to
    /// who retrains.
    pub(crate) fn base(&self, model: &Path) -> Result<Option<Base>> {
        if let Some(folder) = &self.data {
            if !folder.is_dir() {
                bail!(
                    "there is no folder {}; name one with --data",
                    folder.display()
                );
            }
            // Read again when it is needed: it may change meanwhile.
            if let Some(index) = &self.index {
                read_index(folder, index)?;
            }
            return Ok(Some(Base::Folder {
                folder: folder.clone(),
                index: self.index.clone(),
            }));
        }
        let beside = model.with_extension("replay");
        match &self.replay {
            Some(path) if !path.exists() => bail!(
                "there is no replay set {}; make one with 'classifier replay'",
                path.display()
            ),
            Some(path) => Ok(Some(Base::Replay(path.clone()))),
            None => Ok(beside.exists().then_some(Base::Replay(beside))),
        }
    }

    pub(crate) fn retrain_threads(&self) -> usize {
        self.retrain_threads
            .unwrap_or_else(|| (thread_count(None) / 2).max(1))
    }

    pub(crate) fn upload_limits(&self, file_bytes_max: usize, image: Limits) -> UploadLimits {
        UploadLimits {
            request_bytes_max: self.max_upload_bytes,
            file_bytes_max,
            files_max: self.max_upload_files,
            stored_bytes_max: self.max_stored_mb as u64 * 1_000_000,
            image,
        }
    }
}

/// What the base images look like: known at once of a replay set, and found out in the
/// background of a folder, where a broken image is only reported.
pub(crate) fn summarise(base: Option<&Base>) -> Result<Arc<OnceLock<Summary>>> {
    let summary = Arc::new(OnceLock::new());
    match base {
        None => {}
        Some(base @ Base::Replay(_)) => {
            let known = base.summary()?;
            summary.get_or_init(|| known);
        }
        Some(base) => {
            let (base, found) = (base.clone(), Arc::clone(&summary));
            std::thread::Builder::new()
                .name("base-summary".to_owned())
                .spawn(move || {
                    step_back();
                    match base.summary() {
                        Ok(summary) => drop(found.set(summary)),
                        Err(error) => eprintln!("classifier: looking through --data: {error:#}"),
                    }
                })
                .context("cannot start a thread")?;
        }
    }
    Ok(summary)
}
