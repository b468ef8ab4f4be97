// Tabs that the locustfile adds: Locust's extended_tabs, extended_tables and extended_stats.
import { html, useEffect, useState } from "../vendor/htm-preact.js";
import { getJson } from "../api.js";
import { Table } from "../table.js";

const { extended_tabs: tabs, extended_tables: tables } = window.templateArgs;
/** How often the rows are asked for; the server makes them every two seconds. */
const INTERVAL_MS = 2_000;

/** Entries for the list of tabs. */
export const EXTENDED_TABS = (tabs || []).map(({ key, title }) => [key, title, () => html`<${Extended} id=${key} title=${title} />`]);

/** @param {{id: string, title: string}} props */
function Extended({ id, title }) {
  const [rows, setRows] = useState(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const look = () => getJson("stats/requests").then((stats) => {
      const own = (stats.extended_stats || []).find(({ key }) => key === id);
      setRows(own ? own.data : []);
      setProblem("");
    }, (error) => setProblem(error.message));
    look();
    const timer = setInterval(look, INTERVAL_MS);
    return () => clearInterval(timer);
  }, [id]);
  const table = (tables || []).find(({ key }) => key === id);
  if (!table) return html`<p class="card empty">The locustfile has no table with the key "${id}".</p>`;
  if (!rows) return html`<p class="loading" role="status">${problem || "Loading…"}</p>`;
  const columns = table.structure.map(({ key, title }) => ({ key, label: title, text: typeof rows[0]?.[key] === "string" }));
  return html`<${Table} columns=${columns} rows=${rows} rowKey=${(row) => JSON.stringify(row)} caption=${title}
    empty="There is nothing yet." />`;
}
