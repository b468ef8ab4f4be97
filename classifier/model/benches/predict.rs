//! The shipped model's shape on one core: an image alone, and images in company.
//! Run: `cargo bench -p classifier-model --bench predict`.

use classifier_imaging::{GreyImage, Limits, decode, preprocess};
use classifier_model::{Architecture, Classifier, ModelFile, Scratch};

fn main() {
    divan::main();
}

fn sample() -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../samples/pituitary/pituitary_3.jpg"
    );
    std::fs::read(path).expect("a sample image")
}

fn image() -> GreyImage {
    decode(&sample(), &Limits::default()).expect("a JPEG")
}

fn classifier() -> Classifier {
    Classifier::from_file(&ModelFile::untrained(Architecture::default(), 1))
}

#[divan::bench(args = [1, 2, 4, 8], sample_count = 100)]
fn predict(bencher: divan::Bencher, images: usize) {
    let classifier = classifier();
    let image = preprocess(&image(), classifier.preprocessing());
    let batch = vec![&image[..]; images];
    let mut scratch = Scratch::default();
    bencher
        .counter(divan::counter::ItemsCount::new(images))
        .bench_local(|| classifier.predict(&mut scratch, &batch));
}

#[divan::bench]
fn decode_jpeg(bencher: divan::Bencher) {
    let file = sample();
    bencher.bench(|| decode(&file, &Limits::default()));
}

#[divan::bench]
fn prepare(bencher: divan::Bencher) {
    let (image, classifier) = (image(), classifier());
    bencher.bench(|| preprocess(&image, classifier.preprocessing()));
}
