//! Pictures of four textures, and a small network to learn them: a retraining in seconds.

use std::path::{Path, PathBuf};

use classifier_imaging::{Class, Random};
use classifier_model::{Architecture, ModelFile};

use crate::support::program;

const SIDE: usize = 64;

/// A PNG file of the class's texture; every seed is another picture.
pub(crate) fn picture(class: Class, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let pixels: Vec<u8> = (0..SIDE * SIDE)
        .map(|i| {
            let (y, x) = (i / SIDE, i % SIDE);
            let bright = match class {
                Class::Glioma => y % 16 < 8,
                Class::Meningioma => x % 16 < 8,
                Class::Pituitary => (20..44).contains(&y) && (20..44).contains(&x),
                Class::NoTumor => (x + y) % 2 == 0,
            };
            (30 + 80 * usize::from(bright) + random.below(140)) as u8
        })
        .collect();
    png_of(SIDE, &pixels)
}

/// A square grey PNG file.
pub(crate) fn png_of(side: usize, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side as u32, side as u32);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(pixels).expect("pixels");
    writer.finish().expect("an end");
    file
}

/// A folder with what a service needs to retrain in seconds: an untrained model of four
/// textures, a replay set of them, and a store.
pub(crate) struct Workshop(tempfile::TempDir);

impl Workshop {
    pub(crate) fn new() -> Workshop {
        Workshop::of(Architecture {
            side: 32,
            widths: vec![6, 8],
            blocks: vec![1, 1],
        })
    }

    /// One whose network is as large as the shipped one: an epoch takes over a second.
    pub(crate) fn slow() -> Workshop {
        Workshop::of(Architecture::default())
    }

    fn of(architecture: Architecture) -> Workshop {
        let workshop = Workshop(tempfile::tempdir().expect("a folder"));
        let model = ModelFile {
            version: "v1".to_owned(),
            ..ModelFile::untrained(architecture, 1)
        };
        model.save(&workshop.model()).expect("a model file");
        let images = workshop.0.path().join("images");
        for class in Class::ALL {
            let folder = images.join(class.short_name());
            std::fs::create_dir_all(&folder).expect("a folder");
            for seed in 0..24 {
                let picture = picture(class, 1_000 * class.index() as u64 + seed);
                std::fs::write(folder.join(format!("{seed}.png")), picture).expect("a file");
            }
        }
        let made = program()
            .arg("replay")
            .arg("--data")
            .arg(&images)
            .arg("--out")
            .arg(workshop.0.path().join("small.replay"))
            .output()
            .expect("the program runs");
        assert!(made.status.success(), "{made:?}");
        let said = String::from_utf8(made.stdout).expect("text");
        assert!(said.starts_with("wrote 96 of 96 images to "), "{said}");
        workshop
    }

    /// The replay set is beside it, under the same name.
    pub(crate) fn model(&self) -> PathBuf {
        self.0.path().join("small.model")
    }

    /// Another model file, untrained too, with the same replay set beside it.
    pub(crate) fn newer_model(&self) -> PathBuf {
        let (path, first) = (self.0.path().join("newer.model"), self.model());
        let first = ModelFile::load(&first).expect("a model file");
        let newer = ModelFile {
            version: "v2".to_owned(),
            ..ModelFile::untrained(first.architecture, 2)
        };
        newer.save(&path).expect("a model file");
        let replay = self.model().with_extension("replay");
        std::fs::copy(replay, path.with_extension("replay")).expect("a copy");
        path
    }

    pub(crate) fn images(&self) -> PathBuf {
        self.0.path().join("images")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }
}

/// The name of a file.
pub(crate) fn name_of(path: &Path) -> String {
    let name = path.file_name().expect("a name");
    name.to_string_lossy().into_owned()
}
