// The web UI on a real site, end to end: gateway, listd, policy workers, mail over TLS, a real Chromium. The other
// browser tests show every state of every page against a fake listd; this one shows that the pages fit the real one.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, afterEach, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, startBrowser, totp } from "./postern.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const board = "board@lists.example";
const account = { name: "ada", password: "tea at the tram stop" };
const canary = "Kanarienvogel-4c1d-singt";

// tests/browser/site.py: the site as it printed it, and how to end it.
async function startSite() {
  const helper = spawn("/usr/bin/python3", [join(here, "site.py")], { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  helper.stderr.on("data", (bytes) => { errors += bytes; });
  const exited = new Promise((resolve) => helper.on("exit", resolve));
  const line = new Promise((resolve) => createInterface(helper.stdout).once("line", resolve));
  const first = await Promise.race([line, exited.then((code) => Promise.reject(new Error(`site.py ended with ${code}:\n${errors}`)))]);
  return { ...JSON.parse(first), async stop() { helper.stdin.end(); assert.equal(await exited, 0, errors); } };
}

// A message by swaks through a real TLS session; {code, dialogue}.
const swaks = (site, to, subject, body) => new Promise((resolve) => {
  execFile("swaks", ["--server", `127.0.0.1:${site.smtpPort}`, "--tls", "--ehlo", "mail.example.org", "--from", "ann@example.org",
    "--to", to, "--header", `Subject: ${subject}`, "--body", body, "--timeout", "30"], (error, out, err) => resolve({ code: error?.code ?? 0, dialogue: out + err }));
});

// Each code works once, so one is taken of a step that no sign-in has used: one step ahead is still taken.
let lastStep = 0;
async function freshCode(secret) {
  const wanted = Math.max(lastStep + 1, Math.floor(Date.now() / 30000));
  while (Math.floor((Date.now() - 500) / 30000) + 1 < wanted) await new Promise((resolve) => setTimeout(resolve, 250));
  lastStep = wanted;
  return totp(secret, wanted * 30000);
}

describe("the web UI on a real site", () => {
  let site, browser, page, secret, postPath;
  before(async () => {
    [site, browser] = await Promise.all([startSite(), startBrowser()]);
    page = await openPage(browser);
  });
  after(async () => { await browser?.close(); await site?.stop(); });
  afterEach(() => assert.deepEqual(page.faults.splice(0), []));

  const visit = (path) => page.goto(site.url + path);

  const signIn = async (on, heading = "Dashboard") => {
    await on.getByLabel("Name").fill(account.name);
    await on.getByLabel("Password").fill(account.password);
    await on.getByRole("button", { name: "Continue" }).click();
    await on.getByLabel("Code from your authenticator app").fill(await freshCode(secret));
    await on.getByRole("button", { name: "Sign in", exact: true }).click();
    await on.getByRole("heading", { name: heading }).waitFor();
  };

  it("the set-up link creates the account: rules as listd has them, common passwords refused", async () => {
    await page.goto(site.setupLink);
    await page.locator("#rules").getByText("8 characters or more").waitFor();
    secret = (await page.locator(".secret").textContent()).replaceAll(" ", "");
    const setUp = async (name, password) => {
      await page.getByLabel("Name to sign in with").fill(name);
      await page.getByLabel("Password", { exact: true }).fill(password);
      await page.getByLabel("The same password again").fill(password);
      await page.getByLabel("The code that the app shows now").fill(totp(secret));
      await page.getByRole("button", { name: "Create the account" }).click();
    };
    await setUp(account.name, "Password123");
    await page.getByRole("alert").getByText("This password is one of the common ones").waitFor();
    await setUp(account.name, "ada-2026!");
    await page.getByRole("alert").getByText("The password is the name of the account or of the site.").waitFor();
    await shoot(page, "site-setup-refused");
    lastStep = Math.floor(Date.now() / 30000);
    await setUp(account.name, account.password);
    await page.getByText("Your account is ready").waitFor();
    lastStep = Math.max(lastStep, Math.floor(Date.now() / 30000));
    assert.equal((await page.goto(site.setupLink)).status(), 410, "the link works once");
    await visit("/sign-in");
    await signIn(page);
    assert.deepEqual(await seriousFindings(page), []);
  });

  it("a member is added and her certificate imported", async () => {
    await visit(`/lists/${board}/members`);
    await page.getByLabel("Mail address").fill("dora@example.org");
    await page.getByLabel("Name, optional").fill("Dora Dean");
    await page.getByRole("button", { name: "Add the member" }).click();
    await page.getByText("The member was added.").waitFor();
    await page.getByText("No certificate or key is on file.").waitFor();
    await page.getByLabel("File (.pem, .crt, .cer, .asc, .pgp)").setInputFiles(site.doraCertificate);
    await page.getByRole("button", { name: "Import the certificate" }).click();
    await page.getByText("The key was imported.").waitFor();
    await page.getByText("A protected copy of every post.").waitFor();
    await shoot(page, "site-member");
    await page.getByLabel("File (.pem, .crt, .cer, .asc, .pgp)").setInputFiles({ name: "x.pem", mimeType: "application/x-pem-file",
      buffer: Buffer.from("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n") });
    await page.getByRole("button", { name: "Import the certificate" }).click();
    await page.getByRole("alert").waitFor();
  });

  it("the protection of a list is chosen in plain words and the plan follows", async () => {
    await visit(`/lists/${board}`);
    await page.getByRole("link", { name: "Fan-out plan" }).click();
    await page.getByRole("heading", { name: "4 members: 3 S/MIME, 1 Withheld" }).waitFor();
    await page.getByText("75 % of the members would get a copy.").waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await page.getByRole("link", { name: "Withheld" }).click();
    await page.getByRole("link", { name: "cid@example.net" }).waitFor();
    await shoot(page, "site-plan");
    await page.setViewportSize({ width: 390, height: 800 });
    await shoot(page, "site-plan-390");
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole("link", { name: "Protection", exact: true }).click();
    await page.getByText("made when the first copy needs it").or(page.locator(".fingerprint")).first().waitFor();
    await page.getByLabel("The weakest that a copy may have").selectOption("smime");
    await page.getByLabel("What is tried, and in which order").selectOption("pickup");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").getByText("every copy would be withheld", { exact: false }).waitFor();
    await page.getByLabel("The weakest that a copy may have").selectOption("default");
    await page.getByLabel("What is tried, and in which order").selectOption("smime,openpgp,pickup");
    await page.getByLabel("Minutes to wait for verified TLS").fill("90");
    await page.getByLabel("A content key for each reader", { exact: false }).check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The protection was saved.", { exact: false }).waitFor();
    await page.getByText("S/MIME, then OpenPGP, then Web pick-up").waitFor();
    await page.getByText("90 minutes.", { exact: false }).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "site-protection");
    await page.setViewportSize({ width: 390, height: 800 });
    await shoot(page, "site-protection-390");
    await page.setViewportSize({ width: 1280, height: 800 });
    await visit(`/lists/${board}/plan`);
    await page.getByRole("heading", { name: "4 members: 3 S/MIME, 1 Web pick-up" }).waitFor();
    await visit(`/lists/${board}/protection`);
    await page.getByRole("link", { name: "all lists of lists.example" }).click();
    await page.getByRole("heading", { name: "Protection in lists.example" }).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "site-domain-protection");
    await page.setViewportSize({ width: 390, height: 800 });
    await shoot(page, "site-domain-protection-390");
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByLabel("The weakest that a copy of any list may have").selectOption("pickup");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The protection was saved.", { exact: false }).waitFor();
    await page.getByLabel("The weakest that a copy of any list may have").selectOption("default");
    await page.getByRole("button", { name: "Save" }).click();
    await visit(`/lists/${board}/members/cid@example.net`);
    await page.getByLabel("The weakest protection that the member wants").selectOption("openpgp");
    await page.getByRole("button", { name: "Save the wish" }).click();
    await page.getByText("The member wants a stronger protection than can be had now.", { exact: false }).waitFor();
    await page.getByLabel("The weakest protection that the member wants").selectOption("none");
    await page.getByRole("button", { name: "Save the wish" }).click();
  });

  it("protection works without JavaScript", async () => {
    const plain = await openPage(browser, { javaScriptEnabled: false });
    await plain.context().addCookies(await page.context().cookies());
    await plain.goto(`${site.url}/lists/${board}/protection`);
    await plain.getByLabel("What is tried, and in which order").selectOption("smime,openpgp");
    await plain.getByLabel("A content key for each reader", { exact: false }).uncheck();
    await plain.getByRole("button", { name: "Save" }).click();
    await plain.getByText("The protection was saved.", { exact: false }).waitFor();
    await plain.goto(`${site.url}/lists/${board}/plan?class=low`);
    await plain.getByRole("heading", { name: "4 members: 3 S/MIME, 1 Withheld" }).waitFor();
    await plain.context().close();
  });

  it("the dashboard counts posts, refusals and copies while it is looked at", async () => {
    await visit("/");
    await page.getByText("Live, as of").waitFor();
    await page.evaluate(() => { globalThis.neverReloaded = true; });
    const shows = (name, text) => page.locator(`[data-live="${name}"]`, { hasText: new RegExp(`^${text}$`) }).first().waitFor();
    await shows("accepted", "0");
    const [accepted, refused] = await Promise.all([
      swaks(site, board, "Secure: budget", canary), swaks(site, "social@lists.example", "Secure: picnic", canary)]);
    assert.equal(accepted.code, 0, accepted.dialogue);
    assert.match(accepted.dialogue, /TLS started with cipher TLSv1\.3[^]*<~  250 2\.0\.0 /);
    assert.notEqual(refused.code, 0);
    assert.match(refused.dialogue, /<~\* 550[ -]5\.7\.1 .*social@lists\.example/);
    const [, help] = refused.dialogue.match(/550[ -]5\.7\.1 help: (\S+)/);
    assert.equal(help, site.url + "/help");
    await shows("accepted", "1");
    await shows("refused", "1");
    await shows("delivered", "5");  // three copies, the notice to Cid and the report to Ann
    await shows("plaintext", "0");
    await page.locator("[data-refusals]").getByText("Tagged “Secure:” to a list that is not secure").waitFor();
    await page.locator("[data-mix]").getByText(/S\/MIME 3/).waitFor();
    assert.match(await page.locator("[data-mix]").textContent(), /Withheld 1/);
    assert.equal(await page.evaluate(() => globalThis.neverReloaded), true, "without a reload");
    await shoot(page, "site-dashboard-live");
  });

  it("the help that the refusal names is there for everybody", async () => {
    const stranger = await openPage(browser);
    assert.equal((await stranger.goto(site.url + "/help")).status(), 200);
    await stranger.getByRole("heading", { name: "What does “Secure:” in a subject mean?" }).waitFor();
    await stranger.context().close();
  });

  it("the ledger of the post: protections, reasons, TLS and reply; no subject, no content", async () => {
    await visit("/posts");
    const row = page.locator("tbody tr").first();
    assert.match(await row.textContent(), /board@lists\.example/);
    await row.getByRole("link").first().click();
    await page.getByRole("heading", { name: "Ledger of a post" }).waitFor();
    postPath = new URL(page.url()).pathname;
    await page.getByText("Fan-out planned").waitFor();
    for (const person of ["ann", "bob", "dora"]) {
      const recipient = page.locator(".ledger tbody tr", { hasText: person + "@example.org" });
      assert.match(await recipient.textContent(), /S\/MIME.*A valid certificate is on file\..*Delivered.*250 over TLSv1\.3/s);
      await recipient.getByText(/1 attempt/).click();
      await recipient.getByText(/250 .*OK/).waitFor();
      assert.match(await recipient.textContent(), /TLSv1\.3.*TLS_AES.*256.*Encrypted, peer not verified/s);
    }
    const cid = page.locator(".ledger tbody tr", { hasText: "cid@example.net" });
    assert.match(await cid.first().textContent(), /Withheld.*No certificate or key is on file\./s);
    for (const secretText of ["budget", canary]) assert.ok(!(await page.content()).includes(secretText));
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "site-ledger");
  });

  it("settings are saved, a member is removed, a key revoked, a list closed", async () => {
    await visit("/lists/social@lists.example");
    await page.getByLabel("Display name, shown in From").fill("Social life");
    await page.getByLabel("Who may post").selectOption("anyone");
    await page.getByRole("button", { name: "Save the settings" }).click();
    await page.getByText("The settings were saved.").waitFor();
    assert.equal(await page.getByLabel("Display name, shown in From").inputValue(), "Social life");
    await visit("/lists/social@lists.example/members/cid@example.net/remove");
    await page.getByRole("button", { name: "Remove the member" }).click();
    await page.getByText("The member was removed.").waitFor();
    assert.equal(await page.locator("tbody tr").count(), 2);
    await visit(`/lists/${board}/members/bob@example.org`);
    await page.getByRole("link", { name: "Revoke…" }).click();
    await page.getByRole("button", { name: "Revoke the key" }).click();
    await page.getByText("The key is revoked.").waitFor();
    await page.getByText("A notice without content in place of each post.").waitFor();
    await shoot(page, "site-member-revoked");
    await visit("/lists/social@lists.example/close");
    await page.getByLabel(/^Type/).fill("social@lists.example");
    await page.getByRole("button", { name: "Close the list" }).click();
    await page.getByText("The list is closed.").waitFor();
    const closed = await swaks(site, "social@lists.example", "picnic", "cake");
    assert.match(closed.dialogue, /<~\* 550 5\.1\.1 /);
  });

  it("looks right on a desktop, a phone and in the dark", async () => {
    const cookies = await page.context().cookies();
    for (const [name, options] of [
      ["desktop", {}], ["dark", { colorScheme: "dark" }],
      ["phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
    ]) {
      const other = await openPage(browser, options);
      await other.context().addCookies(cookies);
      for (const [shot, path] of [["dashboard", "/"], ["lists", "/lists"], ["list", `/lists/${board}`], ["members", `/lists/${board}/members`],
        ["member", `/lists/${board}/members/dora@example.org`], ["posts", "/posts"], ["ledger", postPath], ["queue", "/queue"], ["help", "/help"]]) {
        assert.equal((await other.goto(site.url + path)).status(), 200);
        await shoot(other, `site-${shot}-${name}`);
        const wider = await other.evaluate(() => [...document.querySelectorAll("body *")]
          .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !element.closest(".scroll, .side nav"))
          .map((element) => element.outerHTML.slice(0, 120)));
        assert.deepEqual(wider, [], `${path} scrolls sideways on ${name}`);
        assert.deepEqual(await seriousFindings(other), [], `${path} on ${name}`);
      }
      assert.deepEqual(other.faults, []);
      await other.context().close();
    }
  });

  it("without JavaScript the same is read, and signing out ends it", async () => {
    const plain = await openPage(browser, { javaScriptEnabled: false });
    await plain.goto(site.url + postPath);
    await signIn(plain, "Ledger of a post");
    await plain.waitForURL(site.url + postPath);
    await plain.getByText("250 2.0.0").or(plain.getByText(/250 .*OK/)).first().waitFor({ state: "attached" });
    await plain.goto(site.url + "/");
    assert.equal(await plain.locator('[data-live="refused"]').textContent(), "2");
    await plain.goto(site.url + `/lists/${board}/members`);
    assert.equal(await plain.locator("tbody tr").count(), 4);
    await plain.getByRole("button", { name: "Sign out" }).click();
    await plain.getByText("You are signed out.").waitFor();
    assert.match((await plain.goto(site.url + "/lists")).url(), /sign-in/);
    await plain.context().close();
    assert.equal((await visit("/lists")).status(), 200, "the other session goes on");
  });
});
