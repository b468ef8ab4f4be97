// A table that sorts by any column. Of a long one, only the rows in sight are made.
import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";

/**
 * @typedef {{key: string, label: string, title?: string, text?: boolean,
 *            value?: (row: any) => any, show?: (row: any) => any, plain?: boolean}} Column
 */

/** From so many rows of one height on, those out of sight are left out. */
const LONG = 100;
/** Rows that are made beyond what is in sight, in each direction. */
const BEYOND = 12;

const { compare: byName } = new Intl.Collator("en", { numeric: true });

/**
 * `uniform` says that every row is one line, so that a long table can leave out rows.
 * @param {{columns: Column[], rows: any[], foot?: any, first?: {key: string, down: boolean},
 *          rowKey: (row: any) => string, caption: string, empty: string,
 *          onPick?: (row: any) => void, titleOf?: (row: any) => string, uniform?: boolean}} props
 */
export function Table({ columns, rows, foot, first, rowKey, caption, empty, onPick, titleOf, uniform }) {
  const [order, setOrder] = useState(first || { key: columns[0].key, down: false });
  const column = columns.find((column) => column.key === order.key) || columns[0];
  const value = column.value || ((row) => row[column.key]);
  const sorted = [...rows].sort((a, b) => compare(value(a), value(b)) * (order.down ? -1 : 1));
  const isLong = Boolean(uniform) && rows.length > LONG;
  const { box, from, to, height } = useWindow(isLong, rows.length);
  const sortBy = (next) =>
    setOrder({ key: next.key, down: next.key === order.key ? !order.down : !next.text });
  const cell = (row, column) => (column.show || column.value || ((row) => row[column.key]))(row);
  const line = (row, key, at, extra) => html`<tr key=${key} class=${extra} aria-rowindex=${isLong ? at : undefined}>
    ${columns.map((column, at) => {
      const content = cell(row, column);
      const inside = at === 0 && onPick && !extra
        ? html`<button class="link" onClick=${() => onPick(row)}>${content}</button>` : content;
      return html`<td class=${column.text ? "text" : "num"} title=${at === 0 && titleOf && !extra ? titleOf(row) : undefined}>${inside}</td>`;
    })}
  </tr>`;
  const gap = (key, count) => isLong && html`<tr key=${key} class="gap" aria-hidden="true"><td colspan=${columns.length} style=${{ height: `${count * height}px` }}></td></tr>`;
  return html`<div class="scroll ${uniform ? "uniform" : ""}" ref=${box} tabindex="0" role="region" aria-label=${caption}>
    <table aria-rowcount=${isLong ? rows.length + 1 : undefined}>
      <caption class="hidden">${caption}</caption>
      <thead><tr>${columns.map((column) => html`<th scope="col" class=${column.text ? "text" : "num"}
        aria-sort=${column.key === order.key ? (order.down ? "descending" : "ascending") : undefined}>
        ${column.plain ? column.label : html`<button class="sort" title=${column.title} onClick=${() => sortBy(column)}>
          ${column.label}<span aria-hidden="true">${column.key === order.key ? (order.down ? " ↓" : " ↑") : ""}</span>
        </button>`}</th>`)}</tr></thead>
      <tbody>${gap("before", from)}
        ${sorted.slice(from, to).map((row, at) => line(row, rowKey(row), from + at + 2, ""))}
        ${gap("after", rows.length - to)}
        ${!rows.length && html`<tr><td class="empty" colspan=${columns.length}>${empty}</td></tr>`}</tbody>
      ${foot && html`<tfoot>${line(foot, "foot", 0, "foot")}</tfoot>`}
    </table>
  </div>`;
}

/** Which of `count` rows are in sight of a box that scrolls, if one has to know. */
function useWindow(isLong, count) {
  const box = useRef(null);
  const [seen, setSeen] = useState({ first: 0, shown: 30, height: 36 });
  useEffect(() => {
    if (!isLong) return;
    const look = () => {
      const height = box.current.querySelector("tbody tr:not(.gap)")?.offsetHeight || seen.height;
      const next = { first: Math.floor(box.current.scrollTop / height), shown: Math.ceil(box.current.clientHeight / height), height };
      setSeen((now) => (now.first === next.first && now.shown === next.shown && now.height === height ? now : next));
    };
    look();
    const resized = new ResizeObserver(look);
    resized.observe(box.current);
    box.current.addEventListener("scroll", look, { passive: true });
    return () => {
      resized.disconnect();
      box.current?.removeEventListener("scroll", look);
    };
  }, [isLong]);
  if (!isLong) return { box, from: 0, to: count, height: seen.height };
  // An even row first, so that stripes do not jump.
  const from = Math.max(0, Math.min(seen.first, count - seen.shown) - BEYOND) & ~1;
  return { box, from, to: Math.min(count, seen.first + seen.shown + BEYOND), height: seen.height };
}

function compare(a, b) {
  if (a == null || b == null) return (a == null ? 1 : 0) - (b == null ? 1 : 0);
  return typeof a === "string" ? byName(a, b) : a - b;
}
