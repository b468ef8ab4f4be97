//! `PREFIX_resources.csv`, read back.

use super::Unreadable;
use super::table::{Row, Table};
use crate::resources::{Kind, PARTS_MAX, Part, Usage};
use crate::resources_csv::{COLUMNS, LAG, word};

/// The parts of a run, in the order of the file.
pub(super) fn read(file: &(String, String)) -> Result<Vec<Part>, Unreadable> {
    let needed = COLUMNS.into_iter().filter(|column| *column != LAG);
    let table = Table::read(file, &needed.collect::<Vec<_>>())?;
    let mut parts: Vec<Part> = Vec::new();
    for row in table.rows() {
        let kind = kind(&row, &file.0)?;
        let name = row.text("Part");
        let known = parts
            .iter()
            .position(|part| part.kind == kind && part.name == name);
        let at = match known {
            Some(at) => at,
            None if parts.len() < PARTS_MAX => {
                parts.push(Part {
                    kind,
                    name: name.to_owned(),
                    cpu_limit: number(&row, "CPU limit (%)")?,
                    memory_limit_mb: number(&row, "Memory limit (MB)")?,
                    points: Vec::new(),
                });
                parts.len() - 1
            }
            None => continue,
        };
        parts[at].points.push(usage(&row)?);
    }
    Ok(parts)
}

fn usage(row: &Row<'_>) -> Result<Usage, Unreadable> {
    let count = |column| Ok(u32::try_from(row.count(column)?).unwrap_or(u32::MAX));
    Ok(Usage {
        t: row.number("Timestamp")?.unwrap_or(0.0),
        cpu: number(row, "CPU (%)")?,
        busiest_thread: number(row, "Busiest thread (%)")?,
        memory_mb: number(row, "Memory (MB)")?,
        lag_ms: number(row, LAG)?,
        restarts: count("Restarts")?,
        oom_kills: count("OOM kills")?,
        beats: 1,
    })
}

fn number(row: &Row<'_>, column: &str) -> Result<Option<f32>, Unreadable> {
    Ok(row.number(column)?.map(|number| number as f32))
}

fn kind(row: &Row<'_>, file: &str) -> Result<Kind, Unreadable> {
    let said = row.text("Kind");
    let known = [Kind::Target, Kind::Generator, Kind::Machine];
    let found = known.into_iter().find(|kind| word(*kind) == said);
    found.ok_or_else(|| Unreadable {
        file: file.to_owned(),
        why: format!("'{said}' is no kind: expected service, generator or machine"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources_csv;

    #[test]
    fn parts_are_read_as_they_were_written() {
        let usage = |t, cpu| Usage {
            t,
            cpu,
            busiest_thread: Some(99.5),
            memory_mb: Some(512.0),
            lag_ms: Some(7.5),
            restarts: 1,
            oom_kills: 2,
            beats: 1,
        };
        let part = |kind, name: &str| Part {
            kind,
            name: name.to_owned(),
            cpu_limit: Some(200.0),
            memory_limit_mb: None,
            points: vec![usage(1.5, None), usage(2.5, Some(12.5))],
        };
        let parts = vec![part(Kind::Target, "api, \"new\""), part(Kind::Machine, "")];
        let text = resources_csv::table(&parts);
        let read_back = |text: &str| read(&("x_resources.csv".to_owned(), text.to_owned()));
        assert_eq!(read_back(&text).as_ref(), Ok(&parts));
        let earlier: String = text
            .lines()
            .map(|line| format!("{}\r\n", &line[..line.rfind(',').expect("fields")]))
            .collect();
        let without = read_back(&earlier).expect("a file of an earlier version");
        assert_eq!(without[0].points[0].lag_ms, None);
        assert_eq!(without[0].points[0].memory_mb, Some(512.0));
        for (text, part) in [
            (String::new(), "the file is empty"),
            ("A,B\r\n1,2\r\n".to_owned(), "it has no column 'Timestamp'"),
            (text[..text.len() - 9].to_owned(), "cut off"),
            (text.replace("machine", "moon"), "'moon' is no kind"),
            (
                text.replace("99.5", "many"),
                "'Busiest thread (%)' is no number",
            ),
        ] {
            let error = read_back(&text).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
