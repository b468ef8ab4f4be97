// The tests of this process that have ended, to compare with.
import { html } from "../vendor/htm-preact.js";
import { at, clock, count, ms, percent, rate } from "../format.js";
import { Table } from "../table.js";

const COLUMNS = [
  { key: "start", label: "Started", show: (row) => at(row.start) },
  { key: "seconds", label: "Time", show: (row) => clock(row.seconds) },
  { key: "users", label: "Users", show: (row) => count(row.users) },
  { key: "requests", label: "Requests", show: (row) => count(row.requests) },
  { key: "failures", label: "Failures", show: (row) => percent(row.failures / row.requests) },
  { key: "rps", label: "RPS", show: (row) => rate(row.rps) },
  { key: "p50", label: "p50", show: (row) => ms(row.p50) },
  { key: "p95", label: "p95", show: (row) => ms(row.p95) },
  { key: "p99", label: "p99", show: (row) => ms(row.p99) },
];

/** @param {{frame: any}} props */
export function Runs({ frame }) {
  return html`<${Table} caption="Tests that have ended" columns=${COLUMNS} rows=${frame.runs} first=${{ key: "start", down: true }}
    rowKey=${(row) => String(row.start)} empty="No test has ended yet; those that have are kept here until the program quits." />`;
}
