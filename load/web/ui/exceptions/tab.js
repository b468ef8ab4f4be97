// What tasks raised.
import { html } from "../vendor/htm-preact.js";
import { Bars } from "../chart.js";
import { at, count, readable } from "../format.js";
import { usePolled } from "../store.js";

/** @param {{frame: any}} props */
export function Exceptions({ frame }) {
  const occurrences = usePolled("live/occurrences", 2);
  if (!frame.exceptions.length) return html`<p class="card empty">No task has raised an exception.</p>`;
  return html`<ul class="raised">${frame.exceptions.map((row) => html`<li class="card" key=${row.id}>
    <details open=${frame.exceptions.length === 1}><summary><b class="bad">${count(row.count)} ×</b> <code class="wrap">${readable(row.message)}</code>
      <small>first ${at(row.first)}, last ${at(row.last)}${row.nodes.some((node) => node !== "local") ? `, on ${row.nodes.join(", ")}` : ""}
        <${Bars} start=${occurrences?.start} ends=${occurrences?.ends} counts=${occurrences?.counts[row.id]} /></small></summary>
      <pre tabindex="0">${row.traceback}</pre></details></li>`)}</ul>`;
}
