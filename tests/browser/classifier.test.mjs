// The classifier's page, as somebody who opens it for the first time uses it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { freePort, openPage, startBrowser, until } from "./support.mjs";

const ROOT = path.join(import.meta.dirname, "../..");
const sample = (name) => path.join(ROOT, "samples", name);
const TEXT = { name: "text.jpg", mimeType: "image/jpeg", buffer: Buffer.from("hello") };
let browser, service, folder, port, url;

async function startService() {
  const program = path.resolve(process.env.CLASSIFIER || path.join(ROOT, "target/debug/classifier"));
  service = spawn(program, ["serve", "--port", String(port), "--store", folder], { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
  await until("the classifier serves", () => fetch(`${url}health`).then((answer) => answer.ok, () => false));
}

async function endService(signal) {
  const ended = new Promise((resolve) => service.on("exit", resolve));
  service.kill(signal);
  await ended;
}

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "classifier-"));
  port = await freePort();
  url = `http://127.0.0.1:${port}/`;
  await startService();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await endService("SIGTERM");
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
  await page.getByLabel("MRI images").setInputFiles([TEXT, { ...TEXT, name: "empty.jpg", buffer: Buffer.alloc(0) }]);
  await until("both are refused", async () => await page.getByRole("alert").count() === 2);
  await page.getByRole("alert").filter({ hasText: /^not a JPEG or PNG image$/ }).first().waitFor();
  await page.getByRole("link", { name: "Service", exact: true }).click();
  await page.getByText("Ready for requests").waitFor();
  await page.getByRole("link", { name: "Predict", exact: true }).click();
  await until("they are still there after a look elsewhere", async () => await page.locator(".answer").count() === 2);
  await page.getByRole("button", { name: "Clear 4 images" }).click();
  assert.equal(await page.locator("article").count(), 0);
  await close();
});

test("more images than there is room for are said to be, and all others are predicted", async () => {
  const { page, problems, close } = await openPage(browser, url);
  const image = { mimeType: "image/jpeg", buffer: await readFile(sample("glioma/glioma_1.jpg")) };
  await page.getByLabel("MRI images").setInputFiles(Array.from({ length: 63 }, (_, i) => ({ ...image, name: `${i}.jpg` })));
  await page.getByText("Only the first 60 of 63 files were taken").waitFor();
  await until("all others are predicted", async () => await page.locator(".answer").count() === 60);
  assert.deepEqual(problems, []);
  await close();
});

test("an image that misses the box is taken, too", async () => {
  const { page, problems, close } = await openPage(browser, url);
  const base64 = (await readFile(sample("glioma/glioma_1.jpg"))).toString("base64");
  const dropped = await page.evaluate((content) => {
    const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], "dropped.jpg", { type: "image/jpeg" }));
    const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
    return document.querySelector("header").dispatchEvent(event);
  }, base64);
  assert.equal(dropped, false, "the browser does not open it");
  await page.locator("article", { hasText: "dropped.jpg" }).locator(".answer").waitFor();
  assert.deepEqual(problems, []);
  await close();
});

test("training images are added under a label, and counted", async () => {
  const { page, problems, close } = await openPage(browser, `${url}#dataset`);
  const images = page.getByLabel("Images of one class");
  await images.setInputFiles(sample("notumor/notumor_1.jpg"));
  await page.getByRole("alert").filter({ hasText: "Say first what the images show" }).waitFor();
  await page.getByRole("radio", { name: "No Tumor" }).check();
  await images.setInputFiles([sample("notumor/notumor_1.jpg"), sample("notumor/notumor_2.jpg")]);
  await page.getByText("Stored 2 new images as No Tumor.").waitFor();
  await page.getByRole("heading", { name: "Uploads: 2" }).waitFor();
  assert.match(await page.locator("section", { hasText: "Base images" }).last().innerText(), /Base images: \d{3,}/);
  assert.deepEqual(problems, []);
  // What is wrong with one does not cost the others.
  const known = { name: "known.jpg", mimeType: "image/jpeg", buffer: await readFile(sample("notumor/notumor_1.jpg")) };
  await images.setInputFiles([known, TEXT]);
  await page.getByText("Stored 0 new images as No Tumor; 1 known already.").waitFor();
  await page.getByRole("alert").filter({ hasText: "text.jpg: not a JPEG or PNG image" }).waitFor();
  await close();
});

test("a retraining is watched live, and cancelled", async () => {
  const { page, problems, close } = await openPage(browser, `${url}#retrain`);
  await page.getByLabel("Epochs").fill("100");
  const rate = page.getByLabel("Learning rate");
  await rate.fill("");
  await rate.pressSequentially("fast");
  await page.getByRole("button", { name: "Retrain" }).click();
  await page.getByRole("alert").filter({ hasText: '"fast" is not a number' }).waitFor();
  await rate.fill("");
  await rate.pressSequentially("0.0005");
  await page.getByRole("button", { name: "Retrain" }).dblclick();
  await page.getByText("Retraining job enqueued").waitFor();
  const job = page.locator("article.job").first();
  await page.getByRole("heading", { name: "Jobs: 1" }).waitFor();
  assert.match(await job.innerText(), /100 epochs, batches of 32, rate 0\.0005/);
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

test("on a phone nothing is beyond the edge", async () => {
  const { page, problems, close } = await openPage(browser, `${url}#models`);
  await page.setViewportSize({ width: 390, height: 800 });
  for (const [tab, text] of [["Predict", "whatever it shows"], ["Training data", "Base images: "], ["Retrain", "Jobs: 1"],
    ["Model versions", "came as a file, "], ["Service", "/predict"], ["API", "openapi.json"]]) {
    await page.getByRole("link", { name: tab, exact: true }).click();
    await page.getByText(text).first().waitFor();
    for (const details of await page.locator("details").all()) await details.evaluate((element) => { element.open = true; });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390, tab);
  }
  assert.deepEqual(problems, []);
  await close();
});

test("what a service that went away left undone is done when it is back", async () => {
  const { page, close } = await openPage(browser, url);
  await endService("SIGKILL");
  await page.getByLabel("MRI images").setInputFiles(sample("glioma/glioma_1.jpg"));
  const card = page.locator("article", { hasText: "glioma_1.jpg" });
  await card.getByRole("alert").filter({ hasText: "the service does not answer" }).waitFor();
  await page.getByText("the service does not answer").first().waitFor();
  await startService();
  await page.getByText("healthy, model v1").waitFor();
  await card.getByRole("button", { name: "Try again" }).click();
  await card.locator(".answer").waitFor();
  assert.equal(await card.getByRole("alert").count(), 0);
  await close();
});
