// What the browser tests share: a site with a fake listd (or the one at POSTERN_URL), a browser, signing in.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { makeSite, startFakeListd, totp } from "./fake-listd.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const programs = process.env.POSTERN_PROGRAMS ?? join(root, "build/dev/bin");
const shots = process.env.POSTERN_SCREENSHOTS ?? join(root, "build/screenshots");
const axeSource = readFileSync(join(root, "node_modules/axe-core/axe.min.js"), "utf8");

const freePort = () => new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

async function until(what, check) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await check().catch(() => undefined);
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// The process when it listens, undefined when another program took its port between our look and its start.
async function startWebadmin(data, port) {
  writeFileSync(join(data, "postern.toml"), `[site]\nhost_name = "postern.st-elmo.example"\n\n[web]\nlisten = "127.0.0.1:${port}"\n`);
  const server = spawn(join(programs, "postern-webadmin"), ["--data", data], { stdio: ["ignore", "ignore", "pipe"] });
  const running = { server, log: "", exited: new Promise((resolve) => server.on("close", resolve)) };
  server.stderr.on("data", (bytes) => { running.log += bytes; });
  const listens = until("postern-webadmin to listen", async () => running.log.includes('"listening"'));
  const ended = running.exited.then(() => "ended");
  if (await Promise.race([listens.catch((error) => { throw new Error(`${error.message}\n${running.log}`); }), ended]) !== "ended")
    return running;
  listens.catch(() => {});
  if (!/Address already in use/.test(running.log)) throw new Error(`postern-webadmin ended:\n${running.log}`);
  return undefined;
}

// postern-webadmin on a free port with a certificate of its own and a fake listd behind it. With POSTERN_URL in the
// environment a site that runs already is used instead, and `site` is undefined.
export async function startPostern(options = {}) {
  if (process.env.POSTERN_URL) return { url: process.env.POSTERN_URL.replace(/\/$/, ""), stop: async () => {} };
  const data = mkdtempSync(join(tmpdir(), "postern-browser-"));
  for (const folder of ["listd", "tls", "web"]) mkdirSync(join(data, folder));
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "83",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", join(data, "tls/key.pem"),
    "-out", join(data, "tls/cert.pem")], { stdio: "ignore" });
  const site = makeSite(options);
  const listd = await startFakeListd(join(data, "listd/web.sock"), site);
  let port, running;
  for (let tries = 0; !running && tries < 5; ++tries) running = await startWebadmin(data, port = await freePort());
  if (!running) throw new Error("five free ports were each taken before postern-webadmin had them");
  return {
    url: `https://localhost:${port}`, site, data, log: () => running.log,
    async stop() {
      running.server.kill("SIGTERM");
      const status = await running.exited;
      listd.close();
      rmSync(data, { recursive: true, force: true });
      return status;
    },
  };
}

export const startBrowser = () => chromium.launch({
  executablePath: process.env.POSTERN_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});

// A page of a fresh browser profile. Whatever it asks of another host, and whatever its console reports as a violated
// policy or a broken script, is collected in `faults`.
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1366, height: 860 }, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (4|5)\d\d/.test(message.text())) page.faults.push(message.text());
  });
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("request", (request) => {
    if (!/^(https:\/\/(localhost|127\.0\.0\.1)|data:|blob:)/.test(request.url()) && !request.url().startsWith(process.env.POSTERN_URL ?? "https://localhost"))
      page.faults.push("a request left the site: " + request.url());
  });
  return page;
}

// Who signs in: of the fake site, or by POSTERN_NAME, POSTERN_PASSWORD and POSTERN_TOTP_SECRET.
export function credentials(postern) {
  if (!postern.site)
    return { name: process.env.POSTERN_NAME, password: process.env.POSTERN_PASSWORD, secret: process.env.POSTERN_TOTP_SECRET };
  const [account] = postern.site.accounts;
  return { name: account.name, password: account.password, secret: postern.site.secret };
}

export async function signIn(page, postern, { name, password, secret } = credentials(postern)) {
  await page.goto(postern.url + "/sign-in");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByLabel("Code from your authenticator app").fill(totp(secret));
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
}

// What is done in a page, once more if the page loaded itself anew meanwhile, as those do that show how things go on.
async function inPage(page, act) {
  try {
    return await act();
  } catch (error) {
    if (!/Execution context was destroyed/.test(error.message)) throw error;
    await page.waitForLoadState();
    return act();
  }
}

export async function shoot(page, name) {
  mkdirSync(shots, { recursive: true });
  await inPage(page, async () => {
    await page.evaluate(() => scrollTo(0, 0));  // else what is sticky is drawn in the middle of the page
    await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  });
}

// The serious and critical findings of axe-core. The policy of the site forbids foreign scripts, so axe comes in by the
// debugger and not by a script tag.
export async function seriousFindings(page) {
  const { violations } = await inPage(page, async () => {
    await page.evaluate(axeSource);
    return page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  });
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 140) + " " + (node.any[0]?.message ?? "")).join(" | ")}`);
}

export { totp };
