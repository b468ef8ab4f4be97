//! What a set of images looks like, class by class.

use classifier_imaging::{Class, GreyImage};
use classifier_store::ClassTotals;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

/// Sums over the images of each class, in [`Class`]'s order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary([Sums; 4]);

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sums {
    images: u64,
    width: u64,
    height: u64,
    brightness: f64,
}

/// One class, as the API tells it; means are `null` without images.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub(crate) struct ClassSummary {
    images: u64,
    /// Mean grey value, 0 to 255.
    mean_brightness: Option<f64>,
    /// Mean width, in pixels.
    mean_width: Option<f64>,
    /// Mean height, in pixels.
    mean_height: Option<f64>,
}

impl Summary {
    /// Counts one more image.
    pub(crate) fn add(&mut self, class: Class, image: &GreyImage) {
        let sums = &mut self.0[class.index()];
        sums.images += 1;
        sums.width += image.width as u64;
        sums.height += image.height as u64;
        sums.brightness += brightness(image);
    }

    /// Images of all classes.
    pub(crate) fn images(&self) -> u64 {
        self.0.iter().map(|sums| sums.images).sum()
    }

    /// Each class's means, in [`Class`]'s order.
    pub(crate) fn classes(&self) -> [ClassSummary; 4] {
        self.0.map(|sums| {
            let mean = |sum: f64| (sums.images > 0).then(|| rounded(sum / sums.images as f64));
            ClassSummary {
                images: sums.images,
                mean_brightness: mean(sums.brightness),
                mean_width: mean(sums.width as f64),
                mean_height: mean(sums.height as f64),
            }
        })
    }
}

impl From<[ClassTotals; 4]> for Summary {
    fn from(totals: [ClassTotals; 4]) -> Summary {
        Summary(totals.map(|class| Sums {
            images: class.images,
            width: class.width,
            height: class.height,
            brightness: class.brightness,
        }))
    }
}

/// An image's mean grey value, 0 to 255.
pub(crate) fn brightness(image: &GreyImage) -> f64 {
    let sum: u64 = image.pixels.iter().map(|pixel| u64::from(*pixel)).sum();
    sum as f64 / image.pixels.len() as f64
}

/// Values by the classes' short names, in index order.
pub(crate) fn by_class<S: Serializer, T: Serialize>(
    values: &[T; 4],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(values.len()))?;
    for (class, value) in Class::ALL.into_iter().zip(values) {
        map.serialize_entry(class.short_name(), value)?;
    }
    map.end()
}

/// To a tenth.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_of_the_class_alone_and_missing_without_images() {
        let mut summary = Summary::default();
        for (class, width, grey) in [
            (Class::Glioma, 100, 10),
            (Class::Glioma, 200, 21),
            (Class::NoTumor, 50, 255),
        ] {
            let image = GreyImage {
                width,
                height: 2,
                pixels: vec![grey; width * 2],
            };
            summary.add(class, &image);
        }
        let [glioma, meningioma, _, no_tumor] = summary.classes();
        assert_eq!((glioma.images, glioma.mean_width), (2, Some(150.0)));
        assert_eq!(glioma.mean_brightness, Some(15.5));
        assert_eq!((meningioma.images, meningioma.mean_width), (0, None));
        assert_eq!(no_tumor.mean_brightness, Some(255.0));
        assert_eq!(summary.images(), 3);
    }
}
