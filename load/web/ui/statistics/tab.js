// One row an endpoint, and all together.
import { html, useState } from "../vendor/htm-preact.js";
import { bytes, count, ms, percent, rate, readable } from "../format.js";
import { keyOf, store } from "../store.js";
import { Spark } from "../chart.js";
import { Table } from "../table.js";

const COLUMNS = [
  { key: "name", label: "Name", text: true, show: (row) => row.foot ? html`<b>All requests</b>` : html`<span class="method">${row.method}</span> ${readable(row.name)}` },
  { key: "requests", label: "Requests", show: (row) => count(row.requests) },
  { key: "failures", label: "Failures", value: (row) => row.failures,
    show: (row) => html`<span class=${row.failures ? "bad" : ""}>${count(row.failures)}${row.failures ? ` (${percent(row.failures / row.requests)})` : ""}</span>` },
  { key: "rps", label: "RPS", title: "Requests per second in the last 10 s", show: (row) => rate(row.rps) },
  { key: "spark", label: "Last minute", plain: true, show: (row) => html`<${Spark} values=${row.foot ? store.points.slice(-60).map((point) => point.rps) : store.sparks.get(keyOf(row))} />` },
  { key: "p50", label: "p50", title: "Median response time in ms", value: (row) => row.times[0], show: (row) => ms(row.times[0]) },
  { key: "p95", label: "p95", title: "95 % took at most this, in ms", value: (row) => row.times[1], show: (row) => ms(row.times[1]) },
  { key: "p99", label: "p99", title: "99 % took at most this, in ms", value: (row) => row.times[2], show: (row) => ms(row.times[2]) },
  { key: "avg", label: "Average", title: "Average response time in ms", show: (row) => ms(row.avg) },
  { key: "min", label: "Min", title: "Shortest response time in ms", show: (row) => ms(row.min) },
  { key: "max", label: "Max", title: "Longest response time in ms", show: (row) => ms(row.max) },
  { key: "size", label: "Size", title: "Average size of an answer", show: (row) => bytes(row.size) },
  { key: "avg_rps", label: "RPS overall", title: "Requests per second over the whole test", show: (row) => rate(row.avg_rps) },
];

/** @param {{frame: any}} props */
export function Statistics({ frame }) {
  const [filter, setFilter] = useState("");
  const words = filter.toLowerCase().split(/\s+/);
  const rows = frame.rows.filter((row) => words.every((word) => keyOf(row).toLowerCase().includes(word)));
  return html`<div class="tools">
      <label class="search"><span class="hidden">Filter by name</span>
        <input type="search" placeholder="Filter by method or name" value=${filter} onInput=${(event) => setFilter(event.target.value)} /></label>
      <span class="hint">${rows.length === frame.rows.length ? `${rows.length} endpoints` : `${rows.length} of ${frame.rows.length} endpoints`} · response times in ms</span>
    </div>
    <${Table} caption="Statistics by endpoint" columns=${COLUMNS} rows=${rows} foot=${{ ...frame.total, foot: true }}
      rowKey=${keyOf} titleOf=${(row) => readable(keyOf(row))} uniform first=${{ key: "name", down: false }} empty="No requests yet."
      onPick=${(row) => { location.hash = "charts"; sessionStorage.setItem("endpoint", keyOf(row)); }} />
    ${frame.overflowed_names > 0 && html`<p class="hint">${count(frame.overflowed_names)} further names are counted together: give requests with changing URLs a name.</p>`}`;
}
