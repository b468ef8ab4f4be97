// The report of --html in a real browser; see page.test.mjs.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { openPage, startBrowser, startTarget } from "./support.mjs";

const HERE = import.meta.dirname;
const acrida = process.env.ACRIDA || path.join(HERE, "../../.venv/bin/acrida");
let target, browser, folder;
before(async () => {
  target = await startTarget();
  browser = await startBrowser();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "report-"));
});
after(async () => { await browser.close(); target.close(); fs.rmSync(folder, { recursive: true }); });

const brightness = (page) => page.evaluate(() =>
  getComputedStyle(document.body).backgroundColor.match(/\d+/g).reduce((sum, part) => sum + Number(part), 0));

/** Names stay in one piece on a narrow screen; on paper everything fits, in light colours. */
async function holdsOnPaper(file) {
  const { page, problems, close } = await openPage(browser, `file://${file}`, { viewport: { width: 1000, height: 800 }, colorScheme: "dark" });
  await page.waitForSelector("canvas");
  const name = page.locator("td.wide", { hasText: /^\/upload_training_data$/ }).first();
  assert.ok((await name.boundingBox()).height < 40, "a name of one line");
  const pdf = await page.pdf({ format: "A4" });
  assert.ok(pdf.length > 10_000);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark", "after printing, it is as it was");
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 720, height: 1000 });
  assert.ok(await brightness(page) > 384, "paper is light");
  const tooWide = await page.locator("canvas, table").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().right > innerWidth).length);
  assert.equal(tooWide, 0, "charts and tables that do not fit on paper");
  assert.deepEqual(problems, []);
  await close();
}

const CHARTS = 10;
const used = (what) => [`CPU of the ${what} (% of a core)`, `Memory of the ${what} (MB)`];

test("the report of a run is complete in light, in dark and on a phone, and loads nothing", async () => {
  const file = path.join(folder, "report.html");
  const run = promisify(execFile)(acrida, ["-f", path.join(HERE, "locustfile.py"), "--host", target.url, "-u", "5", "-r", "5",
    "-t", "4s", "--headless", "--only-summary", "--no-history", "--html", file, "--expect", "p95 < 10s", "--expect", "rps > 100000"]);
  const { code } = await run.catch((error) => error);
  assert.equal(code, 3, "one expectation cannot be met");
  await holdsOnPaper(file);
  for (const [name, options] of [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["phone", { viewport: { width: 390, height: 844 } }],
  ]) {
    const requests = [];
    const { page, problems, close } = await openPage(browser, "about:blank", options);
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(`file://${file}`);
    await page.waitForSelector("canvas");
    assert.equal(await page.locator("canvas").count(), CHARTS, "requests, response times, users; processor and memory of three; lateness");
    assert.equal((await brightness(page)) > 384, name !== "dark");
    const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(width <= 0, `${width} px too wide on ${name}`);
    const headings = (await page.locator("h2").allInnerTexts())
      .filter((text) => text !== "Troubleshooting") // is there if the machine is busy
      .map((text) => text.replace(/\(.* on port \d+\) /, ""));
    assert.deepEqual(headings, ["Expectations", "Key metrics", "Requests", "Response times (ms)",
      "Requests per second", "Response times over ten seconds (ms)", "Users",
      ...used("service"), ...used("generator"), "How late the generator's event loop was (ms)", ...used("machine"),
      "Failures", "Exceptions", "Share of each task (%)"]);
    assert.deepEqual(await page.locator("table").first().locator(".grade").allInnerTexts(), ["Pass", "Fail"]);
    const before = await brightness(page);
    await page.click("button");
    assert.notEqual(await brightness(page), before, "the reader may choose");
    assert.equal(await page.locator("canvas").count(), CHARTS);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.deepEqual(problems, []);
    assert.deepEqual(requests.filter((url) => !url.startsWith("file:") && !url.startsWith("data:")), []);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/report-${name}.png`, fullPage: true });
    await close();
  }
});
