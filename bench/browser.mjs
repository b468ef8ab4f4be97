// What the page feels like with 500 endpoints and an hour of history, in headless Chromium:
//
//   (cd tests/browser && npm ci) && cargo build --release -p acrida-web --benches && node bench/browser.mjs
//
// The page is real, and so is its server; only the run is simulated (load/web/benches/simulated_run.rs).
// SECONDS says how long each tab is watched (20).
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { startBrowser } from "../tests/browser/support.mjs";

const ROOT = path.join(import.meta.dirname, "..");
const SECONDS = Number(process.env.SECONDS || 20);
const TABS = ["overview", "statistics", "charts"];
const RUNS = 5;

const serve = String(RUNS * 5 + TABS.length * (SECONDS + 5) + 60);
const cargo = spawn("cargo", ["bench", "--quiet", "-p", "acrida-web", "--bench", "simulated_run", "--", "--hours", "1", "--serve", serve],
  { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"], detached: true });
const url = await new Promise((resolve, reject) => {
  createInterface(cargo.stdout).on("line", (line) => line.startsWith("listening on ") && resolve(line.slice("listening on ".length)));
  cargo.on("exit", (code) => reject(new Error(`the simulation ended with ${code}`)));
});
const browser = await startBrowser();
const rounded = (value) => Math.round(value * 10) / 10;
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function firstPaint() {
  const page = await (await browser.newContext({ viewport: { width: 1360, height: 900 } })).newPage();
  await page.goto(url);
  await page.waitForSelector("#panel canvas");
  const times = await page.evaluate(() => ({
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    full: performance.now(),
    bytes: performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
      .filter((entry) => !/live\/(events|history)/.test(entry.name)).reduce((sum, entry) => sum + entry.transferSize, 0),
  }));
  await page.context().close();
  return times;
}

/** How long the page's own thread is busy at a stretch, and the time between frames, while the stream updates a tab. */
async function smoothness(tab) {
  const page = await (await browser.newContext({ viewport: { width: 1360, height: 900 } })).newPage();
  await page.goto(`${url}#${tab}`);
  await page.waitForSelector("#panel");
  await page.waitForTimeout(3_000); // What opening takes is another figure.
  const seen = await page.evaluate((ms) => new Promise((resolve) => {
    const long = [];
    const frames = [];
    new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask" });
    const began = performance.now();
    let last = began;
    const frame = (now) => {
      frames.push(now - last);
      last = now;
      if (now - began < ms) requestAnimationFrame(frame);
      else resolve({ long, frames: frames.sort((a, b) => a - b), heap: performance.memory.usedJSHeapSize });
    };
    requestAnimationFrame(frame);
  }), SECONDS * 1_000);
  await page.context().close();
  const { long, frames, heap } = seen;
  return {
    "long tasks": long.length, "longest task (ms)": rounded(Math.max(0, ...long)), "blocked (% of time)": rounded(long.reduce((sum, ms) => sum + ms, 0) / SECONDS / 10),
    "median frame (ms)": rounded(median(frames)), "p99 frame (ms)": rounded(frames[Math.floor(frames.length * 0.99)]), "heap (MB)": rounded(heap / 1e6),
  };
}

try {
  const paints = [];
  for (let run = 0; run < RUNS; run++) paints.push(await firstPaint());
  console.log(`first contentful paint: ${paints.map((each) => Math.round(each.paint)).join(", ")} ms (median ${Math.round(median(paints.map((each) => each.paint)))}, goal 500)`);
  console.log(`charts of an hour drawn: median ${Math.round(median(paints.map((each) => each.full)))} ms; over the wire without figures: ${paints[0].bytes} bytes (goal 250,000)`);
  const table = {};
  for (const tab of TABS) table[tab] = await smoothness(tab);
  console.table(table);
} finally {
  await browser.close();
  process.kill(-cargo.pid);
}
