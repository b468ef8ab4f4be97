// Images in, classes out, one card each.
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { kept } from "../kept.js";
import { Bars, Drop, Notice, percent, spoken } from "../parts.js";
import { CARDS_MAX, add, cards, predict } from "./cards.js";
import { paint } from "./heat.js";

/** How many files were given last. */
const given = kept(0);

export function Predict() {
  const all = cards.use();
  const count = given.use();
  const take = (files) => { given.set(files.length); add(files); };
  return html`
    <${Drop} label="MRI images" onFiles=${take} />
    <p class="soft">Each is called one of four classes, whatever it shows.
      ${count > CARDS_MAX && html` <strong role="status">Only the first ${CARDS_MAX} of ${count} files were taken: there is no room for more at once.</strong>`}</p>
    ${all.length > 0 && html`<p><button onClick=${() => { given.set(0); cards.set([]); }}>Clear ${all.length} ${all.length === 1 ? "image" : "images"}</button></p>`}
    <div class="cards" aria-live="polite">${all.map((card) => html`<${Card} key=${card.id} card=${card} />`)}</div>`;
}

function Card({ card }) {
  const { file, picture, prediction, map, took_ms, error } = card;
  const [shown, setShown] = useState(true);
  const canvas = useRef(null);
  useEffect(() => {
    if (picture && canvas.current) paint(canvas.current, picture, shown ? map : null);
  }, [picture, map, shown]);
  return html`
    <article class="card prediction">
      <h2>${file.name}</h2>
      <${Notice} error=${error} />
      ${error && error.mayPass && html`<button onClick=${() => predict(card)}>Try again</button>`}
      ${prediction && html`
        ${picture && html`<canvas ref=${canvas} role="img" aria-label=${`${file.name}, ${map && shown ? "with" : "without"} a heat map`}></canvas>`}
        <p class="answer"><strong>${prediction.predicted_class}</strong> ${percent(prediction.confidence)}</p>
        <${Bars} values=${prediction.probabilities} text=${percent} chosen=${prediction.predicted_class_short} />
        <p class="soft">Network ${prediction.inference_time_ms.toFixed(1)} ms, request ${took_ms.toFixed(0)} ms</p>
        ${map && picture && html`<label><input type="checkbox" checked=${shown} onChange=${() => setShown(!shown)} />
          ${" "}Colour what speaks for ${spoken(prediction.predicted_class_short)}</label>`}`}
      ${!prediction && !error && html`<p class="soft">…</p>`}
    </article>`;
}
