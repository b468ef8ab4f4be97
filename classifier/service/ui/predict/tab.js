// Images in, classes out, one card each.
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { postFiles } from "../api.js";
import { Bars, Drop, Notice, percent, spoken } from "../parts.js";
import { paint } from "./heat.js";

/** More than these are forgotten, the oldest first. */
const CARDS_MAX = 24;

export function Predict() {
  const [cards, setCards] = useState([]);
  const next = useRef(0);
  const add = (files) => {
    const added = files.map((file) => ({ id: next.current++, file }));
    setCards((before) => [...added, ...before].slice(0, CARDS_MAX));
  };
  return html`
    <${Drop} label="MRI images" onFiles=${add} />
    <div class="cards">${cards.map((card) => html`<${Card} key=${card.id} file=${card.file} />`)}</div>`;
}

function Card({ file }) {
  const [prediction, setPrediction] = useState(null);
  const [took, setTook] = useState(0);
  const [map, setMap] = useState(null);
  const [shown, setShown] = useState(true);
  const [error, setError] = useState(null);
  const canvas = useRef(null);
  const image = useRef(null);
  useEffect(() => {
    let ended = false;
    const run = async () => {
      image.current = await createImageBitmap(file).catch(() => null);
      const started = performance.now();
      const answer = await postFiles("/predict", "file", [file]);
      if (ended) return;
      setTook(performance.now() - started);
      setPrediction(answer);
      const explained = await postFiles("/explain", "file", [file]);
      if (!ended) setMap(explained.heat_map);
    };
    run().catch((failure) => { if (!ended) setError(failure); });
    return () => { ended = true; };
  }, [file]);
  useEffect(() => {
    if (image.current && canvas.current) paint(canvas.current, image.current, shown ? map : null);
  }, [map, shown, prediction]);
  return html`
    <article class="card prediction">
      <h3>${file.name}</h3>
      <${Notice} error=${error} />
      ${prediction && html`
        <canvas ref=${canvas} role="img" aria-label=${`${file.name}, ${map && shown ? "with" : "without"} a heat map`}></canvas>
        <p class="answer"><strong>${prediction.predicted_class}</strong> ${percent(prediction.confidence)}</p>
        <${Bars} values=${prediction.probabilities} text=${percent} chosen=${prediction.predicted_class_short} />
        <p class="soft">Network ${prediction.inference_time_ms.toFixed(1)} ms, request ${took.toFixed(0)} ms</p>
        ${map && html`<label><input type="checkbox" checked=${shown} onChange=${() => setShown(!shown)} />
          ${" "}Show what speaks for ${spoken(prediction.predicted_class_short)}</label>`}`}
      ${!prediction && !error && html`<p class="soft">…</p>`}
    </article>`;
}
