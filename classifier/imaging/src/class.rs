//! The four classes, and the many ways in which people write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an image shows. The order is the order of the network's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Class {
    Glioma,
    Meningioma,
    Pituitary,
    #[serde(rename = "No_Tumor")]
    NoTumor,
}

impl Class {
    /// Every class, in index order.
    pub const ALL: [Class; 4] = [
        Class::Glioma,
        Class::Meningioma,
        Class::Pituitary,
        Class::NoTumor,
    ];

    /// Position among the network's outputs.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name that the API uses as a key, such as `No_Tumor`.
    pub fn short_name(self) -> &'static str {
        match self {
            Class::Glioma => "Glioma",
            Class::Meningioma => "Meningioma",
            Class::Pituitary => "Pituitary",
            Class::NoTumor => "No_Tumor",
        }
    }

    /// The name for people, such as `Pituitary Tumor`.
    pub fn full_name(self) -> &'static str {
        match self {
            Class::Glioma => "Glioma Tumor",
            Class::Meningioma => "Meningioma Tumor",
            Class::Pituitary => "Pituitary Tumor",
            Class::NoTumor => "No Tumor",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short_name())
    }
}

/// A label that names none of the four classes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown class {0:?}: expected Glioma, Meningioma, Pituitary or No_Tumor")]
pub struct UnknownClass(pub String);

impl FromStr for Class {
    type Err = UnknownClass;

    /// Matches without regard to case, spaces, `_` or `-`; `glioma_tumor` and
    /// `notumor` are the same classes as their short names.
    fn from_str(label: &str) -> Result<Class, UnknownClass> {
        let plain: String = label
            .chars()
            .filter(|c| !matches!(c, ' ' | '_' | '-'))
            .flat_map(char::to_lowercase)
            .collect();
        match plain.as_str() {
            "glioma" | "gliomatumor" => Ok(Class::Glioma),
            "meningioma" | "meningiomatumor" => Ok(Class::Meningioma),
            "pituitary" | "pituitarytumor" => Ok(Class::Pituitary),
            "notumor" => Ok(Class::NoTumor),
            _ => Err(UnknownClass(label.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_match_whatever_their_spelling() {
        for (label, class) in [
            ("Glioma", Class::Glioma),
            ("glioma_tumor", Class::Glioma),
            ("MENINGIOMA-TUMOR", Class::Meningioma),
            ("pituitary", Class::Pituitary),
            ("notumor", Class::NoTumor),
            ("no tumor", Class::NoTumor),
            ("No_Tumor", Class::NoTumor),
        ] {
            assert_eq!(label.parse(), Ok(class), "{label}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_four_names() {
        for label in ["", "tumor", "../glioma", "glioma\0", "gliomа"] {
            let error = label.parse::<Class>().unwrap_err().to_string();
            assert!(
                error.contains("Glioma, Meningioma, Pituitary or No_Tumor"),
                "{error}"
            );
        }
    }

    #[test]
    fn names_parse_back_to_their_class() {
        for class in Class::ALL {
            assert_eq!(class.short_name().parse(), Ok(class));
            assert_eq!(class.full_name().parse(), Ok(class));
            assert_eq!(Class::ALL[class.index()], class);
        }
    }
}
