// The form, without a mouse and with much to choose from; see page.test.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TABS, figure, openPage, startAcrida, startAcridaWith, startBrowser, startTarget, state, until } from "./support.mjs";

let target, browser;
before(async () => { target = await startTarget(); browser = await startBrowser(); });
after(async () => { await browser.close(); target.close(); });

/** What can be used, and has no name that a screen reader could say. */
const nameless = (page) => page.$$eval("button, a, input, select, textarea, [role=img], [tabindex='0']", (all) => all.filter((one) =>
  !(one.innerText?.trim() || one.getAttribute("aria-label") || one.getAttribute("aria-labelledby") || one.labels?.length || one.title))
  .map((one) => one.outerHTML));

const focused = (page) => page.evaluate(() => document.activeElement.name || document.activeElement.id || document.activeElement.innerText);

/** Presses Tab until what is focused has this name. */
async function tabTo(page, name) {
  for (let at = 0; at < 60; at++) {
    if ((await focused(page)) === name) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never comes to ${name}`);
}

test("a test is started, changed and stopped with the keyboard alone", async () => {
  const acrida = await startAcrida("--host", target.url);
  const { page, problems, close } = await openPage(browser, acrida.url);
  try {
    await page.waitForSelector("form");
    await tabTo(page, "tab-overview");
    await page.keyboard.press("ArrowRight");
    assert.equal(await focused(page), "tab-statistics");
    await page.keyboard.press("ArrowLeft");
    await tabTo(page, "user_count");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("3");
    await tabTo(page, "spawn_rate");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("30");
    await tabTo(page, "Start");
    await page.keyboard.press("Enter");
    await until("3 users", async () => (await figure(page, "Users")) === "3");
    await tabTo(page, "Edit");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog form");
    assert.ok(await page.evaluate(() => document.activeElement.closest("dialog")), "the dialog has the focus");
    await page.keyboard.press("Escape");
    await until("the dialog is closed", async () => (await page.locator("dialog").count()) === 0);
    await tabTo(page, "Stop");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid", "the focus is seen");
    await page.keyboard.press("Enter");
    await until("stopped", async () => (await state(page)) === "Stopped");
    assert.deepEqual(problems, []);
  } finally { await close(); await acrida.stop(); }
});

test("everything that can be used has a name, in every tab and in the form", async () => {
  const acrida = await startAcridaWith("choices.py", "--host", target.url, "--class-picker");
  const { page, close } = await openPage(browser, acrida.url);
  try {
    await page.waitForSelector("form");
    assert.deepEqual(await nameless(page), []);
    await page.fill("[name=user_count]", "4");
    await page.click("button.primary:has-text('Start')");
    await until("requests", async () => Number((await figure(page, "Requests")).replaceAll(",", "")) > 0);
    for (const tab of TABS) {
      await page.click(`#tab-${tab}`);
      await page.waitForSelector(`#tab-${tab}[aria-selected=true]`);
      assert.deepEqual(await nameless(page), [], tab);
    }
    await page.click("text=Edit");
    assert.deepEqual(await nameless(page), []);
  } finally { await close(); await acrida.stop(); }
});

test("classes, a load shape and arguments of the locustfile are chosen, and secrets are masked", async () => {
  const acrida = await startAcridaWith("choices.py", "--host", target.url, "--class-picker");
  const { page, problems, close } = await openPage(browser, acrida.url);
  const names = async () => (await fetch(`${acrida.url}stats/requests`).then((answer) => answer.json())).stats.map((row) => row.name);
  try {
    await page.waitForSelector("form");
    assert.equal(await page.getAttribute("[name=api_key]", "type"), "password");
    assert.equal(await page.inputValue("[name=api_key]"), "s3cr3t");
    assert.equal(await page.locator("[name=hidden]").count(), 0, "some arguments are not for the page");
    await page.selectOption("[name=dataset]", "large");
    await page.fill("[name=retries]", "many");
    await page.uncheck("[name=user_classes][value=Writer]");
    await page.selectOption("[name=shape_class]", "Three");
    await page.click("button.primary:has-text('Start')");
    await until("the mistake is told", async () => /retries/i.test(await page.locator(".problem").innerText()));
    await page.fill("[name=retries]", "5");
    await page.check("[data-switch=verbose]");
    await page.click("button.primary:has-text('Start')");
    await until("the shape's three users", async () => (await figure(page, "Users")) === "3");
    await until("requests with what was chosen", async () => (await names()).length > 1);
    assert.deepEqual(await names(), ["/Reader/large/5/True", "Aggregated"]);
    assert.deepEqual(problems, []);
  } finally { await close(); await acrida.stop(); }
});
