// The screens of compliance: each is looked at in every look it is told of, axe goes over it, and nothing may be wider
// than the window. One way is gone by keyboard alone. Called with one JSON argument; prints what was seen as JSON.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { keep, open, report, seen, told } from "./visit.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
const MOST_TABS = 120;
Object.assign(seen, { barriers: [], overflowing: [], refused: [], console: [] });

async function look(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate((values) => globalThis.axe.run(document, { runOnly: values }), TAGS);
  for (const { id, impact, nodes } of violations) {
    if (["serious", "critical"].includes(impact)) seen.barriers.push(`${name}: ${id} at ${nodes[0].target}`);
  }
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  if (isWide) seen.overflowing.push(name);
  await keep(page, name);
}

// Tab until the focus is there; what cannot be reached so is no page for everybody.
async function reach(page, selector) {
  for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the keyboard does not reach ${selector}`);
}

async function type(page, name, text) {
  await reach(page, `[name=${name}]`);
  await page.keyboard.type(text);
}

const officer = await open(told.who);
// Nobody listens for the live feed here.
const listen = (message) => message.type() === "error" && !message.text().includes("/live/") && seen.console.push(message.text());
officer.on("console", listen);
for (const { scheme, width } of told.looks) {
  await officer.emulateMedia({ colorScheme: scheme });
  await officer.setViewportSize({ width, height: 900 });
  for (const [name, path] of Object.entries(told.screens)) {
    const answer = await officer.goto(`${told.site}${path}`);
    if (answer.status() >= 400) seen.refused.push(`${name}: ${answer.status()}`);
    await look(officer, `${told.state}-${name}-${scheme}-${width}`);
  }
}

officer.off("console", listen);

if (told.form) {
  // An officer enters a request and gives it to somebody, without a mouse.
  await officer.setViewportSize({ width: 1280, height: 900 });
  await officer.goto(`${told.site}${told.screens.subject_requests}`);
  await reach(officer, `a[href="${told.screens.subject_request_new}"]`);
  await officer.keyboard.press("Enter");
  await officer.waitForURL(/\/requests\/new\/$/);
  await type(officer, "name", "Jane Example");
  await type(officer, "contact", "jane@example.org");
  await type(officer, "details", "Everything since spring");
  await reach(officer, "form button[type=submit].v-primary");
  await officer.keyboard.press("Enter");
  await officer.waitForURL(/\/requests\/[0-9a-f-]{36}\/$/);
  seen.entered = await officer.locator("#content").innerText();

  // Somebody whom nobody knows asks by the public form: first with something missing, then with everything.
  await officer.goto(`${told.site}${told.form}`);
  await reach(officer, "[name=type]");
  await officer.keyboard.press("Space");
  await reach(officer, "button[type=submit]");
  await officer.keyboard.press("Enter");
  await officer.locator("[role=alert]").waitFor();
  await look(officer, "form-refused");
  await type(officer, "name", "Jane Example");
  await type(officer, "contact", "jane@example.org");
  await reach(officer, "button[type=submit]");
  await officer.keyboard.press("Enter");
  await officer.locator("form").waitFor({ state: "detached" });
  seen.sent = await officer.locator("body").innerText();
  await look(officer, "form-sent");
}

await report();
