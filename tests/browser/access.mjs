// Access for a purpose and a time: a second factor, a request, its approval by somebody else, reading up to the quota, the
// end, and why. axe looks at every page on the way. Called with one JSON argument; prints what was seen as JSON.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createDataset, keep, open, report, seen, told, upload } from "./visit.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
const own = `${told.site}/admin/access-control`;
seen.barriers = [];

async function look(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate((values) => globalThis.axe.run(document, { runOnly: values }), TAGS);
  for (const { id, impact, nodes } of violations) {
    if (["serious", "critical"].includes(impact)) seen.barriers.push(`${name}: ${id} at ${nodes[0].target}`);
  }
  await keep(page, name);
}

async function addSecurityKey(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "usb", hasUserVerification: false, hasResidentKey: false, automaticPresenceSimulation: true },
  });
  await page.goto(`${own}/second-factor/add/`);
  await look(page, "add-factor");
  await page.click("button:has-text('Add a security key')");
  await page.click("text=I have kept them");
  await page.goto(`${own}/account/`);
  await look(page, "account");
  return page.locator("#content").innerText();
}

const steward = await open(told.users.steward);
const dataset = await createDataset(steward, "leased");
seen.stored = await upload(steward, told.files.rows, "id");

const viewer = await open(told.users.viewer);
seen.account = await addSecurityKey(viewer);
await viewer.goto(`${dataset}records/`);
seen.before = await viewer.title();
await viewer.goto(`${dataset}access/`);
await viewer.selectOption("[name=purpose]", "evaluation");
await viewer.fill("[name=row_quota]", "15");
await viewer.fill("[name=justification]", "Fifteen answers are checked by hand");
await look(viewer, "ask");
await viewer.click("button[value=ask]");
await viewer.getByText("Asked for.").waitFor();

await steward.goto(`${own}/requests/`);
seen.asked = await steward.locator("#content").innerText();
await look(steward, "inbox");
await steward.fill("[name=reason]", "Few records, masked");
await steward.click("button[value=approve]");
await steward.getByText("The lease has begun.").waitFor();

// By the way somebody takes who does not know the addresses: the tab, the purpose, page by page.
await viewer.goto(`${dataset}access/`);
await viewer.click("nav.v-tabs a:has-text('Records')");
seen.purposes = await viewer.locator("button[name=purpose]").allTextContents();
await viewer.click("button[value=evaluation]");
const records = viewer.locator("article h2 a");
await records.first().waitFor();
seen.read = [await records.count()];
seen.shown = await viewer.locator("#content").innerText();
await viewer.click("a[rel=next]");
await records.first().waitFor();
seen.read.push(await records.count());
await viewer.click("a[rel=next]");
seen.exhausted = await viewer.locator("#content, main").first().innerText();
await viewer.goto(`${own}/mine/`);
seen.mine = await viewer.locator("#content").innerText();
await look(viewer, "mine");

await steward.goto(`${dataset}access/`);
await look(steward, "access");
const lease = steward.locator("section[aria-labelledby=leases]");
await lease.locator("[name=reason]").fill("The check is done");
await lease.locator("button[value=revoke]").click();
await steward.getByText("The lease is revoked.").waitFor();
await viewer.goto(`${dataset}records/`);
seen.after = await viewer.title();

const auditor = await open(told.users.auditor);
await auditor.goto(`${own}/decisions/?denied=1`);
await look(auditor, "decisions");
await auditor.click("tbody tr:first-child a");
await auditor.getByText("What it was decided on").waitFor();
seen.why = await auditor.locator("#content").innerText();
await look(auditor, "why");
for (const page of ["policies", "who", "reviews", "emergencies", "requests"]) {
  await auditor.goto(`${own}/${page}/`);
  await look(auditor, page);
}

await report();
