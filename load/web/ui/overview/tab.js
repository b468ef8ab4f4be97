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
    <div class="side"><${KeyMetrics} metrics=${frame.metrics} now=${frame.metrics_now} total=${frame.total} /><${Generator} load=${frame.load} cutOff=${frame.cut_off} />
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

function KeyMetrics({ metrics, now, total }) {
  const limit = (value) => value.toLocaleString("en");
  const failed = total.requests ? total.failures / total.requests : 0;
  const times = now ? [["Last 10 s", now], ["Whole test", metrics]] : [["Whole test", metrics]];
  return html`<section class="card metrics-card"><h2>Key metrics</h2>
    <table class="metrics"><caption class="hidden">Key metrics, graded</caption>
      <thead><tr><td></td>${times.map(([title]) => html`<th scope="col" class="num">${title}</th>`)}</tr></thead>
      <tbody>${metrics.map((metric, row) => html`<tr>
        <th scope="row" class="text">${metric.name}<small>good ${metric.less ? "<" : ">"} ${limit(metric.good)}, poor ${metric.less ? ">" : "<"} ${limit(metric.poor)} ${metric.unit}</small></th>
        ${times.map(([, graded]) => html`<td class="num">${shown(graded[row])}<${Grade} of=${graded[row].grade} /></td>`)}</tr>`)}</tbody>
    </table>
    ${failed >= NOTABLE_FAILURES && html`<p class="hint">Response times count the ${count(total.failures)} requests that failed, too: ${percent(failed)} of all.</p>`}</section>`;
}

function Grade({ of }) {
  return of ? html`<span class="grade ${of}">${of}</span>` : html`<span class="grade none">not graded</span>`;
}

function Generator({ load, cutOff }) {
  const used = Math.min(100, load.users_cpu);
  const lag = load.lag_ms;
  // Half a second fills the bar: long before that, users wait.
  const late = Math.min(100, (lag ?? 0) / 5);
  return html`<section class="card"><h2>Load generator</h2>
    <p class="gauge" title="Of one core, which all users share"><span>CPU for users’ code</span><span class="track"><span class=${`fill ${load.bound ? "bad" : ""}`} style=${{ width: `${used}%` }}></span></span><b>${Math.round(load.users_cpu)} %</b></p>
    <p class="gauge" title="How late the event loop was at most since the last look"><span>Users’ turns late by</span><span class="track"><span class=${`fill ${load.late ? "bad" : ""}`} style=${{ width: `${late}%` }}></span></span><b>${time(lag)}</b></p>
    <p class="hint">${load.bound ? "It is the bottleneck: users make fewer requests than they could. Response times stay true."
      : load.late ? "Users wait for the event loop, which takes little CPU: a call blocks it, or other programs take its core. Response times stay true." : "It has time to spare: the load is what the users ask for."}
      ${` The whole process takes ${Math.round(load.cpu)} % of a core (there are ${load.cores}) and ${Math.round(load.memory)} MB.`}${cutOff > 0 ? ` ${count(cutOff)} requests were cut off at the end.` : ""}</p></section>`;
}
