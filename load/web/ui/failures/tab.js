// What failed, where, how often.
import { html } from "../vendor/htm-preact.js";
import { at, count } from "../format.js";
import { Table } from "../table.js";

const COLUMNS = [
  { key: "count", label: "Occurrences", show: (row) => count(row.count) },
  { key: "method", label: "Method", text: true, show: (row) => html`<span class="method">${row.method}</span>` },
  { key: "name", label: "Name", text: true },
  { key: "error", label: "Error", text: true, show: (row) => html`<code class="wrap">${row.error}</code>` },
  { key: "first", label: "First seen", show: (row) => at(row.first) },
  { key: "last", label: "Last seen", show: (row) => at(row.last) },
];

/** @param {{frame: any}} props */
export function Failures({ frame }) {
  return html`<${Table} caption="Failed requests" columns=${COLUMNS} rows=${frame.failures} first=${{ key: "count", down: true }}
      rowKey=${(row) => `${row.method} ${row.name} ${row.error}`} empty="Nothing has failed." />
    ${frame.failures_more > 0 && html`<p class="hint">${frame.failures_more} further rows are in <a href="stats/failures/csv">the CSV</a>.</p>`}`;
}
