//! When daily runs are due, and which results stay. Pure: times and names come in.

use jiff::ZonedDateTime;
use jiff::civil::{Date, Time};

/// How the folder of a run is called: the guide's `date +%Y%m%d_%H%M%S`.
const STAMP: &str = "%Y%m%d_%H%M%S";

/// The next moment after `now` at which a clock on the wall says `at`. Where it does not
/// say so that day, because summer time begins, it is an hour later; where it says so
/// twice, it is the first time.
pub(super) fn next_due(now: &ZonedDateTime, at: Time) -> Option<ZonedDateTime> {
    let today = on_day(now, now.date(), at)?;
    if today > *now {
        return Some(today);
    }
    on_day(now, now.date().tomorrow().ok()?, at)
}

/// The last moment up to `now` at which it did.
fn last_due(now: &ZonedDateTime, at: Time) -> Option<ZonedDateTime> {
    let today = on_day(now, now.date(), at)?;
    if today <= *now {
        return Some(today);
    }
    on_day(now, now.date().yesterday().ok()?, at)
}

fn on_day(now: &ZonedDateTime, day: Date, at: Time) -> Option<ZonedDateTime> {
    let zone = now.time_zone().clone();
    day.to_datetime(at).to_zoned_datetime(zone).ok()
}

/// Whether a run was missed: there are earlier ones, and none since it was last due.
pub(super) fn is_missed(names: &[String], now: &ZonedDateTime, at: Time) -> bool {
    let newest = names.iter().filter(|name| is_stamp(name)).max();
    let due = last_due(now, at).map(|due| stamp(&due));
    newest.zip(due).is_some_and(|(newest, due)| *newest < due)
}

pub(super) fn stamp(now: &ZonedDateTime) -> String {
    now.strftime(STAMP).to_string()
}

/// The folders to remove, so that the newest `keep` stay; what is called otherwise is not
/// ours.
pub(super) fn surplus(names: &[String], keep: usize) -> Vec<String> {
    let mut ours: Vec<_> = names
        .iter()
        .filter(|name| is_stamp(name))
        .cloned()
        .collect();
    ours.sort_unstable();
    ours.truncate(ours.len().saturating_sub(keep));
    ours
}

fn is_stamp(name: &str) -> bool {
    let digits =
        |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('_')
        .is_some_and(|(day, time)| digits(day, 8) && digits(time, 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zoned(text: &str) -> ZonedDateTime {
        text.parse().expect("a time")
    }

    fn at(text: &str) -> Time {
        text.parse().expect("a time of day")
    }

    #[test]
    fn a_day_has_one_due_time_also_when_the_clock_changes() {
        for (now, time, expected) in [
            (
                "2026-11-25T01:59:59[Europe/Berlin]",
                "02:00",
                "2026-11-25T02:00:00+01:00[Europe/Berlin]",
            ),
            (
                "2026-11-25T02:00:00[Europe/Berlin]",
                "02:00",
                "2026-11-26T02:00:00+01:00[Europe/Berlin]",
            ),
            // There is no 02:30 on the first day of summer time.
            (
                "2026-03-29T00:00:00[Europe/Berlin]",
                "02:30",
                "2026-03-29T03:30:00+02:00[Europe/Berlin]",
            ),
            (
                "2026-10-24T12:00:00[Europe/Berlin]",
                "02:30",
                "2026-10-25T02:30:00+02:00[Europe/Berlin]",
            ),
        ] {
            assert_eq!(
                next_due(&zoned(now), at(time)),
                Some(zoned(expected)),
                "{now}"
            );
        }
    }

    #[test]
    fn a_run_is_missed_if_there_was_none_since_it_was_due() {
        let now = zoned("2026-11-25T09:00:00[UTC]");
        for (names, expected) in [
            (&[][..], false),
            (&["notes"], false),
            (&["20261124_020000"], true),
            (&["20261125_020000", "20261124_020000"], false),
            (&["20261125_080000"], false),
        ] {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(is_missed(&names, &now, at("02:00")), expected, "{names:?}");
        }
        let names = ["20261124_030000".to_owned()];
        assert!(!is_missed(
            &names,
            &zoned("2026-11-25T01:00:00[UTC]"),
            at("02:00")
        ));
    }

    #[test]
    fn the_newest_results_stay_and_nothing_else_is_touched() {
        let names = [
            "20261124_020000",
            "20261123_020000",
            "notes",
            "2026_02",
            "20261125_020000",
        ];
        let names = names.map(str::to_owned);
        assert_eq!(surplus(&names, 2), ["20261123_020000"]);
        assert_eq!(surplus(&names, 9), [""; 0]);
        assert_eq!(stamp(&zoned("2026-11-25T02:00:07[UTC]")), "20261125_020007");
    }
}
