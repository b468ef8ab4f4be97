//! When runs are due. Pure: the time comes in.

use std::ops::RangeInclusive;

use jiff::civil::{Date, Time, Weekday};
use jiff::{Span, ZonedDateTime};

use super::results::stamp;

/// The moments at which a run is due, by a clock on the wall. Where that does not show a
/// time, because summer time begins, it is an hour later; where it shows it twice, it is the
/// first time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Times {
    /// At least one.
    pub(super) at: Vec<Time>,
    /// None is each day.
    pub(super) days: Vec<Weekday>,
}

impl Times {
    /// The first moment after `now`; none at the calendar's end.
    pub(super) fn next(&self, now: &ZonedDateTime) -> Option<ZonedDateTime> {
        self.around(now, 0..=7).filter(|due| due > now).min()
    }

    /// Since when a run is due, if it is: its last time, whose stamp is `begun`, was before
    /// that moment. However many were missed, one is made up for. Without a last time it is
    /// due from `now` on.
    pub(super) fn due(&self, begun: Option<&str>, now: &ZonedDateTime) -> Option<ZonedDateTime> {
        match begun {
            Some(begun) => self.last(now).filter(|last| *stamp(last) > *begun),
            None => Some(now.clone()),
        }
    }

    /// The last moment up to `now`.
    fn last(&self, now: &ZonedDateTime) -> Option<ZonedDateTime> {
        self.around(now, -7..=0).filter(|due| due <= now).max()
    }

    /// The moments on so many days from that of `now`; a week has all that there are.
    fn around(
        &self,
        now: &ZonedDateTime,
        days: RangeInclusive<i64>,
    ) -> impl Iterator<Item = ZonedDateTime> {
        let (zone, today) = (now.time_zone().clone(), now.date());
        let dates = days.filter_map(move |days| today.checked_add(Span::new().days(days)).ok());
        let dates: Vec<Date> = dates.filter(|date| self.has(*date)).collect();
        let moments = dates
            .into_iter()
            .flat_map(|date| self.at.iter().map(move |at| date.to_datetime(*at)));
        moments.filter_map(move |moment| moment.to_zoned_datetime(zone.clone()).ok())
    }

    fn has(&self, date: Date) -> bool {
        self.days.is_empty() || self.days.contains(&date.weekday())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zoned(text: &str) -> ZonedDateTime {
        text.parse().expect("a time")
    }

    fn times(at: &[&str], days: &[Weekday]) -> Times {
        Times {
            at: at.iter().map(|at| at.parse().expect("a time")).collect(),
            days: days.to_vec(),
        }
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
            let next = times(&[time], &[]).next(&zoned(now));
            assert_eq!(next, Some(zoned(expected)), "{now}");
        }
    }

    #[test]
    fn a_run_is_due_if_there_was_none_since_the_last_moment() {
        let nightly = times(&["02:00"], &[]);
        let now = zoned("2026-11-25T09:00:00[UTC]");
        let moment = zoned("2026-11-25T02:00:00[UTC]");
        for (begun, expected) in [
            ("20261101_020000", Some(&moment)),
            ("20261125_015959", Some(&moment)),
            ("20261125_020000", None),
            ("20261125_080000", None),
            // The clock was set back since.
            ("20261126_020000", None),
        ] {
            assert_eq!(nightly.due(Some(begun), &now).as_ref(), expected, "{begun}");
        }
        let early = zoned("2026-11-25T01:00:00[UTC]");
        assert_eq!(nightly.due(Some("20261124_030000"), &early), None);
        assert_eq!(nightly.due(None, &early), Some(early));
    }

    #[test]
    fn of_several_times_and_days_the_nearest_counts() {
        let twice = times(&["14:00", "02:00"], &[]);
        // A Wednesday.
        let now = zoned("2026-11-25T09:00:00[UTC]");
        assert_eq!(twice.last(&now), Some(zoned("2026-11-25T02:00:00[UTC]")));
        assert_eq!(twice.next(&now), Some(zoned("2026-11-25T14:00:00[UTC]")));
        let weekly = times(&["02:00"], &[Weekday::Wednesday]);
        assert_eq!(weekly.last(&now), Some(zoned("2026-11-25T02:00:00[UTC]")));
        assert_eq!(weekly.next(&now), Some(zoned("2026-12-02T02:00:00[UTC]")));
        let early = zoned("2026-11-25T01:00:00[UTC]");
        assert_eq!(weekly.last(&early), Some(zoned("2026-11-18T02:00:00[UTC]")));
        let ends = times(&["02:00"], &[Weekday::Monday, Weekday::Friday]);
        assert_eq!(ends.last(&now), Some(zoned("2026-11-23T02:00:00[UTC]")));
        assert_eq!(ends.next(&now), Some(zoned("2026-11-27T02:00:00[UTC]")));
    }
}
