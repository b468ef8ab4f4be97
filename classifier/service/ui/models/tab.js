// Versions, what they are worth, and the way back.
import { html, useState } from "../vendor/htm-preact.js";
import { post } from "../api.js";
import { CLASSES, Confusion, Notice, clock, percent, spoken, usePolled } from "../parts.js";

export function Models() {
  const { data, error, again } = usePolled("/model_versions", 3000);
  const [state, setState] = useState({ error: null, done: "" });
  const serve = async (version) => {
    try {
      await post(`/model_versions/${version}/serve`);
      setState({ error: null, done: `${version} serves now` });
    } catch (failure) {
      setState({ error: failure, done: "" });
    }
    again();
  };
  return html`
    <p class="soft">Retrained versions were judged by images that were held out of their own training: of one version, not
      comparable with the figure of a model that came as a file.</p>
    <${Notice} ...${state} /><${Notice} error=${error} />
    ${data && data.versions.map((model) => html`
      <article class="card version" key=${model.version}>
        <h2>${model.version} ${model.serving ? html`<span class="badge completed">serves</span>`
          : html`<button onClick=${() => serve(model.version)}>Serve ${model.version}</button>`}</h2>
        <p>Accuracy ${percent(model.accuracy)}, ${model.job_id ? `made by ${model.job_id}` : "came as a file"}, ${clock(model.created_at)}</p>
        ${model.evaluation && html`<${Evaluation} evaluation=${model.evaluation} />`}
      </article>`)}`;
}

const Evaluation = ({ evaluation }) => html`
  <details><summary>${evaluation.images} held-out images, calibration error ${evaluation.calibration_error.toFixed(3)}</summary>
    <div class="columns">
      <${Confusion} confusion=${evaluation.confusion} />
      <table><thead><tr><th></th><th>Images</th><th>Precision</th><th>Recall</th></tr></thead>
        <tbody>${evaluation.classes.map((scores, i) => html`<tr><th scope="row">${spoken(CLASSES[i])}</th>
          <td>${scores.images}</td><td>${percent(scores.precision)}</td><td>${percent(scores.recall)}</td></tr>`)}</tbody></table>
    </div>
  </details>`;
