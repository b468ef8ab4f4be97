// The web page in a real browser: `make test-browser`, which installs what is missing
// (Node 20 or later has to be there), or, with ACRIDA and CHROMIUM naming the two
// programs, `npm test` in this folder. SHOTS names a folder for screenshots.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { TABS, figure, openPage, startAcrida, startAcridaWith, startBrowser, startTarget, state, until } from "./support.mjs";

let target, browser;
before(async () => { target = await startTarget(); browser = await startBrowser(); });
after(async () => { await browser.close(); target.close(); });

async function shot(page, name, options) {
  if (!process.env.SHOTS) return;
  fs.mkdirSync(process.env.SHOTS, { recursive: true });
  await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, ...options });
}

async function startTest(page, users) {
  await page.fill("[name=user_count]", String(users));
  await page.fill("[name=spawn_rate]", String(users));
  await page.click("button.primary:has-text('Start')");
}

test("a test is started, watched in every tab, changed, stopped, and started again", async () => {
  const acrida = await startAcrida("--host", target.url);
  const { page, problems, close } = await openPage(browser, acrida.url);
  try {
    await page.waitForSelector("form");
    await shot(page, "start");
    await startTest(page, 10);
    await until("10 users", async () => (await figure(page, "Users")).startsWith("10"));
    await until("requests", async () => Number((await figure(page, "Requests")).replaceAll(",", "")) > 100);
    await until("an exception", async () => (await page.locator(".badge.exceptions").count()) === 1);
    assert.deepEqual(await page.locator(".metrics thead th").allInnerTexts(), ["Last 10 s", "Whole test"]);
    assert.equal(await page.locator(".metrics .grade").count(), 10, "every key metric is graded twice");
    for (const tab of TABS) {
      await page.click(`#tab-${tab}`);
      await until(`${tab} is shown`, async () => (await page.locator("#panel").innerText()).trim() !== "" && !(await page.locator("#panel .loading").count()));
      await shot(page, tab, { fullPage: true });
    }
    await page.click("#tab-failures");
    await until("counts over time", async () => (await page.locator("tbody tr .bars-over-time rect").count()) > 1);
    assert.match(await page.locator("tbody tr .bars-over-time").first().getAttribute("aria-label"), /^At most \d+ in 1 s, at \d\d:\d\d:\d\d$/);
    await page.click("#tab-exceptions");
    await until("counts over time", async () => (await page.locator(".raised .bars-over-time rect").count()) > 0);
    assert.match(await page.locator(".raised summary").innerText(), /<img src=x onerror='window\.hacked=1'>/);
    await page.click("#tab-overview");
    await until("the event loop's delay", async () => /Users’ turns late by\s+[\d.,]+ m?s/.test(await page.locator("#panel").innerText()));

    await page.click("#tab-statistics");
    await page.fill("[type=search]", "script");
    assert.equal(await page.locator("tbody tr").count(), 1);
    assert.match(await page.locator("tbody").innerText(), /<script>window\.hacked=1<\/script>/);
    await page.fill("[type=search]", "");
    await page.click(".sort:has-text('Requests')");
    assert.match(await page.locator("tbody tr").first().innerText(), /\/health/);
    await page.click("tbody tr button.link");
    await until("the chart of one endpoint", async () => (await page.locator("#panel select").first().inputValue()) === "GET /health");

    await page.click("text=Edit");
    await page.fill("dialog [name=user_count]", "4");
    const time = await figure(page, "Time");
    await until("the next frames", async () => (await figure(page, "Time")) !== time);
    assert.equal(await page.inputValue("dialog [name=user_count]"), "4", "frames do not undo what is typed");
    await page.fill("dialog [name=spawn_rate]", "50");
    await page.click("text=Apply");
    await until("4 users", async () => (await figure(page, "Users")) === "4");

    await page.click("header >> text=Stop");
    await until("stopped", async () => (await state(page)) === "Stopped");
    await page.click("#tab-overview");
    const graded = page.locator(".metrics thead th");
    await until("one column of grades", async () => (await graded.allInnerTexts()).join() === "Whole test");
    await page.click("#tab-runs");
    await until("the run is remembered", async () => (await page.locator("tbody tr td.num").count()) > 0);
    await page.click("text=New test");
    await page.fill("dialog [name=run_time]", "2s");
    await page.click("dialog button.primary");
    await until("running again", async () => (await state(page)) === "Running");
    await until("stopped by its time limit", async () => (await state(page)) === "Stopped");
    await page.click("text=Reset");
    await until("no requests", async () => (await figure(page, "Requests")) === "0");
    assert.equal(await page.evaluate(() => window.hacked), undefined, "names and errors are only text");
    assert.deepEqual(problems, []);
  } finally {
    await close();
    await acrida.stop();
  }
  assert.match(acrida.log(), /Shutting down/);
});

