// What failed, where, how often.
import { html } from "../vendor/htm-preact.js";
import { at, count, readable } from "../format.js";
import { Bars } from "../chart.js";
import { usePolled } from "../store.js";
import { Table } from "../table.js";

/** @param {any} occurrences the answer of live/occurrences */
const columns = (occurrences) => [
  { key: "count", label: "Count", show: (row) => html`<b class="bad">${count(row.count)}</b>` },
  { key: "name", label: "Name", text: true, show: (row) => html`<span class="wrap"><span class="method">${row.method}</span> ${readable(row.name)}</span>` },
  { key: "error", label: "Error", text: true, show: (row) => html`<code class="wrap">${readable(row.error)}</code>` },
  { key: "first", label: "First seen", show: (row) => at(row.first) },
  { key: "last", label: "Last seen", show: (row) => at(row.last) },
  { key: "counts", label: "Over the test", plain: true, show: (row) => html`<${Bars} start=${occurrences?.start} ends=${occurrences?.ends} counts=${occurrences?.counts[row.id]} />` },
];

/** @param {{frame: any}} props */
export function Failures({ frame }) {
  const occurrences = usePolled("live/occurrences", 2);
  return html`<${Table} caption="Failed requests" columns=${columns(occurrences)} rows=${frame.failures} first=${{ key: "count", down: true }}
      rowKey=${(row) => row.id} empty="Nothing has failed." />
    ${frame.failures_more > 0 && html`<p class="hint">${frame.failures_more} further rows are in <a href="stats/failures/csv">the CSV</a>.</p>`}`;
}
