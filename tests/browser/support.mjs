// What the browser test stands on: a server to load, the command, and Chromium.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const HERE = import.meta.dirname;
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const TABS = ["overview", "statistics", "charts", "failures", "exceptions", "ratio", "logs", "runs", "downloads"];

/** A number of the header, as text. */
export const figure = (page, name) => page.locator(`.figures div:has(dt:text-is("${name}")) dd`).innerText();
/** What the header says that the test does. */
export const state = (page) => page.locator("header .state").first().innerText();

/** A server with quick, slow and failing answers, on a free port of this machine. */
export function startTarget() {
  const server = http.createServer((request, answer) => {
    request.resume();
    request.on("end", () => {
      const url = request.url;
      const failed = url === "/missing" ? 404 : url.includes("script") ? 500 : 200;
      const wait = url === "/predict" ? 60 + Math.random() * 120 : url === "/retrain_jobs" ? 300 : 2 + Math.random() * 4;
      setTimeout(() => { answer.statusCode = failed; answer.end("{\"status\":\"ok\"}"); }, wait);
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => { server.closeAllConnections(); server.close(); },
  })));
}

export function temporaryFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "page-"));
  return { path: folder, remove: () => fs.rmSync(folder, { recursive: true }) };
}

export function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The command under test, serving its page. */
export const startAcrida = (...args) => startAcridaWith("locustfile.py", ...args);

/** The same, with another locustfile of this folder. */
export async function startAcridaWith(locustfile, ...args) {
  const given = args.indexOf("--web-port");
  const port = given < 0 ? await freePort() : args.splice(given, 2)[1];
  const acrida = process.env.ACRIDA || path.join(HERE, "../../.venv/bin/acrida");
  const child = spawn(acrida, ["-f", path.join(HERE, locustfile), "--web-port", String(port), ...args],
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, LOCUST_NO_HISTORY: "true" } });
  let log = "";
  child.stderr.on("data", (text) => { log += text; });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const url = `http://127.0.0.1:${port}/`;
  const deadline = Date.now() + 20_000;
  for (;;) {
    const up = await fetch(`${url}worker-count`).then((answer) => answer.ok, () => false);
    if (up) break;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`acrida does not serve: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { url, child, log: () => log, ended,
    stop: async () => { child.kill("SIGCONT"); child.kill("SIGTERM"); return ended; } };
}

export const startBrowser = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: FLAGS });

/** A page that collects what goes wrong in it. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/ERR_(CONNECTION|INCOMPLETE|EMPTY)/.test(message.text())) problems.push(message.text());
  });
  await page.goto(url);
  return { page, problems, close: () => context.close() };
}

/** Waits until `check` says true. */
export async function until(what, check, patience_ms = 15_000) {
  const deadline = Date.now() + patience_ms;
  while (Date.now() < deadline) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not in ${patience_ms} ms: ${what}`);
}
