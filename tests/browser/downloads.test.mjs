// Every file that the page offers, and how little the page itself is; see page.test.mjs.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { figure, openPage, startAcrida, startBrowser, startTarget, state, temporaryFolder, until } from "./support.mjs";

/** What the page may be over the wire, in bytes. */
const WIRE_MAX = 250_000;
/** Points of a chart that the server keeps, and one that grows. */
const POINTS_MAX = 601;

let target, browser, folder;
before(async () => { target = await startTarget(); browser = await startBrowser(); folder = temporaryFolder(); });
after(async () => { await browser.close(); target.close(); folder.remove(); });

test("every download opens, and has what the page shows", async () => {
  const acrida = await startAcrida("--host", target.url, "--autostart", "-u", "8", "-r", "8", "-t", "5s",
    "--csv", `${folder.path}/run`, "--csv-full-history");
  const { page, problems, close } = await openPage(browser, acrida.url);
  try {
    await until("the end", async () => (await state(page)) === "Stopped");
    await page.click("#tab-downloads");
    const links = page.locator(".downloads a[download]");
    await links.first().waitFor();
    const read = {};
    for (let at = 0; at < await links.count(); at++) {
      const [download] = await Promise.all([page.waitForEvent("download"), links.nth(at).click()]);
      read[await links.nth(at).innerText()] = { name: download.suggestedFilename(), text: fs.readFileSync(await download.path(), "utf8") };
    }
    assert.deepEqual(Object.keys(read), ["Report", "Statistics (CSV)", "Failures (CSV)", "Exceptions (CSV)", "Statistics (JSON)", "Full history (CSV)"]);
    const text = (label) => read[label].text;
    assert.match(text("Statistics (CSV)"), /^Type,Name,Request Count,/);
    const requests = /^,Aggregated,(\d+),/m.exec(text("Statistics (CSV)"))[1];
    await until("the page shows as many", async () => (await figure(page, "Requests")).replaceAll(",", "") === requests);
    assert.match(text("Failures (CSV)"), /^Method,Name,Error,Occurrences,First Seen,Last Seen\r\n/);
    assert.match(text("Failures (CSV)"), /GET,\/missing,.*404/);
    assert.match(text("Exceptions (CSV)"), /^Count,Message,Traceback,Nodes\r\n/);
    assert.match(text("Exceptions (CSV)"), /onerror/);
    assert.match(text("Full history (CSV)"), /^Timestamp,User Count,Type,Name,/);
    const statistics = JSON.parse(text("Statistics (JSON)"));
    assert.equal(statistics.stats.at(-1).num_requests, Number(requests));
    for (const [label, { name }] of Object.entries(read)) {
      assert.match(name, label.includes("CSV") ? /\.csv$/ : label.includes("JSON") ? /\.json$/ : /\.html$/, name);
    }

    const report = `${folder.path}/report.html`;
    fs.writeFileSync(report, text("Report"));
    const opened = await openPage(browser, `file://${report}`);
    await opened.page.waitForSelector("canvas");
    const shown = await opened.page.locator("body").innerText();
    assert.match(shown, new RegExp(Number(requests).toLocaleString("en")));
    assert.match(shown, /<script>window\.hacked=1<\/script>/);
    assert.equal(await opened.page.locator("svg.occurrences").count(), 3, "two failures, one exception");
    assert.equal(await opened.page.evaluate(() => window.hacked), undefined);
    assert.deepEqual(opened.problems, []);
    await opened.close();
    assert.deepEqual(problems, []);
  } finally { await close(); await acrida.stop(); }
});

test("the page is light on the wire, and its charts have a bounded number of points", async () => {
  const acrida = await startAcrida("--host", target.url, "--autostart", "-u", "5");
  const { page, close } = await openPage(browser, "about:blank");
  try {
    const client = await page.context().newCDPSession(page);
    await client.send("Network.enable");
    let bytes = 0;
    const urls = new Map();
    client.on("Network.requestWillBeSent", ({ requestId, request }) => urls.set(requestId, request.url));
    client.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      assert.ok(urls.get(requestId).startsWith(acrida.url), "nothing comes from elsewhere");
      bytes += encodedDataLength;
    });
    await page.goto(acrida.url);
    for (const tab of ["statistics", "charts", "failures", "overview"]) await page.click(`#tab-${tab}`);
    await until("charts", async () => (await page.locator("#panel canvas").count()) === 3);
    assert.ok(bytes > 10_000 && bytes <= WIRE_MAX, `${bytes} bytes`);
    const { points, heat } = await fetch(`${acrida.url}live/history`).then((answer) => answer.json());
    assert.ok(points.length <= POINTS_MAX && heat.length <= POINTS_MAX);
  } finally { await close(); await acrida.stop(); }
});
