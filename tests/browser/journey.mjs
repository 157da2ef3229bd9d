// What people do in the vault's pages, done in a real browser. Called with one JSON argument; prints what was seen as JSON.
import { join } from "node:path";
import { chromium } from "playwright-core";

const told = JSON.parse(process.argv[2]);
const seen = { violations: [], errors: [], dialogs: 0 };

const browser = await chromium.launch({
  executablePath: told.chromium,
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

async function open(username) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(30000);
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("console", (message) => message.text().includes("Content Security Policy") && seen.violations.push(message.text()));
  page.on("dialog", (dialog) => {
    seen.dialogs += 1;
    dialog.dismiss();
  });
  await page.goto(`${told.site}/admin/login/?org=${told.organization}`);
  // By keyboard alone, as people without a mouse do.
  await page.focus("[name=username]");
  await page.keyboard.type(username);
  await page.keyboard.press("Tab");
  await page.keyboard.type(told.password);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/admin\/$/);
  return page;
}

const keep = (page, name) => page.screenshot({ path: join(told.pictures, `${name}.png`) });

async function upload(page, file, idField) {
  await page.setInputFiles("form[data-upload] input[type=file]", file);
  await page.fill("[name=id_field]", idField);
  await page.click("form[data-upload] button[type=submit]");
  const outcome = page.locator("[data-progress][data-state=succeeded], [data-progress][data-state=failed]");
  await outcome.waitFor({ timeout: 90000 });
  return (await outcome.locator("[data-status]").textContent()).trim();
}

const steward = await open(told.users.steward);
await keep(steward, "home");
await steward.goto(`${told.site}/admin/datasets/dataset/add/`);
await steward.fill("[name=name]", "from-the-browser");
await steward.click("button[name=_save]");
await steward.waitForSelector("form[data-upload]");
const dataset = steward.url();
seen.refused = await upload(steward, told.files.broken, "id");
await keep(steward, "upload-refused");
seen.stored = await upload(steward, told.files.good, "id");
await keep(steward, "upload");
await steward.goto(`${dataset}records/`);
seen.askedForPurpose = await steward.getByText("For what purpose?").isVisible();
await steward.click("button[value=debugging]");
await steward.waitForSelector(".v-record");
seen.marked = await steward.locator(".finding-text").allTextContents();
seen.expandable = await steward.locator(".v-expand").count();
seen.hostileText = await steward.getByText("{{7*7}}").first().isVisible();
seen.title = await steward.title();
await keep(steward, "records-steward");

const scientist = await open(told.users.scientist);
await scientist.goto(`${dataset}records/?purpose=analytics`);
await scientist.waitForSelector(".v-record");
seen.scientistText = await scientist.locator("#content").innerText();
await keep(scientist, "records-scientist");

const auditor = await open(told.users.auditor);
await auditor.goto(`${told.site}/admin/audit/auditevent/`);
seen.auditRows = await auditor.locator("tbody tr").count();
await auditor.click("tbody tr:first-child a");
await auditor.waitForSelector(".v-json");
await keep(auditor, "audit-event");
await auditor.goto(`${told.site}/admin/`);
await auditor.waitForSelector("[data-activity] tbody tr");
seen.activityRows = await auditor.locator("[data-activity] tbody tr").count();

await browser.close();
process.stdout.write(JSON.stringify(seen));
