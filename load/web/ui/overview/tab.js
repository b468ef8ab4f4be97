// How the test is going, at a glance.
import { html } from "../vendor/htm-preact.js";
import { Courses, Histogram } from "../charts/tab.js";
import { count, percent, rate, time } from "../format.js";
import { store } from "../store.js";

/** From this share of failed requests on, it is said that their times count too. */
const NOTABLE_FAILURES = 0.01;

/** @param {{frame: any, theme: string}} props */
export function Overview({ frame, theme }) {
  return html`<div class="overview">
    <div class="side"><${KeyMetrics} metrics=${frame.metrics} total=${frame.total} /><${Generator} load=${frame.load} cutOff=${frame.cut_off} />
      <${Histogram} counts=${frame.histogram} title="Response times" /></div>
    <div class="course"><${Courses} points=${store.points} events=${frame.events} theme=${theme} />
      ${frame.insight.map(([title, lines]) => html`<section class="card"><h2>${title}</h2>${lines.map((line) => html`<p class="hint">${line}</p>`)}</section>`)}</div>
  </div>`;
}

const shown = (metric) => {
  if (metric.value == null) return "–";
  if (metric.unit === "%") return percent(metric.value / 100);
  return metric.unit === "ms" ? time(metric.value) : `${rate(metric.value)} ${metric.unit}`;
};

function KeyMetrics({ metrics, total }) {
  const limit = (value) => value.toLocaleString("en");
  const failed = total.requests ? total.failures / total.requests : 0;
  return html`<section class="card metrics-card"><h2>Key metrics</h2>
    <table class="metrics"><caption class="hidden">Key metrics of the whole test, graded</caption>
      <thead><tr><th scope="col" class="text">Whole test</th><th scope="col" class="num">Measured</th><th scope="col" class="text">Grade</th></tr></thead>
      <tbody>${metrics.map((metric) => html`<tr>
        <th scope="row" class="text">${metric.name}<small>good ${metric.less ? "<" : ">"} ${limit(metric.good)}, poor ${metric.less ? ">" : "<"} ${limit(metric.poor)} ${metric.unit}</small></th>
        <td class="num">${shown(metric)}</td>
        <td class="text">${metric.grade ? html`<span class="grade ${metric.grade}">${metric.grade}</span>` : html`<span class="soft">–</span>`}</td></tr>`)}</tbody>
    </table>
    ${failed >= NOTABLE_FAILURES && html`<p class="hint">Response times count the ${count(total.failures)} requests that failed, too: ${percent(failed)} of all.</p>`}</section>`;
}

function Generator({ load, cutOff }) {
  const used = Math.min(100, load.users_cpu);
  const lag = load.lag_ms;
  // Half a second fills the bar: long before that, users wait.
  const late = Math.min(100, (lag ?? 0) / 5);
  return html`<section class="card"><h2>Load generator</h2>
    <p class="gauge"><span>Users' thread</span><span class="track"><span class=${`fill ${load.bound ? "bad" : ""}`} style=${{ width: `${used}%` }}></span></span><b>${Math.round(load.users_cpu)} %</b></p>
    <p class="gauge" title="The most that a timer of the event loop was late since the last look"><span>Event loop late by</span><span class="track"><span class=${`fill ${load.late ? "bad" : ""}`} style=${{ width: `${late}%` }}></span></span><b>${time(lag)}</b></p>
    <p class="hint">${load.bound ? "It is the bottleneck: users make fewer requests than they could. Response times stay true."
      : load.late ? "Users wait for the event loop, which takes little CPU: a call blocks it, or other programs take its core. Response times stay true." : "It has time to spare: the load is what the users ask for."}
      ${` Process: ${Math.round(load.cpu)} % of ${load.cores * 100} %, ${Math.round(load.memory)} MB.`}${cutOff > 0 ? ` ${count(cutOff)} requests were cut off at the end.` : ""}</p></section>`;
}
