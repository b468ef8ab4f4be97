// How often each user class and each task runs.
import { html } from "../vendor/htm-preact.js";
import { usePolled } from "../store.js";

export function Ratio() {
  const ratios = usePolled("tasks", 5);
  if (!ratios) return html`<p class="loading">Loading…</p>`;
  return html`<div class="two">
    <section class="card"><h2>Within each user class</h2><${Tree} tasks=${ratios.per_class} /></section>
    <section class="card"><h2>Of everything</h2><${Tree} tasks=${ratios.total} /></section></div>`;
}

function Tree({ tasks }) {
  return html`<ul class="tree">${Object.entries(tasks).map(([name, task]) => html`<li key=${name}>
    <p><span>${name}</span><span class="track" aria-hidden="true"><span class="fill" style=${{ width: `${task.ratio * 100}%` }}></span></span><b>${(task.ratio * 100).toFixed(1)} %</b></p>
    ${task.tasks && html`<${Tree} tasks=${task.tasks} />`}</li>`)}</ul>`;
}
