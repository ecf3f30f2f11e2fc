// Loads /docs and /redoc in a real browser, as strict as their Content-Security-Policy: any word of the console that is
// no mere information, any request to elsewhere, and any page that doesn't do what it is there for, is a failure.
import { createRequire } from "node:module";
import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [base, executablePath, shots] = process.argv.slice(2);
const { chromium } = createRequire(`${process.env.MODULES}/`)("playwright-core");
const profile = mkdtempSync(join(tmpdir(), "mortise-docs-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  viewport: { width: 1400, height: 1000 },
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});
const faults = [];

async function open(path) {
  const page = await context.newPage();
  const fault = (what) => faults.push(`${path}: ${what.slice(0, 400)}`);
  page.on("console", (message) => {
    if (!["info", "log", "debug"].includes(message.type())) fault(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => fault(`exception: ${error.message}`));
  page.on("requestfailed", (request) => fault(`failed: ${request.url()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${base}/`) && !request.url().startsWith("data:")) fault(`elsewhere: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) fault(`${response.status()}: ${response.url()}`);
  });
  // The console doesn't tell all of them.
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
    });
  });
  await page.goto(base + path, { waitUntil: "networkidle" });
  return page;
}

async function close(page, name) {
  faults.push(...(await page.evaluate(() => window.violations)).map((violation) => `${name}: ${violation}`));
  await page.close();
}

// Sends an operation's example from Swagger UI, and gives the request and the response.
async function tryOut(page, path, operation) {
  const block = page.locator(`[id="${operation}"]`);
  await block.locator(".opblock-summary-control").click();
  await block.locator(".try-out__btn").click();
  const waiting = page.waitForResponse((response) => response.url() === base + path);
  await block.locator("button.execute").click();
  const response = await waiting;
  assert.equal(response.status(), 200, path);
  const shown = block.locator(".live-responses-table .response");
  await shown.locator(".response-col_description .highlight-code, .response-col_description pre").first().waitFor();
  assert.match(await shown.locator(".response-col_status").first().innerText(), /^200/);
  return { request: response.request(), text: await shown.first().innerText(), block };
}

try {
  const docs = await open("/docs");
  await docs.locator(".opblock").first().waitFor();
  assert.ok((await docs.locator(".opblock").count()) >= 18, "every operation is shown");
  await docs.screenshot({ path: join(shots, "docs.png") });

  // A key is sent as the document says, and forgotten with the page.
  await docs.locator(".auth-wrapper .authorize").first().click();
  await docs.locator(".modal-ux input").first().fill("a-key-of-nobody");
  await docs.locator(".modal-ux .auth-btn-wrapper .authorize").first().click();
  await docs.locator(".modal-ux .btn-done").first().click();

  const whole = await tryOut(docs, "/api/v1/chat", "operations-chat-chat");
  assert.equal(whole.request.headers()["x-api-key"], "a-key-of-nobody");
  assert.match(whole.text, /Hello, Mortise!/);
  await whole.block.locator(".live-responses-table").scrollIntoViewIfNeeded();
  await docs.screenshot({ path: join(shots, "docs-chat.png") });

  const stream = await tryOut(docs, "/api/v1/chat/stream", "operations-chat-streamChat");
  assert.match(stream.text, /event: start[^]*event: token[^]*event: end/);
  await stream.block.locator(".live-responses-table").scrollIntoViewIfNeeded();
  await docs.screenshot({ path: join(shots, "docs-stream.png") });

  await docs.reload({ waitUntil: "networkidle" });
  assert.equal(await docs.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie), "{}");
  await close(docs, "/docs");

  const redoc = await open("/redoc");
  await redoc.getByText("An edge server for AI.").waitFor();
  await redoc.screenshot({ path: join(shots, "redoc.png") });
  await redoc.getByText("chat", { exact: true }).first().click();
  await redoc.getByText("Sends one message and waits for the answer.").first().click();
  await redoc.getByText("conversation_id").first().waitFor();
  const style = await redoc.evaluate(() => getComputedStyle(document.querySelector("h1, h2")).fontWeight);
  assert.ok(Number(style) >= 600, `styles are not applied: ${style}`);
  await redoc.screenshot({ path: join(shots, "redoc-chat.png") });
  await redoc.getByText(/^Search/).first().click();
  await redoc.keyboard.type("embeddings", { delay: 20 });
  await redoc.getByText("Turns texts into vectors").first().waitFor();
  await redoc.screenshot({ path: join(shots, "redoc-search.png") });
  await close(redoc, "/redoc");
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
assert.deepEqual(faults, []);
console.log(`docs: both pages work; pictures are in ${shots}`);
