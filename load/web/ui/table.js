// A table that sorts by any column.
import { html, useState } from "./vendor/htm-preact.js";

/**
 * @typedef {{key: string, label: string, title?: string, text?: boolean,
 *            value?: (row: any) => any, show?: (row: any) => any, plain?: boolean}} Column
 */

/**
 * @param {{columns: Column[], rows: any[], foot?: any, first?: {key: string, down: boolean},
 *          rowKey: (row: any) => string, caption: string, empty: string,
 *          onPick?: (row: any) => void}} props
 */
export function Table({ columns, rows, foot, first, rowKey, caption, empty, onPick }) {
  const [order, setOrder] = useState(first || { key: columns[0].key, down: false });
  const column = columns.find((column) => column.key === order.key) || columns[0];
  const value = column.value || ((row) => row[column.key]);
  const sorted = [...rows].sort((a, b) => compare(value(a), value(b)) * (order.down ? -1 : 1));
  const sortBy = (next) =>
    setOrder({ key: next.key, down: next.key === order.key ? !order.down : !next.text });
  const cell = (row, column) => (column.show || column.value || ((row) => row[column.key]))(row);
  const line = (row, key, extra) => html`<tr key=${key} class=${extra}>
    ${columns.map((column, at) => {
      const content = cell(row, column);
      const inside = at === 0 && onPick && !extra
        ? html`<button class="link" onClick=${() => onPick(row)}>${content}</button>` : content;
      return html`<td class=${column.text ? "text" : "num"}>${inside}</td>`;
    })}
  </tr>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}>
    <table>
      <caption class="hidden">${caption}</caption>
      <thead><tr>${columns.map((column) => html`<th scope="col" class=${column.text ? "text" : "num"}
        aria-sort=${column.key === order.key ? (order.down ? "descending" : "ascending") : undefined}>
        ${column.plain ? column.label : html`<button class="sort" title=${column.title} onClick=${() => sortBy(column)}>
          ${column.label}<span aria-hidden="true">${column.key === order.key ? (order.down ? " ↓" : " ↑") : ""}</span>
        </button>`}</th>`)}</tr></thead>
      <tbody>${sorted.map((row) => line(row, rowKey(row), ""))}
        ${!rows.length && html`<tr><td class="empty" colspan=${columns.length}>${empty}</td></tr>`}</tbody>
      ${foot && html`<tfoot>${line(foot, "foot", "foot")}</tfoot>`}
    </table>
  </div>`;
}

function compare(a, b) {
  if (a == null || b == null) return (a == null ? 1 : 0) - (b == null ? 1 : 0);
  return typeof a === "string" ? a.localeCompare(b) : a - b;
}
