// What there is to learn from, and more of it.
import { html, useState } from "../vendor/htm-preact.js";
import { postFiles } from "../api.js";
import { Bars, CLASSES, Drop, Notice, spoken, usePolled } from "../parts.js";

export function Dataset() {
  const { data, error, again } = usePolled("/dataset_stats", 5000);
  return html`
    <${Upload} onDone=${again} />
    <${Notice} error=${error} />
    ${data && html`
      <div class="columns">
        <${Part} title="Uploads" part=${data.uploads} />
        ${data.base ? html`<${Part} title="Base images" part=${data.base} />`
          : html`<section class="card"><h2>Base images</h2><p class="soft">There are none, or they are still looked through.</p></section>`}
      </div>`}`;
}

function Upload({ onDone }) {
  const [label, setLabel] = useState("");
  const [state, setState] = useState({ error: null, done: "" });
  const [busy, setBusy] = useState(false);
  const send = async (files) => {
    if (!label) {
      setState({ error: new Error("Say first what the images show"), done: "" });
      return;
    }
    setBusy(true);
    try {
      const answer = await postFiles(`/upload_training_data?label=${label}`, "files", files);
      setState({ error: null, done: answer.message });
      onDone();
    } catch (error) {
      setState({ error, done: "" });
    }
    setBusy(false);
  };
  return html`
    <section class="card">
      <h2>Add training images</h2>
      <fieldset class="choices"><legend>What they show</legend>${CLASSES.map((name) => html`
        <label><input type="radio" name="label" value=${name} checked=${label === name} onChange=${() => setLabel(name)} /> ${spoken(name)}</label>`)}
      </fieldset>
      <${Drop} label="Images of one class" onFiles=${send} busy=${busy} />
      <${Notice} ...${state} />
    </section>`;
}

/** @type {[string, string, (value: number | null) => string][]} */
const CHARTS = [
  ["Images", "images", (count) => String(count)],
  ["Mean brightness, 0 to 255", "mean_brightness", (value) => value === null ? "–" : value.toFixed(0)],
  ["Mean width, pixels", "mean_width", (value) => value === null ? "–" : value.toFixed(0)],
  ["Mean height, pixels", "mean_height", (value) => value === null ? "–" : value.toFixed(0)],
];

const Part = ({ title, part }) => html`
  <section class="card">
    <h2>${title}: ${part.images}</h2>
    ${CHARTS.map(([name, field, text]) => {
      const values = Object.fromEntries(CLASSES.map((label) => [label, part.classes[label][field]]));
      const highest = Math.max(...Object.values(values).map(Number));
      return html`<h3>${name}</h3><${Bars} values=${values} text=${text} highest=${highest} />`;
    })}
  </section>`;
