// The tests of this process: the one in sight, those that have ended, and how they differ.
import { html, useState } from "../vendor/htm-preact.js";
import { at, clock, count, ms, percent, rate } from "../format.js";
import { Table } from "../table.js";

/** Beyond this share, a difference is coloured. */
const NOTABLE = 0.05;

const failed = (run) => (run.requests ? run.failures / run.requests : 0);

/** Columns, with what is different from `base`, if there is one. */
function columnsBeside(base) {
  const compared = (key, label, value, show, lessIsBetter) => ({
    key, label, value, show: (row) => html`${show(value(row))}${base && row !== base && html`<${Change} from=${value(base)} to=${value(row)} lessIsBetter=${lessIsBetter} />`}`,
  });
  return [
    { key: "start", label: "Started", show: (row) => html`${at(row.start)}${row.now && html`<small> in sight</small>`}${row === base && html`<small> compared with</small>`}` },
    { key: "seconds", label: "Time", show: (row) => clock(row.seconds) },
    { key: "users", label: "Users", show: (row) => count(row.users) },
    { key: "requests", label: "Requests", show: (row) => count(row.requests) },
    compared("failures", "Failures", failed, percent, true),
    compared("rps", "RPS", (row) => row.rps, rate, false),
    compared("p50", "p50 (ms)", (row) => row.p50, ms, true),
    compared("p95", "p95 (ms)", (row) => row.p95, ms, true),
    compared("p99", "p99 (ms)", (row) => row.p99, ms, true),
  ];
}

/** @param {{from: number | null, to: number | null, lessIsBetter: boolean}} props */
function Change({ from, to, lessIsBetter }) {
  if (from == null || to == null) return html`<small class="change">–</small>`;
  if (from === to) return html`<small class="change">same</small>`;
  if (from === 0) return html`<small class=${`change ${lessIsBetter ? "bad" : "good"}`}>from 0</small>`;
  const share = to / from - 1;
  const kind = Math.abs(share) < NOTABLE ? "" : share < 0 === lessIsBetter ? "good" : "bad";
  return html`<small class=${`change ${kind}`}>${share > 0 ? "+" : "−"}${Math.abs(share * 100).toFixed(Math.abs(share) < 0.1 ? 1 : 0)} %</small>`;
}

/** What the frame tells, as one of the runs. */
const inSight = ({ start, elapsed, users, wanted, total }) => ({
  now: true, start, seconds: elapsed, users: Math.max(users, wanted.users || 0), requests: total.requests, failures: total.failures,
  rps: total.avg_rps, p50: total.times[0], p95: total.times[1], p99: total.times[2],
});

/** @param {{frame: any}} props */
export function Runs({ frame }) {
  const [chosen, choose] = useState("");
  // The newest one that has ended is in sight until another one starts.
  const goesOn = ["spawning", "running", "cleanup"].includes(frame.state) && frame.total.requests > 0;
  const runs = goesOn ? [...frame.runs, inSight(frame)] : frame.runs;
  const base = runs.find((run) => String(run.start) === chosen);
  return html`${runs.length > 1 && html`<div class="tools"><label>Compare with <select value=${base ? chosen : ""} onChange=${(event) => choose(event.target.value)}>
        <option value="">–</option>
        ${runs.map((run) => html`<option value=${String(run.start)}>${at(run.start)}: ${count(run.users)} users, ${rate(run.rps)} RPS</option>`)}
      </select></label>
      <span class="hint">Green is better, red is worse, by ${NOTABLE * 100} % or more; <code>acrida compare</code> says how certain that is.</span></div>`}
    <${Table} caption="Tests of this process" columns=${columnsBeside(base)} rows=${runs} first=${{ key: "start", down: true }}
      rowKey=${(row) => String(row.start)} empty="No test has ended yet; those that have are kept here until the program quits." />`;
}
