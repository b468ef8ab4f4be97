//! Uploaded images.

use classifier_imaging::Class;
use jiff::Timestamp;

use crate::error::StoreError;
use crate::objects::hash;
use crate::records::{Row, Sql, values};
use crate::store::{Store, timestamp};

/// A checked image on its way into the store.
#[derive(Clone, Copy, Debug)]
pub struct NewImage<'a> {
    /// The file as it was sent.
    pub content: &'a [u8],
    /// Its ending, such as `jpg`; a plain word.
    pub ending: &'static str,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Mean grey value, 0 to 255.
    pub brightness: f64,
}

/// A stored image.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    /// Where it is, below the store's folder.
    pub key: String,
    /// What it shows, as its sender says.
    pub class: Class,
}

/// What became of the images of one upload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// The names that new images were given, in their order.
    pub names: Vec<String>,
    /// Images that were there before, or twice in this upload.
    pub duplicates: usize,
}

/// Sums over one class's images.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClassTotals {
    /// How many there are.
    pub images: u64,
    /// Their files' length, in bytes.
    pub bytes: u64,
    /// Their widths, in pixels.
    pub width: u64,
    /// Their heights, in pixels.
    pub height: u64,
    /// Their mean grey values, each 0 to 255.
    pub brightness: f64,
}

impl Store {
    /// Stores `images` as pictures of `class`: all of them, or none. When this returns,
    /// they are on disk.
    ///
    /// # Errors
    ///
    /// [`StoreError::OtherLabel`] when one is there as another class,
    /// [`StoreError::NoSpace`] when all uploads would take more than `bytes_max`.
    pub fn add_uploads(
        &self,
        class: Class,
        images: &[NewImage<'_>],
        bytes_max: u64,
        now: Timestamp,
    ) -> Result<Added, StoreError> {
        let hashes: Vec<String> = images.iter().map(|image| hash(image.content)).collect();
        let key = |i: usize| upload_key(class, &hashes[i], images[i].ending);
        self.records.read(|sql| check_labels(sql, class, &hashes))?;
        let stored = self.store_images(class, images, &hashes, &key, bytes_max, now);
        if self.objects.is_folder() {
            match &stored {
                // Another upload that failed may have removed the very same image in the meantime.
                Ok(_) => self.put_images(images, &key)?,
                // Its disk may be full.
                Err(_) => self.remove_unrecorded((0..images.len()).map(key)),
            }
        }
        stored
    }

    fn put_images(
        &self,
        images: &[NewImage<'_>],
        key: &impl Fn(usize) -> String,
    ) -> Result<(), StoreError> {
        let mut numbered = images.iter().enumerate();
        numbered.try_for_each(|(i, image)| self.objects.put(&key(i), image.content))
    }

    /// Removes those files that no record names. Where the database does not answer, they stay.
    fn remove_unrecorded(&self, keys: impl Iterator<Item = String>) {
        // As a writer, so that nobody records one of them meanwhile.
        let _ = self.records.write(|sql| {
            for key in keys {
                let recorded = "SELECT 1 FROM uploads WHERE key = ?1";
                if sql.row(recorded, values![&key])?.is_none() {
                    self.objects.remove(&key);
                }
            }
            Ok(())
        });
    }

    fn store_images(
        &self,
        class: Class,
        images: &[NewImage<'_>],
        hashes: &[String],
        key: &impl Fn(usize) -> String,
        bytes_max: u64,
        now: Timestamp,
    ) -> Result<Added, StoreError> {
        self.put_images(images, key)?;
        self.records.write(|sql| {
            // Once more: another request may have been faster.
            check_labels(sql, class, hashes)?;
            let mut added = Added::default();
            for (i, image) in images.iter().enumerate() {
                if insert(sql, class, &hashes[i], &key(i), image, now)? {
                    add_to_totals(sql, class, image)?;
                    added.names.push(format!("{}.{}", hashes[i], image.ending));
                } else {
                    added.duplicates += 1;
                }
            }
            let sum = "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM upload_totals";
            let bytes: u64 = sql.row(sum, &[])?.map_or(Ok(0), |row| row.get("bytes"))?;
            if bytes > bytes_max && !added.names.is_empty() {
                return Err(StoreError::NoSpace);
            }
            Ok(added)
        })
    }

    /// The latest `count` images.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn latest_uploads(&self, count: usize) -> Result<Vec<Upload>, StoreError> {
        let rows = self.records.read(|sql| {
            let latest = "SELECT key, class FROM uploads ORDER BY rowid DESC LIMIT ?1";
            sql.rows(latest, values![count])
        })?;
        rows.iter()
            .map(|row| {
                Ok(Upload {
                    key: row.get("key")?,
                    class: class_in(row)?,
                })
            })
            .collect()
    }

    /// Sums by class, in [`Class`]'s order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn upload_totals(&self) -> Result<[ClassTotals; 4], StoreError> {
        let rows = self.records.read(|sql| {
            let all = "SELECT class, images, bytes, width, height, brightness FROM upload_totals";
            sql.rows(all, &[])
        })?;
        let mut totals = [ClassTotals::default(); 4];
        for row in rows {
            totals[class_in(&row)?.index()] = ClassTotals {
                images: row.get("images")?,
                bytes: row.get("bytes")?,
                width: row.get("width")?,
                height: row.get("height")?,
                brightness: row.get("brightness")?,
            };
        }
        Ok(totals)
    }
}

/// The folder of a class's images, below the store's.
pub(crate) fn upload_folder(class: Class) -> String {
    format!("uploads/{class}")
}

fn upload_key(class: Class, hash: &str, ending: &str) -> String {
    format!("{}/{hash}.{ending}", upload_folder(class))
}

fn check_labels(sql: &mut dyn Sql, class: Class, hashes: &[String]) -> Result<(), StoreError> {
    for (hash, number) in hashes.iter().zip(1..) {
        let known = sql.row("SELECT class FROM uploads WHERE hash = ?1", values![hash])?;
        let stored: Option<String> = known.map(|row| row.get("class")).transpose()?;
        if let Some(stored) = stored.filter(|stored| stored != class.short_name()) {
            return Err(StoreError::OtherLabel { number, stored });
        }
    }
    Ok(())
}

/// Whether the image is new.
fn insert(
    sql: &mut dyn Sql,
    class: Class,
    hash: &str,
    key: &str,
    image: &NewImage<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = sql.execute(
        "INSERT INTO uploads (hash, class, key, bytes, width, height, brightness, uploaded_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        values![
            hash,
            class.short_name(),
            key,
            image.content.len(),
            image.width,
            image.height,
            image.brightness,
            timestamp(now),
        ],
    )?;
    Ok(rows == 1)
}

