// The course of the whole test, or of one endpoint.
import { html, useMemo, useState } from "../vendor/htm-preact.js";
import { Chart, ZoomSelect } from "../chart.js";
import { count, ms, percent, rate, readable } from "../format.js";
import { keyOf, store, usePolled } from "../store.js";
import { Heatmap } from "./heatmap.js";

const remembered = () => sessionStorage.getItem("endpoint") || "";

/** @param {{frame: any, theme: string}} props */
export function Charts({ frame, theme }) {
  const [endpoint, setEndpoint] = useState(remembered);
  const row = frame.rows.find((row) => keyOf(row) === endpoint);
  const path = row ? `live/history?method=${encodeURIComponent(row.method)}&name=${encodeURIComponent(row.name)}` : null;
  const own = usePolled(path, 2);
  const points = row ? own?.points || [] : store.points;
  const keys = frame.rows.map(keyOf);
  // Hundreds of options are made anew only when there are others.
  const options = useMemo(() => keys.map((key) => html`<option value=${key}>${readable(key)}</option>`), [keys.join("\n")]);
  const choose = (event) => {
    sessionStorage.setItem("endpoint", event.target.value);
    setEndpoint(event.target.value);
  };
  return html`<div class="tools">
      <label>Show <select value=${row ? endpoint : ""} onChange=${choose}>
        <option value="">All requests</option>
        ${options}
      </select></label>
      <${ZoomSelect} />
      <span class="hint">Or drag across a chart to zoom; double-click to see everything.</span>
    </div>
    <${Courses} points=${points} events=${frame.events} theme=${theme} />
    ${!row && html`<${Heatmap} times=${store.points} heat=${store.heat} theme=${theme} />`}
    ${row && own?.histogram.length > 0 && html`<${Histogram} counts=${own.histogram} title=${`Response times of ${readable(keyOf(row))}`} />`}`;
}

/** The three courses. */
export function Courses({ points, events, theme }) {
  const columns = useMemo(() => {
    const of = (name) => points.map((point) => point[name]);
    const t = of("t");
    return { rate: [t, of("rps"), of("fps")], times: [t, of("p50"), of("p95"), of("p99")], users: [t, of("users")] };
  }, [points]);
  return html`<div class="charts">
    <${Chart} title="Requests per second" data=${columns.rate} events=${events} theme=${theme} unit=${rate}
      lines=${[{ label: "Requests/s", colour: "--good", fill: true }, { label: "Failures/s", colour: "--bad", fill: true }]} />
    <${Chart} title="Response times of the last 10 s (ms)" data=${columns.times} events=${events} theme=${theme} unit=${ms}
      lines=${[{ label: "p50", colour: "--first" }, { label: "p95", colour: "--second" }, { label: "p99", colour: "--third" }]} />
    <${Chart} title="Users" data=${columns.users} events=${events} theme=${theme} unit=${count} height=${160}
      lines=${[{ label: "Users", colour: "--first", fill: true }]} />
  </div>`;
}

/** How many requests took how long. @param {{counts: number[], title: string}} props */
export function Histogram({ counts, title }) {
  const bounds = window.templateArgs.heat_bounds_ms;
  const used = counts.map((_, at) => at).filter((at) => counts[at] > 0);
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (!all) return html`<section class="card"><h2>${title}</h2><p class="empty">No response times yet.</p></section>`;
  const rows = counts.slice(used[0], used[used.length - 1] + 1).map((count, at) => ({ count, at: at + used[0] }));
  const top = Math.max(...counts);
  const label = (at) => (at < bounds.length ? `≤ ${bounds[at] >= 1000 ? `${bounds[at] / 1000} s` : `${bounds[at]} ms`}` : "> 60 s");
  return html`<section class="card"><h2>${title}</h2>
    <table class="bars"><caption class="hidden">${title}</caption><tbody>${rows.map(({ count: n, at }) => html`<tr>
      <th scope="row">${label(at)}</th>
      <td><div class="track"><div class="fill" style=${{ width: `${(n / top) * 100}%` }}></div></div></td>
      <td class="num">${percent(n / all)}</td><td class="num soft">${count(n)}</td></tr>`)}</tbody></table>
  </section>`;
}
