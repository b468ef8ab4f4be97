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

/** The tab of the address; `/docs` is the page with its last tab open. */
function tabNamed() {
  const name = location.hash.slice(1) || (location.pathname === "/docs" ? "docs" : "");
  return TABS.find(([known]) => known === name) || TABS[0];
}

// A file that misses its place would otherwise be opened instead of the page.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());

function App() {
  const [[tab, title, Tab], setTab] = useState(tabNamed());
  useEffect(() => {
    const changed = () => setTab(tabNamed());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  useEffect(() => { document.title = `${title} · Brain MRI classifier`; }, [title]);
  const { data: health, error } = usePolled("/health", 2000);
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
    <main><${Tab} /></main>`;
}

/** For services that ask for one. */
function Key() {
  const [key, setKey] = useState(storedKey());
  return html`<form class="key" onSubmit=${(event) => event.preventDefault()}>
    <label>API key <input type="password" autocomplete="off" placeholder="if asked for" value=${key}
      onInput=${(event) => { setKey(event.target.value); storeKey(event.target.value); }} /></label></form>`;
}

render(html`<${App} />`, document.getElementById("app"));