test("both themes and a phone show everything; the report too", async () => {
  const acrida = await startAcrida("--host", target.url, "--autostart", "-u", "10", "-r", "10");
  try {
    for (const [name, options] of [
      ["dark", { colorScheme: "dark" }],
      ["light", { colorScheme: "light" }],
      ["phone", { viewport: { width: 390, height: 844 } }],
    ]) {
      const { page, problems, close } = await openPage(browser, acrida.url, options);
      await until("figures", async () => (await page.locator(".figures dd").count()) === 6);
      await until("ten seconds of charts", async () => Number((await figure(page, "Time")).split(":")[1]) >= 10);
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = ground.match(/\d+/g).reduce((sum, part) => sum + Number(part), 0) > 384;
      assert.equal(light, name !== "dark");
      for (const tab of TABS) {
        await page.click(`#tab-${tab}`);
        const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(width <= 0, `${tab} is ${width} px too wide on ${name}`);
      }
      await page.click("#tab-overview");
      await until("the overview", async () => (await page.locator("#panel canvas").count()) === 3);
      await shot(page, `${name}-overview`);
      assert.deepEqual(problems, []);
      await close();
    }
    const { page, problems, close } = await openPage(browser, `${acrida.url}stats/report?theme=dark`);
    await page.waitForSelector("canvas");
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.deepEqual(problems, []);
    await close();
  } finally {
    await acrida.stop();
  }
});

test("with --web-login a password is asked for", async () => {
  process.env.ACRIDA_WEB_PASSWORD = "open sesame";
  const acrida = await startAcrida("--host", target.url, "--web-login");
  delete process.env.ACRIDA_WEB_PASSWORD;
  const { page, close } = await openPage(browser, acrida.url);
  try {
    assert.match(page.url(), /\/login$/);
    await page.fill("[name=password]", "wrong");
    await page.click("button.primary");
    await page.waitForSelector("text=That is not the password.");
    await page.fill("[name=password]", "open sesame");
    await page.click("button.primary");
    await page.waitForSelector("text=Start a test");
  } finally {
    await close();
    await acrida.stop();
  }
});

test("a locustfile adds pages, tabs and files", async () => {
  const acrida = await startAcridaWith("extended.py", "--host", target.url, "--autostart", "-u", "3", "-r", "3");
  const { page, problems, close } = await openPage(browser, `${acrida.url}extend`);
  try {
    await page.click("#tab-content-length");
    await until("rows", async () => /\/health/.test(await page.locator("tbody").innerText()));
    await shot(page, "extended");
    await page.click("#tab-downloads");
    const href = await page.locator("a:has-text('Content lengths (CSV)')").getAttribute("href");
    assert.match(await fetch(new URL(href, acrida.url)).then((answer) => answer.text()), /^Name,Total content length\n\/health,\d+/);
    assert.equal(await fetch(`${acrida.url}added_page`).then((answer) => answer.text()), "Added <b>here</b>");
    await page.goto(acrida.url);
    await until("the page itself, live", async () => Number((await figure(page, "Requests")).replaceAll(",", "")) > 0);
    assert.deepEqual(problems, []);
  } finally { await close(); await acrida.stop(); }
});

test("a locustfile logs people in", async () => {
  const acrida = await startAcridaWith("extended.py", "--host", target.url, "--web-login");
  const { page, close } = await openPage(browser, acrida.url);
  try {
    const enter = async (password) => {
      await page.fill("[name=username]", "ada");
      await page.fill("[name=password]", password);
      await page.click("button.primary");
    };
    await enter("byron");
    await page.waitForSelector("text=Nobody goes by that name and password");
    await shot(page, "extended-login");
    assert.equal((await fetch(`${acrida.url}stats/requests`, { redirect: "manual" })).status, 302);
    assert.equal((await fetch(`${acrida.url}added_page`, { redirect: "manual" })).status, 302);
    await enter("lovelace");
    await page.waitForSelector("[name=user_count]");
  } finally { await close(); await acrida.stop(); }
});
