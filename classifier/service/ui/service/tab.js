// Whether the service is well, and what it does.
import { html } from "../vendor/htm-preact.js";
import { Bars, CLASSES, Notice, usePolled } from "../parts.js";

export function Service() {
  const { data: metrics, error } = usePolled("/metrics", 1000);
  const { data: ready } = usePolled("/ready", 2000);
  return html`
    <${Notice} error=${error} />
    ${error && metrics && html`<p class="soft">What follows was so before.</p>`}
    <div class=${`columns ${error ? "past" : ""}`}>
      <section class="card">
        <h2>Readiness</h2>
        ${ready && !error && html`<ul>
          <li>${ready.ready ? "Ready for requests" : "Not ready"}</li>
          <li>The store ${ready.store ? "answers" : "does not answer"}</li>
          <li>The queue ${ready.queue ? "has room" : "is full"}</li></ul>`}
        ${metrics && html`<dl class="facts">
          <div><dt>Up for</dt><dd>${span(metrics.uptime_seconds)}</dd></div>
          <div><dt>Requests, this page's too</dt><dd>${metrics.request_count}</dd></div>
          <div><dt>Network, mean of all images</dt><dd>${metrics.mean_inference_time_ms === null ? "–" : `${metrics.mean_inference_time_ms.toFixed(2)} ms`}</dd></div>
          <div><dt>Images waiting</dt><dd>${metrics.waiting_images}</dd></div></dl>`}
      </section>
      ${metrics && html`
        <section class="card"><h2>Predictions</h2>
          <${Bars} values=${metrics.predictions} text=${String} highest=${Math.max(...CLASSES.map((name) => metrics.predictions[name]))} />
          <h3>The latest ${metrics.latest_latencies_ms.length}, in milliseconds</h3>
          <${Line} values=${metrics.latest_latencies_ms} />
        </section>
        <section class="card"><h2>Requests</h2>
          <div class="wide"><table class="requests"><thead><tr><th scope="col">Request</th><th scope="col">Status</th><th scope="col">Count</th></tr></thead><tbody>${metrics.requests.map((line) => html`
            <tr><th scope="row">${line.method} ${line.path}</th><td>${line.status}</td><td>${line.count}</td></tr>`)}</tbody></table></div>
        </section>`}
    </div>`;
}

/** @param {number} seconds */
const span = (seconds) => seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;

const Line = ({ values }) => {
  if (values.length < 2) return html`<p class="soft">Not enough of them yet.</p>`;
  const highest = Math.max(...values);
  const points = values.map((value, i) => `${(300 * i / (values.length - 1)).toFixed(1)},${(78 - 74 * value / highest).toFixed(1)}`);
  return html`<svg class="line" viewBox="0 0 300 80" role="img" aria-label=${`Up to ${highest.toFixed(1)} milliseconds`}>
    <polyline points=${points.join(" ")} /></svg><p class="soft">Up to ${highest.toFixed(1)} ms</p>`;
};
