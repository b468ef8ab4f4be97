// Everything to take away.
import { html } from "../vendor/htm-preact.js";

const FILES = [
  ["stats/report?download=1", "Report", "One HTML file with tables and charts that needs nothing else"],
  ["stats/requests/csv", "Statistics (CSV)", "One row for each endpoint"],
  ["stats/failures/csv", "Failures (CSV)", "One row for each error of each endpoint"],
  ["exceptions/csv", "Exceptions (CSV)", "One row for each place where a task raised"],
  ["stats/requests", "Statistics (JSON)", "What scripts read, with errors and current rates", "statistics.json"],
];

const HISTORY = ["stats/requests_full_history/csv", "Full history (CSV)", "Every endpoint, second by second"];

export function Downloads() {
  const { stats_history_enabled: hasHistory, extended_csv_files: extended } = window.templateArgs;
  const ofLocustfile = (extended || []).map(({ href, title }) => [href, title, "From the locustfile"]);
  const files = [...FILES, ...(hasHistory ? [HISTORY] : []), ...ofLocustfile];
  return html`<ul class="downloads">${files.map(([path, label, what, name]) => html`<li class="card">
      <a href=${path} download=${name || ""}>${label}</a><p class="hint">${what}</p></li>`)}
    <li class="card"><a href="stats/report" target="_blank">Open the report</a><p class="hint">To read, or to print as PDF</p></li></ul>`;
}
