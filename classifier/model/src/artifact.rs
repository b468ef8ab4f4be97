//! The model file: weights, labels, preprocessing and origin, together.

use std::path::Path;

use classifier_imaging::{Class, CropRule, Preprocessing};
use serde::{Deserialize, Serialize};

use crate::container::{self, ArtifactError};
use crate::network::{Architecture, Network, Weights};

const MAGIC: &[u8; 8] = b"MRIMODEL";

/// Everything that a model file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    /// Such as `v1`.
    pub version: String,
    /// The network's shape.
    pub architecture: Architecture,
    /// What images go through before the network reads them.
    pub preprocessing: Preprocessing,
    /// Divides the network's outputs, so that confidences mean what they say.
    pub temperature: f32,
    /// Where the weights come from.
    pub training: TrainingRecord,
    /// The numbers.
    pub weights: Weights,
}

/// Where a model's weights come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// Day of the training's end, such as `2026-01-31`.
    pub date: String,
    /// The seed that everything random in it came from.
    pub seed: u64,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images trained on.
    pub train_images: usize,
    /// Images kept for validation.
    pub valid_images: usize,
    /// Share of the validation images judged right, 0.0 to 1.0.
    pub valid_accuracy: f64,
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: String,
    labels: Vec<Class>,
    preprocessing: Preprocessing,
    architecture: Architecture,
    temperature: f32,
    training: TrainingRecord,
}

impl ModelFile {
    /// An untrained network: to test what surrounds a model, before there is one.
    pub fn untrained(architecture: Architecture, seed: u64) -> ModelFile {
        ModelFile {
            version: "untrained".to_owned(),
            weights: Network::new(&architecture).initial_weights(seed),
            preprocessing: Preprocessing::new(architecture.side),
            architecture,
            temperature: 1.0,
            training: TrainingRecord::default(),
        }
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = Header {
            version: self.version.clone(),
            labels: Class::ALL.to_vec(),
            preprocessing: self.preprocessing.clone(),
            architecture: self.architecture.clone(),
            temperature: self.temperature,
            training: self.training.clone(),
        };
        let numbers = [&self.weights.parameters[..], &self.weights.statistics];
        container::encode(MAGIC, &header, &numbers)
    }

    /// Reads a file's bytes back.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`] when they are no model file, damaged, or not understood.
    pub fn from_bytes(bytes: &[u8]) -> Result<ModelFile, ArtifactError> {
        let (header, mut numbers): (Header, _) = container::decode(MAGIC, "model", bytes)?;
        header.architecture.check()?;
        let fits = header.labels == Class::ALL
            && header.preprocessing.side == header.architecture.side
            && header
                .preprocessing
                .crop
                .as_ref()
                .is_none_or(CropRule::is_valid)
            && header.temperature.is_finite()
            && header.temperature > 0.0;
        if !fits {
            return Err(ArtifactError::Labels);
        }
        let network = Network::new(&header.architecture);
        let expected = network.parameters + network.statistics;
        if numbers.len() != expected {
            let found = numbers.len();
            return Err(ArtifactError::Count { found, expected });
        }
        if !numbers.iter().all(|number| number.is_finite()) {
            return Err(ArtifactError::NotFinite);
        }
        let statistics = numbers.split_off(network.parameters);
        Ok(ModelFile {
            version: header.version,
            architecture: header.architecture,
            preprocessing: header.preprocessing,
            temperature: header.temperature,
            training: header.training,
            weights: Weights {
                parameters: numbers,
                statistics,
            },
        })
    }

    /// Reads a model file.
    ///
    /// # Errors
    ///
    /// As [`ModelFile::from_bytes`], and when the file cannot be read.
    pub fn load(path: &Path) -> Result<ModelFile, ArtifactError> {
        ModelFile::from_bytes(&container::read(path)?)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Write`].
    pub fn save(&self, path: &Path) -> Result<(), ArtifactError> {
        container::write(path, &self.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> ModelFile {
        let architecture = Architecture {
            side: 16,
            widths: vec![2],
            blocks: vec![1],
        };
        ModelFile::untrained(architecture, 4)
    }

    #[test]
    fn a_model_survives_its_file() {
        let model = ModelFile {
            version: "v7".to_owned(),
            temperature: 0.8,
            ..small()
        };
        assert_eq!(ModelFile::from_bytes(&model.to_bytes()).unwrap(), model);
    }

    #[test]
    fn an_older_file_without_a_crop_is_read_as_whole_pictures() {
        let preprocessing: Preprocessing = serde_json::from_str(r#"{"side":160}"#).unwrap();
        assert_eq!(preprocessing.crop, None);
        let whole = ModelFile {
            preprocessing: Preprocessing {
                side: 16,
                crop: None,
            },
            ..small()
        };
        let read = ModelFile::from_bytes(&whole.to_bytes()).unwrap();
        assert_eq!(read.preprocessing.crop, None);
    }

    #[test]
    fn foreign_and_mismatched_files_are_told_apart() {
        let error = ModelFile::from_bytes(b"PK\x03\x04 something else").unwrap_err();
        assert_eq!(error.to_string(), "not a model file");
        let mut short = small();
        short.weights.statistics.pop();
        let error = ModelFile::from_bytes(&short.to_bytes()).unwrap_err();
        assert!(matches!(error, ArtifactError::Count { .. }), "{error}");
        let cold = ModelFile {
            temperature: 0.0,
            ..small()
        };
        let error = ModelFile::from_bytes(&cold.to_bytes()).unwrap_err();
        assert!(matches!(error, ArtifactError::Labels), "{error}");
        let mut lost = small();
        lost.weights.parameters[3] = f32::NAN;
        let error = ModelFile::from_bytes(&lost.to_bytes()).unwrap_err();
        assert!(matches!(error, ArtifactError::NotFinite), "{error}");
        let mut excessive = small();
        excessive.preprocessing.crop = Some(CropRule {
            filled_percent: 101,
            ..CropRule::default()
        });
        let error = ModelFile::from_bytes(&excessive.to_bytes()).unwrap_err();
        assert!(matches!(error, ArtifactError::Labels), "{error}");
        let mut impossible = small();
        impossible.architecture.side = 17;
        let error = ModelFile::from_bytes(&impossible.to_bytes()).unwrap_err();
        assert!(matches!(error, ArtifactError::Shape(_)), "{error}");
    }
}
