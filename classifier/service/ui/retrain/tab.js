// Starting a retraining, and watching it.
import { html, useState } from "../vendor/htm-preact.js";
import { post } from "../api.js";
import { Notice, clock, percent, usePolled } from "../parts.js";

/** @type {[string, string, Record<string, any>][]} */
const FIELDS = [
  ["epochs", "Epochs", { min: 1, max: 100, step: 1 }],
  ["batch_size", "Batch size", { min: 16, max: 256, step: 16 }],
  ["learning_rate", "Learning rate", { min: 0, max: 0.1, step: "any" }],
];
const ACTIVE = ["queued", "running"];

export function Retrain() {
  const [settings, setSettings] = useState({ epochs: 5, batch_size: 32, learning_rate: 0.0001 });
  const [state, setState] = useState({ error: null, done: "" });
  const { data, error, again } = usePolled("/retrain_jobs", 1000);
  const attempt = async (work) => {
    try {
      setState({ error: null, done: await work() });
    } catch (failure) {
      setState({ error: failure, done: "" });
    }
    again();
  };
  const start = (event) => {
    event.preventDefault();
    attempt(async () => (await post("/retrain", settings)).message);
  };
  const cancel = (id) => attempt(async () => (await post(`/retrain_jobs/${id}/cancel`)).message);
  return html`
    <form class="card settings" onSubmit=${start}>
      <h2>Learn from uploads and base images</h2>
      <p class="soft">Runs in the background, while predictions go on. The result serves only if it is not worse.</p>
      ${FIELDS.map(([name, title, limits]) => html`<label>${title}
        <input type="number" name=${name} required ...${limits} value=${settings[name]}
          onInput=${(event) => setSettings({ ...settings, [name]: Number(event.target.value) })} /></label>`)}
      <button class="primary">Retrain</button>
      <${Notice} ...${state} />
    </form>
    <${Notice} error=${error} />
    ${data && html`
      <h2>Jobs: ${data.total_jobs}</h2>
      <div class="jobs">${Object.values(data.jobs).map((job) => html`<${Job} key=${job.job_id} job=${job} onCancel=${cancel} />`)}</div>`}`;
}

const Job = ({ job, onCancel }) => html`
  <article class=${`card job ${job.status}`}>
    <h3>${job.job_id} <span class=${`badge ${job.status}`}>${job.status}</span></h3>
    <progress max="100" value=${job.progress} aria-label=${`Progress of ${job.job_id}`}></progress>
    <p>${job.progress} % · held-out accuracy ${percent(job.accuracy)} · loss ${job.loss === null ? "–" : job.loss.toFixed(3)}
      ${" "}· ${job.epochs} epochs, batches of ${job.batch_size}, rate ${job.learning_rate}</p>
    ${(job.error || job.message) && html`<p class=${job.error ? "bad" : ""}>${job.error || job.message}</p>`}
    <p class="soft">Asked for ${clock(job.created_at)}${job.completed_at ? `, ended ${clock(job.completed_at)}` : ""}</p>
    ${ACTIVE.includes(job.status) && html`<button onClick=${() => onCancel(job.job_id)}>Cancel</button>`}
  </article>`;
