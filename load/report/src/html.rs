//! The report as one HTML file that needs nothing else: figures, charts, light and dark.
//!
//! `window.templateArgs` has Locust's keys, which scripts read, and ours.

use serde_json::{Value, json};

use crate::diagnosis::diagnose;
use crate::expect::Outcome;
use crate::grade::key_metrics;
use crate::insight;
use crate::json_text::for_script;
use crate::locust_json;
use crate::resources::Part;
use crate::scaling::Step;
use crate::summary::RunSummary;

const PAGE: &str = include_str!("../ui/report.html");
const SCRIPT: &str = include_str!("../ui/report.js");
const STYLE: &str = include_str!("../ui/report.css");
/// uPlot, which draws the charts; its licence is beside the file.
pub const CHARTS: &str = include_str!("../ui/vendor/uplot.js");
/// What it looks like.
pub const CHARTS_STYLE: &str = include_str!("../ui/vendor/uplot.css");

/// In which colours a page begins; the reader may change them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// The reader's own choice.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// What a page is made of.
#[derive(Debug, Default)]
pub struct Page<'a> {
    /// The run.
    pub run: RunSummary,
    /// How often each task ran, in Locust's form, where that is known.
    pub tasks: Value,
    /// What was expected of the run.
    pub verdicts: &'a [Outcome],
    /// What several loads showed, fewest users first.
    pub steps: &'a [Step],
    /// What they come to, a sentence or two each.
    pub findings: Vec<String>,
    /// What is said above everything else, such as that the generator was the limit.
    pub notes: Vec<String>,
    /// Its colours.
    pub theme: Theme,
    /// What a server's policy lets its scripts run by; empty in a file.
    pub nonce: &'a str,
    /// Whether there is a link to save it.
    pub download_link: bool,
    /// `--profile`.
    pub profile: Value,
}

impl Page<'_> {
    /// The page.
    pub fn html(&self) -> String {
        let theme = match self.theme {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        PAGE.replace("{{nonce}}", self.nonce)
            .replace("{{theme}}", theme)
            .replace("{{style}}", &format!("{CHARTS_STYLE}\n{STYLE}"))
            .replace("{{charts}}", CHARTS)
            .replace("{{script}}", SCRIPT)
            // Last, so that nothing that a server sent is taken for a place to fill.
            .replace("{{args}}", &for_script(&self.template_args()))
    }

    fn template_args(&self) -> Value {
        let mut args = locust_json::report(&self.run);
        args["show_download_link"] = json!(self.download_link);
        args["tasks"] = match &self.tasks {
            Value::Null => json!({"per_class": {}, "total": {}}),
            tasks => tasks.clone(),
        };
        args["profile"] = self.profile.clone();
        args["metrics"] = json!(key_metrics(&self.run.total));
        args["points"] = json!(self.run.course);
        args["verdicts"] = json!(self.verdicts);
        args["scaling"] = self.steps.iter().map(scaled).collect();
        args["findings"] = json!(self.findings);
        args["notes"] = json!(self.notes);
        args["insight"] = json!(insight::sections(&self.run));
        args["resources"] = self.run.resources.iter().map(used).collect();
        args["diagnosis"] = json!(diagnose(&self.run));
        args["cut_off"] = json!(self.run.cut_off);
        args["peak_users"] = json!(self.run.peak_users);
        args
    }
}

fn used(part: &Part) -> Value {
    let mut used = json!(part);
    used["label"] = json!(part.label());
    used["line"] = json!(part.line());
    used
}

fn scaled(step: &Step) -> Value {
    let mut row = json!(step);
    row["success"] = json!(step.success_ratio() * 100.0);
    row["good_rps"] = json!(step.good_rps());
    row
}