fn add_to_totals(sql: &mut dyn Sql, class: Class, image: &NewImage<'_>) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO upload_totals (class, images, bytes, width, height, brightness)
         VALUES (?1, 1, ?2, ?3, ?4, ?5)
         ON CONFLICT (class) DO UPDATE SET images = upload_totals.images + 1,
            bytes = upload_totals.bytes + excluded.bytes,
            width = upload_totals.width + excluded.width,
            height = upload_totals.height + excluded.height,
            brightness = upload_totals.brightness + excluded.brightness",
        values![
            class.short_name(),
            image.content.len(),
            image.width,
            image.height,
            image.brightness,
        ],
    )?;
    Ok(())
}

fn class_in(row: &Row) -> Result<Class, StoreError> {
    let name: String = row.get("class")?;
    let class: Result<Class, classifier_imaging::UnknownClass> = name.parse();
    class.map_err(|error| StoreError::Database(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Place, places};

    fn image(content: &[u8]) -> NewImage<'_> {
        NewImage {
            content,
            ending: "jpg",
            width: 100,
            height: 50,
            brightness: 20.5,
        }
    }

    fn add(store: &Store, class: Class, contents: &[&[u8]]) -> Result<Added, StoreError> {
        let images: Vec<NewImage<'_>> = contents.iter().map(|content| image(content)).collect();
        store.add_uploads(class, &images, 10, Timestamp::UNIX_EPOCH)
    }

    fn is_empty(place: &Place, class: Class) -> bool {
        let folder = place.folder().join(upload_folder(class));
        std::fs::read_dir(folder).unwrap().next().is_none()
    }

    #[test]
    fn an_image_counts_once_however_often_it_comes() {
        for place in places() {
            let store = place.open();
            let added = add(&store, Class::Glioma, &[b"a", b"b", b"a"]).unwrap();
            assert_eq!((added.names.len(), added.duplicates), (2, 1));
            let again = add(&store, Class::Glioma, &[b"b", b"c"]).unwrap();
            assert_eq!((again.names.len(), again.duplicates), (1, 1));
            let totals = place.open().upload_totals().unwrap();
            let glioma = totals[Class::Glioma.index()];
            assert_eq!((glioma.images, glioma.bytes, glioma.width), (3, 3, 300));
            assert!((glioma.brightness - 61.5).abs() < 1e-9);
            assert_eq!(totals[1], ClassTotals::default());
            let uploads = store.latest_uploads(2).unwrap();
            assert_eq!(uploads.len(), 2);
            assert_eq!(store.objects.get(&uploads[0].key).unwrap(), b"c");
            assert_eq!(uploads[0].key, format!("uploads/Glioma/{}", again.names[0]));
        }
    }

    #[test]
    fn a_contradicting_label_stores_nothing() {
        for place in places() {
            let store = place.open();
            add(&store, Class::Glioma, &[b"a"]).unwrap();
            let error = add(&store, Class::NoTumor, &[b"new", b"a"]).unwrap_err();
            assert_eq!(error.to_string(), "image 2 was uploaded before as Glioma");
            assert_eq!(store.upload_totals().unwrap()[3].images, 0);
            assert!(is_empty(&place, Class::NoTumor));
        }
    }

    #[test]
    fn the_limit_refuses_what_is_new_and_not_what_is_there() {
        for place in places() {
            let store = place.open();
            add(&store, Class::Glioma, &[b"0123456789"]).unwrap();
            let error = add(&store, Class::Pituitary, &[b"x"]).unwrap_err();
            assert!(matches!(error, StoreError::NoSpace), "{error}");
            assert!(is_empty(&place, Class::Pituitary));
            assert_eq!(
                add(&store, Class::Glioma, &[b"0123456789"])
                    .unwrap()
                    .duplicates,
                1
            );
            assert_eq!(store.upload_totals().unwrap()[0].images, 1);
        }
    }
}
