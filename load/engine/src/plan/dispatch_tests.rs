//! The expected orders were printed by Locust 2.47.0's `UsersDispatcher` for the
//! same classes, targets and one worker.

use proptest::prelude::*;

use super::Dispatch;
use crate::{ClassId, UserClass};

fn classes(specs: &[(&str, f64, u64)]) -> Vec<UserClass> {
    specs
        .iter()
        .map(|(name, weight, fixed_count)| UserClass {
            name: (*name).to_owned(),
            weight: *weight,
            fixed_count: *fixed_count,
        })
        .collect()
}

/// Drives a dispatch to each target in turn, the last to start leaving first,
/// and gives the first letters of the running users after each.
fn orders(specs: &[(&str, f64, u64)], targets: &[usize]) -> Vec<String> {
    let classes = classes(specs);
    let mut dispatch = Dispatch::new(&classes);
    let mut running: Vec<ClassId> = Vec::new();
    let mut orders = Vec::new();
    for target in targets {
        while running.len() > *target {
            dispatch.removed(running.pop().expect("more users than the target"));
        }
        while running.len() < *target {
            let Some(class) = dispatch.pick() else { break };
            running.push(class);
        }
        orders.push(running.iter().map(|class| specs[class.0].0).collect());
    }
    orders
}

#[test]
fn weights_are_mixed_in_locusts_order() {
    for (specs, count, expected) in [
        (
            &[("A", 5.0, 0), ("B", 1.0, 0)][..],
            24,
            "AABAAAAABAAAAABAAAAABAAA",
        ),
        (
            &[("A", 1.0, 0), ("B", 1.0, 0), ("C", 1.0, 0)],
            9,
            "ABCABCABC",
        ),
        (
            &[("A", 1.0, 0), ("B", 2.0, 0), ("C", 3.0, 0)],
            24,
            "CBACBCCBACBCCBACBCCBACBC",
        ),
        (&[("A", 0.5, 0), ("B", 0.25, 0)], 12, "ABAABAABAABA"),
        (
            &[("A", 10.0, 0), ("B", 1.0, 0), ("C", 89.0, 0)],
            60,
            "CCCCACCCCCCCCCACCCCCCCCCACCCCCCCCCACCCCCCCCBCACCCCCCCCCACCCC",
        ),
    ] {
        assert_eq!(orders(specs, &[count]), [expected]);
    }
}

#[test]
fn fixed_counts_come_first_and_are_restored_after_a_ramp_down() {
    for (specs, targets, expected) in [
        (
            &[("Z", 1.0, 0), ("A", 1.0, 2), ("B", 1.0, 1), ("Y", 3.0, 0)][..],
            &[14, 2, 6, 0, 8][..],
            &["ABAYZYYYZYYYZY", "AB", "ABAYYZ", "", "ABAYYYZY"][..],
        ),
        (
            &[("A", 1.0, 2), ("B", 7.0, 3)],
            &[9, 3, 9],
            &["BABAB", "BAB", "BABAB"],
        ),
        (
            &[("A", 1.0, 5), ("B", 1.0, 0)],
            &[3, 8],
            &["AAA", "AAAAABBB"],
        ),
        (
            &[("A", 0.0, 0), ("B", 2.0, 0), ("C", 7.0, 1)],
            &[6],
            &["CBBBBB"],
        ),
    ] {
        assert_eq!(orders(specs, targets), expected);
    }
}

#[test]
fn only_chosen_classes_are_picked() {
    let specs = [("A", 1.0, 0), ("B", 1.0, 0), ("C", 3.0, 0), ("D", 1.0, 1)];
    let mut dispatch = Dispatch::new(&classes(&specs));
    let mut running: Vec<ClassId> = Vec::new();
    for (target, chosen, expected) in [
        (4, Some(&[0, 1][..]), "ABAB"),
        (9, Some(&[2, 1]), "ABABCBCCC"),
        (3, None, "ABA"),
        (6, Some(&[0]), "ABAAAA"),
        // Unlike Locust's, which overlooks the fixed count of a class chosen later.
        (9, Some(&[0, 1, 2, 3]), "ABAAAADCA"),
    ] {
        if let Some(chosen) = chosen {
            dispatch.choose_from(&chosen.iter().copied().map(ClassId).collect::<Vec<_>>());
        }
        while running.len() > target {
            dispatch.removed(running.pop().expect("more users than the target"));
        }
        while running.len() < target {
            running.push(dispatch.pick().expect("a class with a weight"));
        }
        let order: String = running.iter().map(|class| specs[class.0].0).collect();
        assert_eq!(order, expected);
    }
}

proptest! {
    #[test]
    fn every_class_gets_its_share(
        weights in prop::collection::vec(1_u32..1000, 1..8),
        rounds in 1_usize..20,
    ) {
        let specs: Vec<_> = weights.iter().map(|weight| ("X", f64::from(*weight), 0)).collect();
        let mut dispatch = Dispatch::new(&classes(&specs));
        let picks = rounds * weights.len();
        let mut counts = vec![0_u32; weights.len()];
        for _ in 0..picks {
            counts[dispatch.pick().expect("a class with a weight").0] += 1;
        }
        let total: u32 = weights.iter().sum();
        for (weight, count) in weights.iter().zip(counts) {
            let share = f64::from(*weight) * picks as f64 / f64::from(total);
            // Rounding to whole users shifts a class by at most one user for
            // each of the others.
            let slack = weights.len() as f64;
            prop_assert!((f64::from(count) - share).abs() <= slack, "{count} for {share}");
        }
    }
}
