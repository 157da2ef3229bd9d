// What people do in the vault's pages, done in a real browser. Called with one JSON argument; prints what was seen as JSON.
import { createDataset, keep, open, report, seen, told, upload } from "./visit.mjs";

const steward = await open(told.users.steward);
await keep(steward, "home");
const dataset = await createDataset(steward, "from-the-browser");
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

await report();
