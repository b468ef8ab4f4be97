// Hundreds of endpoints, and names that nobody would choose; see page.test.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, startAcridaWith, startBrowser, startTarget, until } from "./support.mjs";

/** Rows that may be there while some thirty are in sight. */
const ROWS_MAX = 80;
const ENDPOINTS = 302;

let target, browser;
before(async () => { target = await startTarget(); browser = await startBrowser(); });
after(async () => { await browser.close(); target.close(); });

const start = () => startAcridaWith("many.py", "--host", target.url, "--autostart", "-u", "5", "-r", "5");
const rows = (page) => page.locator("tbody tr:not(.gap)");
const allThere = (page) => until("every endpoint", async () => (await page.locator("#panel .hint").first().innerText()).startsWith(`${ENDPOINTS} endpoints`), 40_000);

test("of many rows only those in sight are made, and every one can be scrolled to", async () => {
  const acrida = await start();
  const { page, problems, close } = await openPage(browser, `${acrida.url}#statistics`);
  try {
    await allThere(page);
    assert.ok(await rows(page).count() < ROWS_MAX, `${await rows(page).count()} rows`);
    assert.equal(await page.locator("#panel table").getAttribute("aria-rowcount"), String(ENDPOINTS + 1));
    assert.ok((await page.locator("tfoot td").first().boundingBox()).y < 900, "the total is in sight");
    const order = async () => (await rows(page).allInnerTexts()).map((text) => /patients\/(\d+)/.exec(text)?.[1]).filter(Boolean).map(Number);
    assert.deepEqual((await order()).slice(0, 3), [0, 1, 2], "numbers are in the order of numbers");
    await page.locator(".uniform").evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await until("the last row", async () => /\/patients\/299\//.test(await rows(page).last().innerText()));
    assert.ok(await rows(page).count() < ROWS_MAX);
    assert.ok((await page.locator("thead th").first().boundingBox()).y > 0, "headings are in sight");
    await page.fill("[type=search]", "evil");
    assert.match(await rows(page).innerText(), /⟨U\+202E⟩evil/, "a name that is turned around does not look like another one");
    assert.deepEqual(problems, []);
  } finally { await close(); await acrida.stop(); }
});

test("a long name makes no tab wider than the screen, and its whole text can be read", async () => {
  const acrida = await start();
  const { page, problems, close } = await openPage(browser, `${acrida.url}#statistics`, { viewport: { width: 375, height: 740 } });
  try {
    await allThere(page);
    assert.match(await page.locator("tbody td.text", { hasText: "long-" }).getAttribute("title"), /^GET \/(long-){60}$/);
    for (const tab of ["statistics", "charts", "failures", "overview"]) {
      await page.click(`#tab-${tab}`);
      const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(width <= 0, `${tab} is ${width} px too wide`);
    }
    assert.match(await page.locator(".metrics-card").innerText(), /count the [\d,]+ requests that failed, too/);
    assert.deepEqual(problems, []);
  } finally { await close(); await acrida.stop(); }
});

test("charts show a part of the test without a mouse", async () => {
  const acrida = await start();
  const { page, problems, close } = await openPage(browser, `${acrida.url}#charts`);
  try {
    await page.waitForSelector("#panel canvas");
    const choice = page.locator("#panel select").nth(1);
    await choice.selectOption("60");
    await until("ten seconds", async () => Number((await page.locator(".figures dd").last().innerText()).split(":")[1]) >= 10);
    const box = await page.locator(".u-over").first().boundingBox();
    await page.mouse.move(box.x + box.width / 4, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await until("what was drawn", async () => /^\d\d:\d\d:\d\d to \d\d:\d\d:\d\d$/.test(await choice.locator("option:checked").innerText()));
    await choice.selectOption("");
    await until("what was drawn is forgotten", async () => (await choice.locator("option").count()) === 5);
    assert.deepEqual(problems, []);
  } finally { await close(); await acrida.stop(); }
});
