// What axe-core finds in every tab: contrast, names, roles, headings, landmarks; see page.test.mjs.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { TABS, figure, openPage, startAcrida, startBrowser, startTarget, until } from "./support.mjs";

const AXE = fs.readFileSync(path.join(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

let target, browser;
before(async () => { target = await startTarget(); browser = await startBrowser(); });
after(async () => { await browser.close(); target.close(); });

const violations = (page) => page.evaluate(async (runOnly) => {
  const { violations } = await window.axe.run(document, { runOnly, resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`);
}, RULES);

for (const [name, options] of [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["phone", { viewport: { width: 375, height: 740 } }],
]) {
  test(`every tab, the form and the report are accessible: ${name}`, async () => {
    const acrida = await startAcrida("--host", target.url);
    const { page, close } = await openPage(browser, acrida.url, options);
    try {
      await page.waitForSelector("form");
      await page.evaluate(AXE);
      assert.deepEqual(await violations(page), [], "the form");
      await page.fill("[name=user_count]", "8");
      await page.fill("[name=spawn_rate]", "8");
      await page.click("button.primary:has-text('Start')");
      await until("an exception", async () => (await page.locator(".badge.exceptions").count()) === 1);
      await until("requests", async () => Number((await figure(page, "Requests")).replaceAll(",", "")) > 100);
      for (const tab of TABS) {
        await page.click(`#tab-${tab}`);
        await until(`${tab} is shown`, async () => !(await page.locator("#panel .loading").count()));
        assert.deepEqual(await violations(page), [], tab);
      }
      await page.click("text=Edit");
      await page.waitForSelector("dialog form");
      assert.deepEqual(await violations(page), [], "the dialog");
      await page.goto(`${acrida.url}stats/report`);
      await page.waitForSelector("canvas");
      await page.evaluate(AXE);
      assert.deepEqual(await violations(page), [], "the report");
    } finally { await close(); await acrida.stop(); }
  });
}
