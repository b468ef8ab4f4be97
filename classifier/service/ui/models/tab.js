// Versions, what they are worth, and the way back.
import { html } from "../vendor/htm-preact.js";
import { post } from "../api.js";
import { CLASSES, Confusion, Notice, clock, percent, spoken, useAttempt, usePolled } from "../parts.js";

export function Models() {
  const { data, error, again } = usePolled("/model_versions", 3000);
  const { busy, attempt, ...outcome } = useAttempt(again);
  const serve = (version) => attempt(async () => {
    await post(`/model_versions/${version}/serve`);
    return `${version} serves now`;
  });
  return html`
    <p class="soft">A retrained version's accuracy is of the images that were kept out of that retraining. A model that came
      as a file brings its own figure, of other images: compare them with care.</p>
    <${Notice} ...${outcome} /><${Notice} error=${error} />
    ${data && data.versions.map((model) => html`
      <article class="card version" key=${model.version}>
        <h2>${model.version} ${model.serving ? html`<span class="badge completed">serves</span>`
          : html`<button disabled=${busy || error} onClick=${() => serve(model.version)}>Serve ${model.version}</button>`}</h2>
        <p>Accuracy ${percent(model.accuracy)}, ${model.job_id ? `made by ${model.job_id}` : "came as a file"}, ${clock(model.created_at)}</p>
        ${model.evaluation && html`<${Evaluation} evaluation=${model.evaluation} />`}
      </article>`)}`;
}

const Evaluation = ({ evaluation }) => html`
  <details><summary>${evaluation.images} held-out images, calibration error ${evaluation.calibration_error.toFixed(3)}</summary>
    <div class="columns">
      <${Confusion} confusion=${evaluation.confusion} />
      <div class="wide"><table><thead><tr><td></td>${["Images", "Precision", "Recall", "F1"].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>${evaluation.classes.map((scores, i) => html`<tr><th scope="row">${spoken(CLASSES[i])}</th>
          <td>${scores.images}</td><td>${percent(scores.precision)}</td><td>${percent(scores.recall)}</td><td>${percent(scores.f1)}</td></tr>`)}</tbody></table></div>
    </div>
  </details>`;
