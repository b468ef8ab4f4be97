//! A trend as a picture: one SVG, and a page around it that needs nothing else.

use std::fmt::Write as _;

use super::{MetricTrend, Trend, Verdict, text};
use crate::locust_json::escape_html;

const WIDTH: f64 = 900.0;
const PANEL: f64 = 150.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 34.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#55626f}.title{fill:#17212b;font-weight:600}\
    .grid{stroke:#dde3e8}.line{fill:none;stroke:#2563eb;stroke-width:2}.dot{fill:#2563eb}\
    .worse{stroke:#c01f2e;stroke-dasharray:6 4}.better{stroke:#15803d;stroke-dasharray:6 4}\
    @media(prefers-color-scheme:dark){text{fill:#9fadba}.title{fill:#e6edf3}.grid{stroke:#2c3844}.line{stroke:#60a5fa}\
    .dot{fill:#60a5fa}.ground{fill:#0e141a}}";

/// A panel for each metric, runs from left to right; where there is a trend, its slope.
pub fn picture(trend: &Trend) -> String {
    let height = TOP + PANEL * trend.metrics.len() as f64 + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>{of}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"24\">{of}</text>\n",
        of = escape_html(&trend.of)
    );
    for (at, metric) in trend.metrics.iter().enumerate() {
        svg += &panel(metric, TOP + PANEL * at as f64);
    }
    let base = height - BOTTOM + 20.0;
    for at in marks(trend.runs.len()) {
        let x = x_of(at, trend.runs.len());
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{base}\" text-anchor=\"middle\">{}</text>",
            trend.runs[at]
        );
    }
    svg + "</svg>\n"
}

/// The picture with its table below, as one HTML file.
pub fn page(trend: &Trend) -> String {
    let table = escape_html(&text::table(trend));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\">\n\
         <title>Trend: {}</title>\n<style>body{{max-width:60rem;margin:1rem auto;padding:0 1rem;font:15px system-ui,sans-serif}}\
         pre{{overflow-x:auto}}</style></head>\n<body>\n{}<pre>{table}</pre>\n</body>\n</html>\n",
        escape_html(&trend.of),
        picture(trend)
    )
}

fn panel(metric: &MetricTrend, top: f64) -> String {
    let known = metric.values.iter().flatten().copied();
    let most = known.clone().fold(0.0, f64::max);
    let scale = if most > 0.0 { most * 1.1 } else { 1.0 };
    let (upper, lower) = (top + 24.0, top + PANEL - 16.0);
    let y = |value: f64| lower - (lower - upper) * (value / scale).clamp(0.0, 1.0);
    let count = metric.values.len();
    let mut svg = format!(
        "<text class=\"title\" x=\"{LEFT}\" y=\"{:.1}\">{}</text>\n",
        top + 14.0,
        escape_html(metric.metric)
    );
    for value in [0.0, most] {
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y(value) + 4.0,
            text::number(value, metric.unit),
            y = y(value)
        );
        if most == 0.0 {
            break;
        }
    }
    // A run without the metric is a gap.
    for part in metric
        .values
        .iter()
        .enumerate()
        .collect::<Vec<_>>()
        .split(|(_, value)| value.is_none())
    {
        let points: Vec<_> = part
            .iter()
            .filter_map(|(at, value)| Some((x_of(*at, count), y((**value)?))))
            .collect();
        let joined: Vec<_> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline class=\"line\" points=\"{}\"/>",
            joined.join(" ")
        );
        for (x, y) in points {
            let _ = writeln!(
                svg,
                "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"/>"
            );
        }
    }
    svg + &slope(metric, &y).unwrap_or_default()
}

/// A line of Theil and Sen's slope through the middle of the values, if there is a trend.
fn slope(metric: &MetricTrend, y: &dyn Fn(f64) -> f64) -> Option<String> {
    let class = match metric.verdict {
        Verdict::Worse => "worse",
        Verdict::Better => "better",
        _ => return None,
    };
    let slope = metric.per_run?;
    let count = metric.values.len();
    let mut bases: Vec<f64> = metric
        .values
        .iter()
        .enumerate()
        .filter_map(|(at, value)| Some((*value)? - slope * at as f64))
        .collect();
    bases.sort_by(f64::total_cmp);
    let base = *bases.get(bases.len() / 2)?;
    let last = count.saturating_sub(1);
    Some(format!(
        "<line class=\"{class}\" stroke-width=\"2\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>\n",
        x_of(0, count),
        y(base),
        x_of(last, count),
        y(base + slope * last as f64)
    ))
}

fn x_of(at: usize, count: usize) -> f64 {
    let share = if count > 1 {
        at as f64 / (count - 1) as f64
    } else {
        0.5
    };
    LEFT + share * (WIDTH - LEFT - RIGHT)
}

/// Runs whose numbers stand below: all of few, about ten of many.
fn marks(count: usize) -> impl Iterator<Item = usize> {
    (0..count).step_by(count.div_ceil(12).max(1))
}
