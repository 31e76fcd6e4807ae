// People on a real site: set-up, passkeys with a virtual authenticator, step-up, sessions, invitations, with and without
// JavaScript.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, afterEach, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, startBrowser, totp } from "./postern.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const password = "tea at the tram stop";

async function startSite() {
  const helper = spawn("/usr/bin/python3", [join(here, "site.py")], { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  helper.stderr.on("data", (bytes) => { errors += bytes; });
  const exited = new Promise((resolve) => helper.on("exit", resolve));
  const lines = createInterface(helper.stdout)[Symbol.asyncIterator]();
  const { value: first } = await lines.next();
  if (!first) throw new Error(`site.py ended:\n${errors}`);
  return {
    ...JSON.parse(first),
    async ask(...words) {
      helper.stdin.write(JSON.stringify(words) + "\n");
      const answer = JSON.parse((await lines.next()).value);
      if (answer.error) throw new Error(answer.error);
      return answer.ok;
    },
    async stop() { helper.stdin.end(); assert.equal(await exited, 0, errors); },
  };
}

async function authenticator(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", { options: {
    protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
  return { devtools, authenticatorId };
}

describe("people", () => {
  let site, browser, page, secret, codes;
  before(async () => {
    [site, browser] = await Promise.all([startSite(), startBrowser()]);
    page = await openPage(browser);
    await authenticator(page);
  });
  after(async () => { await browser?.close(); await site?.stop(); });
  afterEach(() => assert.deepEqual(page.faults.splice(0), []));

  const visit = (path) => page.goto(site.url + path);
  const sessionCookie = async (on) => (await on.context().cookies()).find(({ name }) => name === "__Host-postern-session");
  const firstStep = async (on) => {
    await on.goto(site.url + "/sign-in");
    await on.getByLabel("Name").fill("ada");
    await on.getByLabel("Password").fill(password);
    await on.getByRole("button", { name: "Continue" }).click();
  };

  it("the set-up page takes a code, and shows ten recovery codes once", async () => {
    await page.goto(site.setupLink);
    secret = (await page.locator(".secret").textContent()).replaceAll(" ", "");
    await page.getByLabel("Name to sign in with").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByLabel("The same password again").fill(password);
    await page.getByLabel("The code that the app shows now").fill(totp(secret));
    await page.getByRole("button", { name: "Create the account" }).click();
    await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
    codes = await page.locator(".codes code").allTextContents();
    assert.equal(codes.length, 10);
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "people-codes");
  });

  it("without JavaScript: password, then the code of the app; a session that was there before is none", async () => {
    const plain = await openPage(browser, { javaScriptEnabled: false });
    const planted = "p".repeat(43);
    await plain.context().addCookies([{ name: "__Host-postern-session", value: planted, url: site.url, secure: true, httpOnly: true, sameSite: "Strict" }]);
    await firstStep(plain);
    await plain.getByLabel("Code from your authenticator app").fill(totp(secret, Date.now() + 30_000)); // that of set-up is used
    await plain.getByRole("button", { name: "Sign in", exact: true }).click();
    await plain.getByRole("heading", { name: "Dashboard" }).waitFor();
    const cookie = await sessionCookie(plain);
    assert.notEqual(cookie.value, planted);
    assert.deepEqual([cookie.secure, cookie.httpOnly, cookie.sameSite, cookie.path], [true, true, "Strict", "/"]);
    await plain.context().close();
    const thief = await openPage(browser);
    await thief.context().addCookies([{ name: "__Host-postern-session", value: planted, url: site.url, secure: true, httpOnly: true, sameSite: "Strict" }]);
    await thief.goto(site.url + "/people");
    await thief.getByRole("button", { name: "Continue" }).waitFor();
    await thief.context().close();
  });

  it("without JavaScript: password, then a recovery code; the code works once", async () => {
    const plain = await openPage(browser, { javaScriptEnabled: false });
    await firstStep(plain);
    await plain.getByText("Use a recovery code").click();
    await plain.getByLabel("Recovery code").fill(codes[0]);
    await plain.getByRole("button", { name: "Sign in with the recovery code" }).click();
    await plain.getByRole("heading", { name: "Dashboard" }).waitFor();
    await plain.context().close();
    const again = await openPage(browser, { javaScriptEnabled: false });
    await firstStep(again);
    await again.getByText("Use a recovery code").click();
    await again.getByLabel("Recovery code").fill(codes[0]);
    await again.getByRole("button", { name: "Sign in with the recovery code" }).click();
    await again.getByRole("alert").waitFor();
    assert.equal(await sessionCookie(again), undefined);
    await again.context().close();
  });

  it("a passkey is added, and signs in by itself with a token nobody has seen", async () => {
    await firstStep(page);
    await page.getByText("Use a recovery code").click();
    await page.getByLabel("Recovery code").fill(codes[1]);
    await page.getByRole("button", { name: "Sign in with the recovery code" }).click();
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();
    const before = await sessionCookie(page);
    await visit("/account");
    await shoot(page, "account");
    assert.deepEqual(await seriousFindings(page), []);
    await page.getByLabel("Name of the passkey").fill("Laptop");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("It was added.").waitFor();
    await page.getByRole("button", { name: "Remove Laptop" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();
    assert.notEqual((await sessionCookie(page)).value, before.value);
  });

  it("an answer of a passkey works once, and none that another site asked", async () => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    let sent;
    await page.route("**/sign-in/factor", (route) => { sent = route.request().postData(); return route.continue(); });
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();
    await page.unroute("**/sign-in/factor");
    const fresh = await openPage(browser);
    await fresh.goto(site.url + "/sign-in");
    const csrf = await fresh.locator("input[name=csrf]").first().inputValue();
    const assertion = new URLSearchParams(sent).get("assertion");
    const replay = async (value) => (await fresh.request.post(site.url + "/sign-in/factor", { form: { csrf, assertion: value }, headers: { Origin: site.url }, maxRedirects: 0 })).status();
    assert.equal(await replay(assertion), 401, "the challenge was used");
    const foreign = JSON.parse(assertion);
    const options = await (await fresh.request.get(site.url + "/sign-in/passkey")).json();
    foreign.response.clientDataJSON = Buffer.from(JSON.stringify({ type: "webauthn.get", challenge: options.challenge, origin: "https://evil.example", crossOrigin: false })).toString("base64url");
    assert.equal(await replay(JSON.stringify(foreign)), 401, "another origin");
    await fresh.context().close();
  });

  it("an invitation makes an account once, also without JavaScript", async () => {
    await visit("/people");
    await page.getByLabel("Name to sign in with").fill("olga");
    await page.getByLabel("Compliance officer").check();
    await shoot(page, "people");
    assert.deepEqual(await seriousFindings(page), []);
    await page.getByRole("button", { name: "Make the invitation" }).click();
    await page.getByRole("heading", { name: "The link" }).waitFor();
    const link = await page.locator(".secret").textContent();
    const olga = await openPage(browser, { javaScriptEnabled: false });
    await olga.goto(link);
    const own = (await olga.locator(".secret").textContent()).replaceAll(" ", "");
    await olga.getByLabel("Password", { exact: true }).fill("another long sentence");
    await olga.getByLabel("The same password again").fill("another long sentence");
    await olga.getByLabel("The code that the app shows now").fill(totp(own));
    await olga.getByRole("button", { name: "Create the account" }).click();
    await olga.getByRole("heading", { name: "Your recovery codes" }).waitFor();
    assert.equal((await olga.goto(link)).status(), 410);
    await olga.context().close();
  });

  it("what is typed is offered again after the session ended", async () => {
    await visit("/people");
    await page.getByLabel("Name to sign in with").fill("half-typed");
    await page.context().clearCookies();
    await page.reload();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("button", { name: "Put it back" }).click();
    assert.equal(await page.getByLabel("Name to sign in with").inputValue(), "half-typed");
  });

  it("the pages of people look right on a phone", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of ["/account", "/people", "/sessions", "/step-up", "/account/totp"]) {
      await visit(path);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1), `${path} does not fit`);
      assert.deepEqual(await seriousFindings(page), []);
      await shoot(page, `phone-people${path.replaceAll("/", "-")}`);
    }
    await page.setViewportSize({ width: 1366, height: 860 });
  });

  it("a step-up by passkey; shutting out is at once, and one person alone decides later, for all to see", async () => {
    await visit("/step-up?next=/people");
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByText("For five minutes you will not be asked again.").waitFor();
    await page.getByRole("link", { name: "olga" }).click();
    await page.getByRole("button", { name: "Disable olga" }).click();
    await page.getByText("Leave the site to one person, without olga").first().waitFor();
    await page.getByText("The one person who is left decides nothing alone for seven days.").waitFor();
    await shoot(page, "one-person-request");
    assert.deepEqual(await seriousFindings(page), []);
    await visit("/people/olga");
    await page.getByRole("button", { name: "Enable olga" }).waitFor();
    for (const [name, viewport] of [["desktop", { width: 1280, height: 860 }], ["phone", { width: 390, height: 844 }]]) {
      await page.setViewportSize(viewport);
      await visit("/");
      await page.getByText(/lets one person alone decide on this site from/).waitFor();
      assert.deepEqual(await seriousFindings(page), []);
      await shoot(page, `one-person-dashboard-${name}`);
    }
    await page.setViewportSize({ width: 1366, height: 860 });
  });

  it("who does not run the site is shut out at once", async () => {
    await site.ask("cli", "user", "invite", "wim", "--roles", "owner");
    await visit("/people/wim");
    await page.getByRole("button", { name: "Disable wim" }).click();
    await page.getByText("The account was changed.").waitFor();
    await page.getByRole("button", { name: "Enable wim" }).waitFor();
  });

  it("sessions are seen and ended, and the one that was ended is out with the next click", async () => {
    const other = await openPage(browser, { javaScriptEnabled: false });
    await firstStep(other);
    await other.getByText("Use a recovery code").click();
    await other.getByLabel("Recovery code").fill(codes[2]);
    await other.getByRole("button", { name: "Sign in with the recovery code" }).click();
    await other.getByRole("heading", { name: "Dashboard" }).waitFor();
    await visit("/account");
    await page.getByRole("button", { name: "End all others" }).click();
    await page.getByText("this one").waitFor();
    assert.match((await other.goto(site.url + "/lists")).url(), /sign-in/);
    assert.equal((await visit("/lists")).status(), 200);
    await other.context().close();
  });

  it("no secret of a browser lies in a file of the site or in its log", async () => {
    const { value } = await sessionCookie(page);
    const files = (text) => spawnSync("grep", ["-rlF", "--", text, site.folder], { encoding: "utf8" }).stdout;
    assert.match(files(createHash("sha256").update(value).digest("hex")), /site\.db/);
    assert.equal(files(value), "");
  });
});
