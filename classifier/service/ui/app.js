// The frame around the tabs.
import { html, render, useEffect, useState } from "./vendor/htm-preact.js";
import { storeKey, storedKey } from "./api.js";
import { usePolled } from "./parts.js";
import { Predict } from "./predict/tab.js";
import { Dataset } from "./dataset/tab.js";
import { Retrain } from "./retrain/tab.js";
import { Models } from "./models/tab.js";
import { Service } from "./service/tab.js";
import { Docs } from "./docs/tab.js";

const TABS = [
  ["predict", "Predict", Predict],
  ["dataset", "Training data", Dataset],
  ["retrain", "Retrain", Retrain],
  ["models", "Model versions", Models],
  ["service", "Service", Service],
  ["docs", "API", Docs],
];

/** `/docs` is the page with its last tab open. */
const tabNamed = () => location.hash.slice(1) || (location.pathname === "/docs" ? "docs" : "predict");

function App() {
  const [tab, setTab] = useState(tabNamed());
  useEffect(() => {
    const changed = () => setTab(tabNamed());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  const { data: health, error } = usePolled("/health", 2000);
  const [, , Tab] = TABS.find(([name]) => name === tab) || TABS[0];
  const state = error ? "bad" : "good";
  return html`
    <header>
      <h1>Brain MRI classifier</h1>
      <p class="soft">Made to be load-tested. <strong>Not a medical device.</strong></p>
      <p class=${`health ${state}`} role="status">${error ? error.message : health ? `${health.status}, model ${health.model_version}` : "…"}</p>
    </header>
    <nav aria-label="Tabs">${TABS.map(([name, title]) => html`
      <a href=${`#${name}`} aria-current=${name === tab ? "page" : undefined}>${title}</a>`)}
      <${Key} />
    </nav>
    <main><${Tab} version=${health ? health.model_version : ""} /></main>`;
}

/** For services that ask for one. */
function Key() {
  const [key, setKey] = useState(storedKey());
  return html`<label class="key">API key <input type="password" autocomplete="off" placeholder="if asked for" value=${key}
    onInput=${(event) => { setKey(event.target.value); storeKey(event.target.value); }} /></label>`;
}

render(html`<${App} />`, document.getElementById("app"));
