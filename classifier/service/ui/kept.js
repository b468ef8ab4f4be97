// State that outlives the tab that shows it.
import { useEffect, useState } from "./vendor/htm-preact.js";

/**
 * @template T
 * @param {T} initial
 * @returns {{ use: () => T, set: (next: T | ((before: T) => T)) => void }} `use` draws a component
 *   again whenever `set` has changed the value
 */
export function kept(initial) {
  let value = initial;
  /** @type {Set<(value: any) => void>} */
  const shown = new Set();
  const use = () => {
    const [now, show] = useState(value);
    useEffect(() => {
      shown.add(show);
      show(value);
      return () => { shown.delete(show); };
    }, []);
    return now;
  };
  const set = (next) => {
    value = typeof next === "function" ? next(value) : next;
    for (const show of shown) show(value);
  };
  return { use, set };
}

/**
 * Works on each of `items` in their order, a few at once, until `work` says `false`.
 * @template T
 * @param {T[]} items
 * @param {(item: T) => Promise<boolean | void>} work does not throw
 */
export async function eachOf(items, work) {
  const left = [...items];
  const worker = async () => {
    while (left.length) if (await work(left.shift()) === false) left.length = 0;
  };
  await Promise.all([worker(), worker(), worker()]);
}
