// What there is to learn from, and more of it.
import { html, useState } from "../vendor/htm-preact.js";
import { lacking } from "../api.js";
import { kept } from "../kept.js";
import { Bars, CLASSES, Drop, Notice, spoken, usePolled } from "../parts.js";
import { answered, refusals, send, upload } from "./upload.js";

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

const chosen = kept("");

function Upload({ onDone }) {
  const label = chosen.use();
  const state = upload.use();
  const [isLabelMissing, setLabelMissing] = useState(false);
  const choose = (name) => { setLabelMissing(false); chosen.set(name); };
  const take = async (files) => {
    setLabelMissing(!label);
    if (!label) return;
    await send(label, files);
    onDone();
  };
  const busy = state && !state.isOver ? `Sending: ${answered(state)} of ${state.total} are there.` : "";
  return html`
    <section class="card">
      <h2>Add training images</h2>
      <fieldset class="choices"><legend>What they show</legend>${CLASSES.map((name) => html`
        <label><input type="radio" name="label" value=${name} checked=${label === name} disabled=${busy !== ""} onChange=${() => choose(name)} /> ${spoken(name)}</label>`)}
      </fieldset>
      <${Drop} label="Images of one class" onFiles=${take} busy=${busy} />
      ${isLabelMissing ? html`<${Notice} error=${lacking("Say first what the images show, then choose them again.")} />`
        : state && state.isOver && html`<${Outcome} state=${state} />`}
    </section>`;
}

function Outcome({ state }) {
  const { label, stored, known, refused, stopped, total } = state;
  const before = known ? `; ${known} known already` : "";
  const done = stored + known ? `Stored ${stored} new ${stored === 1 ? "image" : "images"} as ${spoken(label)}${before}.` : "";
  return html`
    <${Notice} done=${done} />
    ${stopped && html`<${Notice} error=${lacking(`${total - answered(state)} of ${total} were not sent on: ${stopped.message}`)} />`}
    ${refused.length > 0 && html`<div class="notice bad" role="alert">Not stored:
      <ul>${refusals(state).map((line) => html`<li>${line}</li>`)}</ul></div>`}`;
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
