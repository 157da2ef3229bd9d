// From personal data to a masked file: findings, a policy tried and attached, a reader under it, an export of what that reader sees.
import { readFile } from "node:fs/promises";
import { createDataset, keep, open, report, seen, told, upload } from "./visit.mjs";

const steward = await open(told.users.steward);
const dataset = await createDataset(steward, "personal");
seen.stored = await upload(steward, told.files.personal, "id");
await steward.click("nav.v-tabs a:has-text('Privacy')");
await steward.click("button[value=evaluation]");
await steward.waitForSelector("nav.v-tabs a[aria-current=page]");
seen.findings = await steward.locator("#content").innerText();
await keep(steward, "findings");

await steward.goto(`${told.site}/admin/privacy/policies/`);
await steward.fill("[name=name]", "hide-mail");
await steward.click("button:has-text('Make it')");
await steward.waitForSelector("textarea[name=document]");
const policy = steward.url();
await steward.fill("textarea[name=document]", told.broken);
await steward.click("button[value=check]");
await steward.waitForSelector("#refusal");
seen.refusal = (await steward.locator(".v-problems").allInnerTexts()).join(" ");
await keep(steward, "policy-refused");
await steward.fill("textarea[name=document]", told.policy);
await steward.click("button[value=check]");
await steward.getByText("The document is a valid policy.").waitFor();
await steward.check("[name=activate]");
await steward.click("button[value=save]");
await steward.getByText("Active: version").waitFor();

await steward.goto(`${dataset}anonymization/`);
const option = await steward.locator("[name=policy] option", { hasText: "hide-mail" }).first().getAttribute("value");
await steward.selectOption("[name=policy]", option);
await steward.click("button:has-text('Show')");
await steward.waitForSelector(".p-sides");
seen.before = await steward.locator(".p-sides > div:first-child").allInnerTexts();
seen.after = await steward.locator(".p-sides > div:last-child").allInnerTexts();
await keep(steward, "preview");

await steward.goto(policy);
await steward.fill("[name=dataset]", dataset.match(/[0-9a-f-]{36}/)[0]);
await steward.click("button[value=attach]");
await steward.waitForSelector("button[value=detach]");
await keep(steward, "policy");

const scientist = await open(told.users.scientist);
await scientist.goto(`${dataset}records/?purpose=model-training`);
await scientist.waitForSelector(".v-record");
seen.scientistText = await scientist.locator("#content").innerText();
await keep(scientist, "records-under-policy");

await scientist.click("nav.v-tabs a:has-text('Releases')");
await scientist.click("a[href$='/exports/new/']");
await scientist.selectOption("[name=purpose]", "model-training");
await scientist.click("[data-next]");
await scientist.click("[data-next]");
await scientist.click("[data-review]");
await scientist.waitForSelector("button:has-text('Export')");
await keep(scientist, "export-review");
await scientist.click("button:has-text('Export')");
const button = scientist.locator("button[aria-label$='.jsonl']");
await button.first().waitFor({ timeout: 90000 });
await keep(scientist, "export");
const [download] = await Promise.all([scientist.waitForEvent("download"), button.first().click()]);
seen.fileName = download.suggestedFilename();
seen.file = await readFile(await download.path(), "utf8");

await report();
