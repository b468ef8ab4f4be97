// Starting a retraining, and watching it.
import { html } from "../vendor/htm-preact.js";
import { lacking, post } from "../api.js";
import { kept } from "../kept.js";
import { Notice, clock, percent, useAttempt, usePolled } from "../parts.js";

/** @type {[string, string, Record<string, any>][]} */
const FIELDS = [
  ["epochs", "Epochs", { type: "number", min: 1, max: 100, step: 1 }],
  ["batch_size", "Batch size", { type: "number", min: 16, max: 256, step: 16 }],
  // No number field: its arrows go in steps of 1, and of 0.0001 they allow nothing between.
  ["learning_rate", "Learning rate, up to 0.1", { type: "text", inputmode: "decimal" }],
];
const ACTIVE = ["queued", "running"];

/** As they were typed. */
const settings = kept({ epochs: "5", batch_size: "32", learning_rate: "0.0001" });

export function Retrain() {
  const texts = settings.use();
  const { data, error, again } = usePolled("/retrain_jobs", 1000);
  const { busy, attempt, ...outcome } = useAttempt(again);
  const start = (event) => {
    event.preventDefault();
    attempt(async () => {
      const numbers = Object.fromEntries(FIELDS.map(([name, title]) => {
        const number = Number(texts[name].trim() || NaN);
        if (Number.isNaN(number)) throw lacking(`${title}: "${texts[name]}" is not a number`);
        return [name, number];
      }));
      return (await post("/retrain", numbers)).message;
    });
  };
  const cancel = (id) => attempt(async () => (await post(`/retrain_jobs/${id}/cancel`)).message);
  return html`
    <form class="card settings" onSubmit=${start}>
      <h2>Learn from uploads and base images</h2>
      <p class="soft">Runs in the background, while predictions go on. The result serves only if it is not worse.</p>
      ${FIELDS.map(([name, title, kind]) => html`<label>${title}
        <input name=${name} required ...${kind} value=${texts[name]}
          onInput=${(event) => settings.set({ ...texts, [name]: event.target.value })} /></label>`)}
      <button class="primary" disabled=${busy}>Retrain</button>
      <${Notice} ...${outcome} />
    </form>
    <${Notice} error=${error} />
    ${data && html`
      <h2>Jobs: ${data.total_jobs}</h2>
      <div class="jobs">${Object.values(data.jobs).map((job) => html`
        <${Job} key=${job.job_id} job=${job} locked=${busy || error !== null} onCancel=${cancel} />`)}</div>`}`;
}

/** What became of a job: one that completed may have been no better. */
const outcomeOf = (job) => job.status === "completed" && !job.model_version ? "not used" : job.status;

const Job = ({ job, locked, onCancel }) => html`
  <article class=${`card job ${job.status}`}>
    <h3>${job.job_id} <span class=${`badge ${outcomeOf(job).replace(" ", "-")}`}>${outcomeOf(job)}</span></h3>
    <progress max="100" value=${job.progress} aria-label=${`Progress of ${job.job_id}`}></progress>
    <p>${job.progress} % · held-out accuracy ${percent(job.accuracy)} · loss ${job.loss === null ? "–" : job.loss.toFixed(3)}
      ${" "}· ${job.epochs} epochs, batches of ${job.batch_size}, rate ${job.learning_rate}</p>
    ${(job.error || job.message) && html`<p class=${job.error ? "bad" : ""}>${job.error || job.message}</p>`}
    <p class="soft">Asked for ${clock(job.created_at)}${job.completed_at ? `, ended ${clock(job.completed_at)}` : ""}</p>
    ${ACTIVE.includes(job.status) && html`<button disabled=${locked} onClick=${() => onCancel(job.job_id)}>Cancel</button>`}
  </article>`;
