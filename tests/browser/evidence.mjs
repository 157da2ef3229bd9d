// The evidence: the home page fills while events arrive, a search of the audit leads to a proof, a webhook is set up and
// tried, an alert is acknowledged; and axe looks at every screen in light and dark, wide and narrow. Called with one JSON
// argument; prints what was seen as JSON.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createDataset, keep, open, report, seen, told } from "./visit.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 400, height: 850 };
seen.barriers = [];
seen.overflowing = [];

async function settled(page) {
  await page.waitForFunction(() => !document.querySelector("[data-piece][aria-busy=true]"), null, { timeout: 30000 });
}

async function look(page, name) {
  await settled(page);
  await page.evaluate(axe);
  const { violations } = await page.evaluate((values) => globalThis.axe.run(document, { runOnly: values }), TAGS);
  for (const { id, impact, nodes } of violations) {
    if (["serious", "critical"].includes(impact)) seen.barriers.push(`${name}: ${id} at ${nodes[0].target}`);
  }
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  if (isWide) seen.overflowing.push(name);
  await keep(page, name);
}

const admin = await open(told.users.admin);
await admin.setViewportSize(WIDE);
await settled(admin);
seen.pieces = await admin.locator("[data-board] h2").allInnerTexts();
seen.failed = await admin.locator("[data-board] [role=alert]").count();

// Somebody else does something, and it shows.
await admin.locator("[data-live-state]:visible").first().waitFor();
const steward = await open(told.users.steward);
await createDataset(steward, "told-of-live");
const arrived = admin.locator("[data-activity] tr.v-new", { hasText: "data.created" });
await arrived.first().waitFor();
seen.live = await arrived.first().innerText();

// The slash goes to the box; what it finds leads there.
await admin.keyboard.press("/");
seen.focused = await admin.evaluate(() => document.activeElement.matches("[data-find]"));
await admin.keyboard.type("told-of");
await admin.keyboard.press("Enter");
await admin.getByRole("link", { name: "told-of-live" }).waitFor();
seen.address = admin.url();

// From a search of the audit to the proof of one event.
const auditor = await open(told.users.auditor);
await auditor.setViewportSize(WIDE);
await auditor.goto(`${told.site}/admin/audit/auditevent/?type=data.created`);
await auditor.locator("tbody a").first().click();
await auditor.waitForLoadState();
const event = auditor.url();

// A webhook, from its address to what was delivered.
await admin.goto(`${told.site}/admin/oversight/webhooks/`);
await admin.fill("[name=name]", "Incident desk");
await admin.fill("[name=url]", told.receiver);
await admin.check("[name=event_types][data-every]");
await admin.locator("form:has([name=url]) button[type=submit]").click();
await admin.waitForLoadState();
seen.secret = await admin.locator("#content").innerText();
await admin.goto(`${told.site}/admin/oversight/webhooks/`);
await admin.getByRole("link", { name: "Incident desk" }).click();
await admin.click("button[value=test]");
await admin.waitForURL(/deliveries/);
const webhook = admin.url().replace(/deliveries\/.*/, "");
const delivered = admin.locator("#content .v-tag").getByText("delivered", { exact: true });
for (let tries = 0; tries < 30 && !(await delivered.count()); tries += 1) {
  await admin.waitForTimeout(1000);
  await admin.reload();
}
seen.delivered = await delivered.count();
await admin.goto(webhook);
seen.log = await admin.locator("#content").innerText();

// An alert that somebody takes on.
await admin.goto(told.alert);
await admin.click("button[value=acknowledge]");
await admin.waitForLoadState();
seen.alert = await admin.locator("#content").innerText();

const screens = [...told.screens, new URL(event).pathname, new URL(webhook).pathname, new URL(told.alert).pathname];
for (const [scheme, size] of [["light", WIDE], ["dark", NARROW]]) {
  await admin.emulateMedia({ colorScheme: scheme });
  await admin.setViewportSize(size);
  for (const screen of screens) {
    await admin.goto(`${told.site}${screen}`);
    await look(admin, `${screen.replace(/[^a-z0-9]+/gi, "-")}${scheme}-${size.width}`);
  }
}

// Checkpoints are signed once a minute: the proof of the event is there by now, or soon.
await auditor.goto(event);
for (let tries = 0; tries < 90; tries += 1) {
  seen.proof = await auditor.locator("#content").innerText();
  if (/included in the\s+checkpoint of/i.test(seen.proof)) break;
  await auditor.waitForTimeout(1000);
  await auditor.goto(event);
}

await report();
