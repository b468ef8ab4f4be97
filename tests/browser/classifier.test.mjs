// The classifier's page, as somebody who opens it for the first time uses it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { freePort, openPage, startBrowser, until } from "./support.mjs";

const ROOT = path.join(import.meta.dirname, "../..");
const sample = (name) => path.join(ROOT, "samples", name);
let browser, service, folder, url;

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "classifier-"));
  const port = await freePort();
  url = `http://127.0.0.1:${port}/`;
  const program = path.resolve(process.env.CLASSIFIER || path.join(ROOT, "target/debug/classifier"));
  service = spawn(program, ["serve", "--port", String(port), "--store", folder], { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
  await until("the classifier serves", () => fetch(`${url}health`).then((answer) => answer.ok, () => false));
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  const ended = new Promise((resolve) => service.on("exit", resolve));
  service.kill("SIGTERM");
  await ended;
  await rm(folder, { recursive: true });
});

/** Whether some pixel of the canvas has a colour: the images themselves are grey. */
const isColoured = (canvas) => canvas.evaluate((element) => {
  const { data } = element.getContext("2d").getImageData(0, 0, element.width, element.height);
  for (let i = 0; i < data.length; i += 4) if (data[i] - data[i + 2] > 40) return true;
  return false;
});

test("several images are predicted, each with a heat map that can be put away", async () => {
  const { page, problems, close } = await openPage(browser, url);
  await page.getByLabel("MRI images").setInputFiles([sample("pituitary/pituitary_1.jpg"), sample("glioma/glioma_1.jpg")]);
  await until("both are answered", async () => await page.locator(".answer").count() === 2);
  for (const name of ["Pituitary", "Glioma"]) {
    const card = page.locator("article", { hasText: `${name.toLowerCase()}_1.jpg` });
    assert.match(await card.locator(".answer").innerText(), new RegExp(`^${name} Tumor \\d+\\.\\d %$`));
    assert.match(await card.innerText(), /Network \d+\.\d ms, request \d+ ms/);
    const canvas = card.locator("canvas");
    await until("the map is painted", () => isColoured(canvas));
    await card.getByRole("checkbox").uncheck();
    await until("the map is put away", async () => !await isColoured(canvas));
  }
  assert.deepEqual(problems, []);
  await page.getByLabel("MRI images").setInputFiles({ name: "text.jpg", mimeType: "image/jpeg", buffer: Buffer.from("hello") });
  await page.getByRole("alert").filter({ hasText: "not a JPEG or PNG image" }).waitFor();
  await close();
});

test("training images are added under a label, and counted", async () => {
  const { page, problems, close } = await openPage(browser, `${url}#dataset`);
  const images = page.getByLabel("Images of one class");
  await images.setInputFiles(sample("notumor/notumor_1.jpg"));
  await page.getByRole("alert").filter({ hasText: "Say first what the images show" }).waitFor();
  await page.getByRole("radio", { name: "No Tumor" }).check();
  await images.setInputFiles([sample("notumor/notumor_1.jpg"), sample("notumor/notumor_2.jpg")]);
  await page.getByText("stored 2 new images as No_Tumor").waitFor();
  await page.getByRole("heading", { name: "Uploads: 2" }).waitFor();
  assert.match(await page.locator("section", { hasText: "Base images" }).last().innerText(), /Base images: \d{3,}/);
  assert.deepEqual(problems, []);
  await close();
});

test("a retraining is watched live, and cancelled", async () => {
  const { page, problems, close } = await openPage(browser, `${url}#retrain`);
  await page.getByLabel("Epochs").fill("100");
  await page.getByRole("button", { name: "Retrain" }).click();
  await page.getByText("Retraining job enqueued").waitFor();
  const job = page.locator("article.job").first();
  const progress = job.getByRole("progressbar");
  await until("it gets on", async () => await progress.evaluate((bar) => bar.value) >= 1, 120_000);
  await job.getByRole("button", { name: "Cancel" }).click();
  await until("it ends", async () => /cancelled/.test(await job.innerText()));
  assert.deepEqual(problems, []);
  await close();
});

test("versions, figures and the interface are there to read and to try", async () => {
  const { page, problems, close } = await openPage(browser, `${url}#models`);
  await page.getByRole("heading", { name: "v1 serves" }).waitFor();
  await page.getByRole("link", { name: "Service", exact: true }).click();
  await page.getByText("Ready for requests").waitFor();
  await page.getByRole("row", { name: "POST /predict 200" }).waitFor();
  await page.goto(`${url}docs`);
  const operation = page.locator("details", { hasText: "/dataset_stats" });
  await operation.locator("summary").click();
  await operation.getByRole("button", { name: "Try it" }).click();
  await operation.locator("pre", { hasText: "total_images" }).waitFor();
  assert.deepEqual(problems, []);
  await close();
});
