// What stays when a test ends, and what comes back when the connection is lost; see page.test.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { figure, freePort, openPage, startAcrida, startAcridaWith, startBrowser, startTarget, state, until } from "./support.mjs";

let target, browser;
before(async () => { target = await startTarget(); browser = await startBrowser(); });
after(async () => { await browser.close(); target.close(); });

const lost = (page) => page.locator(".state.lost").count();

test("the page goes on after the process was paused", async () => {
  const acrida = await startAcrida("--host", target.url, "--autostart", "-u", "2");
  const { page, problems, close } = await openPage(browser, acrida.url);
  try {
    await until("running", async () => (await state(page)) === "Running");
    acrida.child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 3_000)); // As long as somebody may pause it.
    const before = await figure(page, "Time");
    acrida.child.kill("SIGCONT");
    await until("time goes on", async () => (await figure(page, "Time")) !== before);
    const points = () => page.locator("#panel .u-legend").first().innerText();
    const shown = await points();
    await until("charts go on", async () => (await points()) !== shown);
    assert.equal(await lost(page), 0);
    assert.deepEqual(problems, []);
  } finally { await close(); await acrida.stop(); }
});

test("the page finds a process that was killed and started anew, with what is new in it", async () => {
  const port = String(await freePort());
  const first = await startAcrida("--host", target.url, "--autostart", "-u", "2", "--web-port", port);
  const { page, close } = await openPage(browser, first.url);
  try {
    await until("requests", async () => Number((await figure(page, "Requests")).replaceAll(",", "")) > 20);
    first.child.kill("SIGKILL");
    await first.ended;
    await until("it is said that nobody answers", async () => (await lost(page)) === 1);
    assert.ok(Number((await figure(page, "Requests")).replaceAll(",", "")) > 20, "what was measured stays in sight");
    const second = await startAcridaWith("choices.py", "--host", target.url, "--class-picker", "--web-port", port);
    try {
      await until("the form of the new one", async () => (await page.locator("[name=api_key]").count()) === 1, 30_000);
      assert.equal(await lost(page), 0);
    } finally { await second.stop(); }
  } finally { await close(); first.child.kill("SIGKILL"); }
});

test("tests that have ended are read and compared until the program quits", async () => {
  const acrida = await startAcrida("--host", target.url);
  const { page, problems, close } = await openPage(browser, acrida.url);
  const run = async (open, users) => {
    if (open) await page.click("text=New test");
    await page.fill("[name=user_count]", String(users));
    await page.fill("[name=spawn_rate]", "50");
    await page.fill("[name=run_time]", "3s");
    await page.click("button.primary:has-text('Start')");
    await until("a test goes on", async () => (await state(page)) === "Running");
    await until("it has ended", async () => (await state(page)) === "Stopped");
  };
  try {
    await page.waitForSelector("form");
    await run(false, 2);
    const requests = await figure(page, "Requests");
    await page.click("#tab-statistics");
    assert.ok((await page.locator("tbody tr").count()) > 2, "a finished test stays to be read");
    assert.equal(await page.locator("tfoot td.num").first().innerText(), requests);
    await run(true, 12);
    await page.click("#tab-runs");
    await until("both are there", async () => (await page.locator("tbody tr").count()) === 2);
    await page.selectOption("#panel select", { index: 1 });
    const changes = page.locator("tbody tr").first().locator(".change");
    await until("the differences", async () => (await changes.count()) === 5);
    assert.match(await changes.nth(1).innerText(), /^\+\d+ %$/, "six times as many users make more requests");
    assert.match(await changes.nth(1).getAttribute("class"), /good/);
    assert.deepEqual(problems, []);
  } finally { await close(); await acrida.stop(); }
});
