// A browser for the journeys: who signs in gets a page, and what went wrong on any page is written down in ``seen``.
import { join } from "node:path";
import { chromium } from "playwright-core";

export const told = JSON.parse(process.argv[2]);
export const seen = { violations: [], errors: [], dialogs: 0 };

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

export async function open(username) {
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

export const keep = (page, name) => page.screenshot({ path: join(told.pictures, `${name}.png`) });

export async function createDataset(page, name) {
  await page.goto(`${told.site}/admin/datasets/dataset/add/`);
  await page.fill("[name=name]", name);
  await page.click("button[name=_save]");
  await page.waitForSelector("form[data-upload]");
  return page.url();
}

export async function upload(page, file, idField) {
  await page.setInputFiles("form[data-upload] input[type=file]", file);
  await page.fill("[name=id_field]", idField);
  await page.click("form[data-upload] button[type=submit]");
  const outcome = page.locator("[data-progress][data-state=succeeded], [data-progress][data-state=failed]");
  await outcome.waitFor({ timeout: 90000 });
  return (await outcome.locator("[data-status]").textContent()).trim();
}

export async function report() {
  await browser.close();
  process.stdout.write(JSON.stringify(seen));
}
