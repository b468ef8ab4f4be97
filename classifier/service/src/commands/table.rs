//! An evaluation as text: for the terminal, and for the model card.

use std::fmt::Write;

use classifier_imaging::Class;
use classifier_model::Evaluation;

/// The figures by class and the confusion matrix, as Markdown tables that also read
/// well on a terminal.
pub(crate) fn evaluation_tables(evaluation: &Evaluation) -> String {
    let mut text =
        String::from("| class      | images | precision | recall |     F1 | ROC AUC |\n");
    text.push_str("|------------|-------:|----------:|-------:|-------:|--------:|\n");
    for (class, scores) in Class::ALL.into_iter().zip(&evaluation.classes) {
        writeln!(
            text,
            "| {:<10} | {:>6} | {:>9} | {:>6} | {:>6} | {:>7} |",
            class.short_name(),
            scores.images,
            figure(scores.precision),
            figure(scores.recall),
            figure(scores.f1),
            figure(scores.roc_auc),
        )
        .expect("writing to a string cannot fail");
    }
    text.push_str("\n| is \\ called | Glioma | Meningioma | Pituitary | No_Tumor |\n");
    text.push_str("|-------------|-------:|-----------:|----------:|---------:|\n");
    for (class, row) in Class::ALL.into_iter().zip(&evaluation.confusion) {
        let [glioma, meningioma, pituitary, no_tumor] = row;
        let name = class.short_name();
        writeln!(
            text,
            "| {name:<11} | {glioma:>6} | {meningioma:>10} | {pituitary:>9} | {no_tumor:>8} |"
        )
        .expect("writing to a string cannot fail");
    }
    text
}

/// One line of overall figures.
pub(crate) fn summary(evaluation: &Evaluation) -> String {
    format!(
        "accuracy {:.2} % on {} images, macro ROC AUC {}, calibration error {:.3}",
        evaluation.accuracy * 100.0,
        evaluation.images,
        figure(evaluation.macro_roc_auc),
        evaluation.calibration_error
    )
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use classifier_model::Prediction;

    #[test]
    fn missing_figures_are_dashes_and_all_lines_of_a_table_are_equally_long() {
        let prediction = Prediction {
            probabilities: [0.7, 0.1, 0.1, 0.1],
        };
        let evaluation = Evaluation::of(&[(Class::Glioma, prediction)]).unwrap();
        let text = evaluation_tables(&evaluation);
        assert!(
            text.contains("| Glioma     |      1 |    1.0000 | 1.0000 | 1.0000 |       - |"),
            "{text}"
        );
        for table in text.split("\n\n") {
            let lengths: Vec<usize> = table.lines().map(str::len).collect();
            assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
        }
        assert!(summary(&evaluation).starts_with("accuracy 100.00 % on 1 images, macro ROC AUC -"));
    }
}
