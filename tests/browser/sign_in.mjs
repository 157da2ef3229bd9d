// Signing in with second factors in a real browser, with a virtual security key. Called with one JSON argument; prints JSON.
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { chromium } from "playwright-core";

const told = JSON.parse(process.argv[2]);
const seen = { violations: [], errors: [] };

const browser = await chromium.launch({
  executablePath: told.chromium,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const page = await context.newPage();
page.setDefaultTimeout(60000);
page.on("pageerror", (error) => seen.errors.push(error.message));
page.on("console", (message) => message.text().includes("Content Security Policy") && seen.violations.push(message.text()));

const devtools = await context.newCDPSession(page);
await devtools.send("WebAuthn.enable");
const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
  options: { protocol: "ctap2", transport: "usb", hasUserVerification: false, hasResidentKey: false, automaticPresenceSimulation: true },
});

const keep = (name) => page.screenshot({ path: join(told.pictures, `${name}.png`), fullPage: true });

async function password(username) {
  await page.goto(`${told.site}/admin/login/?org=${told.organization}`);
  await page.fill("[name=username]", username);
  await page.fill("[name=password]", told.password);
  await page.keyboard.press("Enter");
}

// The page is left first: what it still asks for would be answered with the cookie of another form.
async function signOut() {
  await page.goto("about:blank");
  await context.clearCookies();
}

// RFC 6238, as an app does it.
function code(spelled, ahead = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...spelled].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const seed = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + ahead));
  const digest = createHmac("sha1", seed).update(step).digest();
  const offset = digest[19] & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1000000).padStart(6, "0");
}

// The rule asks for a factor: a security key is added before anything else opens.
await password(told.users.keyholder);
await page.waitForURL(/second-factor\/add\/$/);
await keep("add-factor");
await page.goto(`${told.site}/admin/datasets/dataset/`);
await page.waitForURL(/second-factor\/add\/$/);
await page.getByRole("button", { name: "Add a security key" }).click();
await page.getByText("I have kept them").waitFor();
seen.codes = (await page.locator("[data-codes]").textContent()).trim().split(/\s+/);
await keep("recovery-codes");
await page.getByText("I have kept them").click();
await page.waitForURL(/\/admin\/$/);

// The next sign-in asks for the key.
await signOut();
await password(told.users.keyholder);
await page.waitForURL(/second-factor\/$/);
await keep("second-factor");
await page.getByRole("button", { name: "Use your security key" }).click();
await page.waitForURL(/\/admin\/$/);
await page.goto(`${told.site}/admin/access-control/account/`);
await keep("account");
seen.account = await page.locator("#content").innerText();

// A key that is gone, then a recovery code.
await signOut();
await password(told.users.keyholder);
await page.waitForURL(/second-factor\/$/);
await devtools.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
await page.getByText("Use a recovery code").click();
await page.fill("#recovery", seen.codes[0]);
await page.locator("details button").click();
await page.waitForURL(/\/admin\/$/);

// An app, by keyboard alone; a wrong code is told, the right one opens.
await signOut();
await password(told.users.officer);
await page.waitForURL(/second-factor\/add\/$/);
await page.getByText("Type it by hand").click();
const seed = (await page.locator("details code").textContent()).trim();
await page.focus("#code");
await page.keyboard.type("000000");
await page.keyboard.press("Enter");
await page.locator("[role=alert]").waitFor();
seen.refused = (await page.locator("[role=alert]").textContent()).trim();
await keep("add-factor-refused");
await page.focus("#code");
await page.keyboard.type(code(seed));
await page.keyboard.press("Enter");
await page.getByText("I have kept them").click();
await page.waitForURL(/\/admin\/$/);
await page.goto(`${told.site}/admin/access-control/sessions/`);
await page.locator("table").waitFor();
await keep("sessions");
await page.goto(`${told.site}/admin/access-control/sign-in-rules/`);
await keep("sign-in-rules");
await page.goto(`${told.site}/admin/access-control/confirm/?next=/admin/tour/`);
await keep("confirm");
await page.fill("#code", code(seed, 1));
await page.keyboard.press("Enter");
await page.waitForURL(/\/admin\/tour\/$/);
seen.done = true;

await browser.close();
console.log(JSON.stringify(seen));
