import { chromium } from "playwright-core";
const [site, org, user, password, out, ...paths] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--headless", "--no-sandbox", "--disable-gpu"] });
const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
page.setDefaultTimeout(90000);
page.on("console", (m) => { if (m.type() === "error" || m.text().includes("Content Security")) console.log("CONSOLE", page.url(), m.text().slice(0, 200)); });
await page.goto(`${site}/admin/login/?org=${org}`);
await page.fill("[name=username]", user); await page.fill("[name=password]", password); await page.keyboard.press("Enter");
await page.waitForURL(/\/admin\/$/);
for (const item of paths) {
  const [name, path] = item.split("=", 2);
  const full = item.slice(name.length + 1);
  const answer = await page.goto(site + full);
  console.log(name, answer.status(), await page.title());
  await page.screenshot({ path: `${out}/${name}.png`, fullPage: true });
}
await browser.close();
