//! Whether a retrained model may serve.
//!
//! Pure. Both models judge the same held-out images: those of the base data, and a
//! share of the uploads. The new one serves if it is right about no fewer of either, so
//! that neither many mislabelled uploads nor the loss of old knowledge goes unnoticed.

use classifier_imaging::Class;
use classifier_model::Prediction;

/// Where a held-out image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Base,
    Upload,
}

/// Images judged right, by where they come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) base: usize,
    pub(crate) uploads: usize,
}

impl Score {
    /// Compares predictions with the truth.
    pub(crate) fn of(sources: &[Source], judged: &[(Class, Prediction)]) -> Score {
        let mut score = Score::default();
        for (source, (truth, prediction)) in sources.iter().zip(judged) {
            if prediction.class() == *truth {
                match source {
                    Source::Base => score.base += 1,
                    Source::Upload => score.uploads += 1,
                }
            }
        }
        score
    }

    pub(crate) fn total(self) -> usize {
        self.base + self.uploads
    }

    /// Whether a model of this score may take the place of one of `current`.
    pub(crate) fn is_no_worse_than(self, current: Score) -> bool {
        self.base >= current.base && self.uploads >= current.uploads
    }
}

/// The comparison in a sentence; `held_out` counts the images.
pub(crate) fn sentence(
    (new_name, new): (&str, Score),
    (current_name, current): (&str, Score),
    held_out: Score,
) -> String {
    // What is turned down never gets a name.
    let verdict = if new.is_no_worse_than(current) {
        format!("{new_name} serves: it")
    } else {
        format!("{current_name} stays: the new model")
    };
    let uploads = if held_out.uploads > 0 {
        format!(
            ", and {} of {} uploads ({current_name}: {})",
            new.uploads, held_out.uploads, current.uploads
        )
    } else {
        String::new()
    };
    format!(
        "{verdict} judges {} of {} held-out base images right ({current_name}: {}){uploads}",
        new.base, held_out.base, current.base
    )
}

/// Why a result does not serve, whatever it is worth: while it was made, somebody had `chosen` serve
/// in place of the version that it was compared with.
pub(crate) fn overruled(compared_with: &str, chosen: &str) -> String {
    format!(
        "{chosen} stays: it was chosen while this job ran, which compared its result with \
         {compared_with}; ask again to improve on {chosen}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_kind_of_images_makes_up_for_the_other() {
        let score = |base, uploads| Score { base, uploads };
        let current = score(90, 5);
        for (new, serves) in [
            (score(90, 5), true),
            (score(91, 5), true),
            (score(89, 9), false),
            (score(99, 4), false),
        ] {
            assert_eq!(new.is_no_worse_than(current), serves, "{new:?}");
        }
        assert_eq!(
            sentence(("v2", score(91, 5)), ("v1", current), score(100, 6)),
            "v2 serves: it judges 91 of 100 held-out base images right (v1: 90), and 5 of 6 \
             uploads (v1: 5)"
        );
        assert_eq!(
            sentence(("v2", score(89, 0)), ("v1", score(90, 0)), score(100, 0)),
            "v1 stays: the new model judges 89 of 100 held-out base images right (v1: 90)"
        );
    }

    #[test]
    fn what_is_judged_right_counts_for_its_source() {
        let sure = Prediction {
            probabilities: [0.0, 1.0, 0.0, 0.0],
        };
        let judged = [
            (Class::Meningioma, sure),
            (Class::Glioma, sure),
            (Class::Meningioma, sure),
        ];
        let sources = [Source::Base, Source::Base, Source::Upload];
        let expected = Score {
            base: 1,
            uploads: 1,
        };
        assert_eq!(Score::of(&sources, &judged), expected);
    }
}
