// The screens of records on a real site: one person first, then an officer, an approver, an auditor and an owner, each
// with an account of their own; posts by real SMTP, mail that is really sent, a clock that is moved forward.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, afterEach, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, startBrowser, totp } from "./postern.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const board = "board@lists.example", social = "social@lists.example";
const password = "tea at the tram stop";
const canary = "Kanarienvogel-7f2e-singt";

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

const post = (site, to, subject, body) => new Promise((resolve, reject) => {
  execFile("swaks", ["--server", `127.0.0.1:${site.smtpPort}`, "--tls", "--ehlo", "mail.example.org", "--from", "ann@example.org",
    "--to", to, "--header", `Subject: ${subject}`, "--body", body, "--timeout", "30"], (error, out) => (error ? reject(new Error(out)) : resolve()));
});

describe("records on a real site", () => {
  let site, browser, folder, offset = 0;
  const secrets = {}, steps = {}, pages = {};
  before(async () => {
    [site, browser] = await Promise.all([startSite(), startBrowser()]);
    folder = mkdtempSync(join(tmpdir(), "postern-records-"));
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(() => { for (const page of Object.values(pages)) assert.deepEqual(page.faults.splice(0), []); });

  // Each code works once: one of a step that this person has not used, at most one ahead.
  const code = async (name) => {
    const step = () => Math.floor((Date.now() + offset * 1000 - 500) / 30000);
    const wanted = Math.max((steps[name] ?? 0) + 1, step());
    while (step() + 1 < wanted) await new Promise((resolve) => setTimeout(resolve, 250));
    steps[name] = wanted;
    return totp(secrets[name], wanted * 30000);
  };
  const setUp = async (name, link, typed) => {
    const page = pages[name] = await openPage(browser, { viewport: { width: 1280, height: 860 } });
    page.setDefaultTimeout(10_000);
    await page.goto(link);
    secrets[name] = (await page.locator(".secret").textContent()).replaceAll(" ", "");
    if (typed) await page.getByLabel("Name to sign in with").fill(name);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByLabel("The same password again").fill(password);
    await page.getByLabel("The code that the app shows now").fill(await code(name));
    await page.getByRole("button", { name: "Create the account" }).click();
    await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  };
  const signIn = async (name) => {
    const page = pages[name];
    await page.goto(site.url + "/sign-in");
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByLabel("Code from your authenticator app").fill(await code(name));
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();
    return page;
  };
  const visit = (name, path) => pages[name].goto(site.url + path);
  // Asked to prove it again only when the sign-in is older than five minutes.
  const proveIfAsked = async (name, done) => {
    const page = pages[name];
    const prove = page.getByRole("heading", { name: "Prove again that it is you" });
    await prove.or(done).first().waitFor();
    if (!(await prove.isVisible())) return;
    await page.getByLabel("Your password").fill(password);
    await page.getByLabel("Code from your authenticator app").fill(await code(name));
    await page.getByRole("button", { name: "Go on" }).click();
    await done.first().waitFor();
  };
  // In light and dark, at a desk and on a phone: no serious finding, nothing wider than the window.
  const examine = async (name, shot) => {
    const page = pages[name];
    for (const [look, width, colorScheme] of [["desk", 1280, "light"], ["desk-dark", 1280, "dark"], ["phone", 390, "light"], ["phone-dark", 390, "dark"]]) {
      await page.setViewportSize({ width, height: 860 });
      await page.emulateMedia({ colorScheme });
      if (look === "desk-dark" || look === "phone") assert.deepEqual(await seriousFindings(page), [], `${shot}, ${look}`);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(over <= 0, `${shot}, ${look}: ${over} px wider than the window`);
      if (look !== "phone-dark") await shoot(page, `real-${shot}-${look}`);
    }
    await page.setViewportSize({ width: 1280, height: 860 });
    await page.emulateMedia({ colorScheme: "light" });
  };

  it("a site of one person: the outside address stops a change by its link, with the button alone", async () => {
    await setUp("ada", site.setupLink, true);
    await site.ask("cli", "user", "set", "ada", "--roles", "admin,officer");
    await post(site, board, `${canary} dialysis`, "The figures of the quarter and the kidney ward.");
    await post(site, board, "Second thoughts", "Nothing about it.");
    await post(site, social, "Picnic", "Bring cake.");
    const page = await signIn("ada");
    await visit("ada", "/retention/new-rule");
    await page.getByLabel("Name").fill("All mail");
    await page.getByLabel("Effect").selectOption("both");
    await page.getByLabel("Tier").selectOption("default");
    await page.getByLabel("Time", { exact: true }).fill("7");
    await page.getByLabel("Reason, for the history").fill("Schedule of 2026");
    await page.getByRole("button", { name: "Next: what would change" }).click();
    await page.getByRole("heading", { name: /^What if/ }).waitFor();
    await page.getByLabel("Reason").fill("Schedule of 2026");
    await page.getByRole("button", { name: /Put in force now|Request approval/ }).click();
    await page.getByText(/Nobody else can approve this|The rule is in force/).waitFor();
    const mail = await site.ask("mail", "counsel@outside.example");
    const link = mail.match(/https:\/\/\S+\/requests\/stop\?token=[\w.~-]+/)[0];
    const outside = pages.outside = await openPage(browser, { javaScriptEnabled: false, viewport: { width: 1280, height: 860 } });
    await outside.goto(link);
    await outside.goto(link);
    await outside.getByRole("heading", { name: "Stop this change?" }).waitFor();
    await shoot(outside, "real-stop-desk");
    await outside.getByRole("button", { name: "Stop the change" }).click();
    await outside.getByText("The change was stopped.").waitFor();
    assert.equal((await outside.goto(site.url + "/requests/stop?token=guessed")).status(), 410);
    await outside.context().close();
    delete pages.outside;
  });

  it("four people come by invitation", async () => {
    await site.ask("cli", "user", "set", "ada", "--roles", "admin");
    assert.match((await visit("ada", "/lists")).url(), /sign-in/, "other roles end the sessions of before");
    await signIn("ada");
    const roles = { olga: "officer", uma: "auditor", owen: "owner", paul: "approver" };  // once there is an approver, roles are asked for
    for (const [name, role] of Object.entries(roles)) {
      const more = role === "owner" ? ["--lists", social] : [];
      const { url } = await site.ask("cli", "user", "invite", name, "--roles", role, ...more);
      await setUp(name, url);
      await signIn(name);
    }
  });

  it("rules: draft, what-if, request, an approver approves, in force later", async () => {
    const page = pages.olga;
    await visit("olga", "/retention");
    await page.getByRole("link", { name: "New rule" }).click();
    await page.getByLabel("Name").fill("Board schedule");
    await page.getByLabel("Tier").selectOption("scoped");
    await page.getByLabel("Effect").selectOption("both");
    await page.getByLabel("Time", { exact: true }).fill("6");
    await page.getByLabel("Lists", { exact: true }).fill(board);
    await page.locator("[data-count]", { hasText: /\d message/ }).waitFor();
    await page.getByRole("button", { name: "Next: what would change" }).click();
    await page.getByRole("heading", { name: /^What if/ }).waitFor();
    await examine("olga", "what-if");
    await page.getByLabel("Reason").fill("The schedule of the board");
    await page.getByRole("button", { name: "Request approval" }).click();
    await page.getByText("A second person must approve this.").waitFor();
    await examine("olga", "request-own");
    const request = new URL(page.url()).pathname;
    const approver = pages.paul;
    await visit("paul", "/work");
    await examine("paul", "work");
    await visit("paul", request);
    await examine("paul", "request");
    await approver.getByLabel("Your words, for the record").fill("Agreed");
    await approver.getByRole("button", { name: "Approve" }).click();
    await proveIfAsked("paul", approver.getByText("You approved it."));
    await visit("olga", "/retention");
    await examine("olga", "retention");
    await visit("olga", "/");
    await examine("olga", "home-officer");
    await visit("paul", "/");
    await examine("paul", "home-approver");
  });

  it("matter, hold, the panel says held and shows the arithmetic, the custodian acknowledges", async () => {
    const page = pages.olga;
    await visit("olga", "/new-matter");
    await page.getByLabel("Name").fill("Rowe v. St. Elmo");
    await page.getByLabel("Description").fill("Letters about dialysis");
    await page.getByRole("button", { name: /matter/i }).last().click();
    await page.getByText("The matter is open.").waitFor();
    await page.getByLabel("Mail address").fill("ines@outside.example");
    await page.getByRole("button", { name: "Add a custodian" }).click();
    await page.getByText("The custodian was added.").waitFor();
    await page.getByRole("link", { name: "Place a hold" }).first().click();
    await page.getByLabel("Name of the hold").fill("Board letters");
    await page.getByLabel("Lists", { exact: true }).fill(board);
    await page.getByRole("button", { name: "Next: see what it hits" }).click();
    await page.getByText("keeps 2 messages now").waitFor();
    await examine("olga", "hold-preview");
    await page.getByRole("button", { name: "Next: who is told" }).click();
    await page.getByRole("button", { name: "Next: look at it once more" }).click();
    await page.getByRole("button", { name: "Place the hold" }).click();
    await page.getByText("The hold is in force").waitFor();
    await examine("olga", "matter");
    await visit("olga", "/posts");
    await page.locator("tbody tr", { hasText: board }).first().getByRole("link").first().click();
    await page.getByRole("link", { name: "Retention and holds" }).click();
    await page.getByRole("heading", { name: "Kept by a hold" }).waitFor();
    await page.getByText("Board letters").first().waitFor();
    await page.getByRole("button", { name: "Verify the hash" }).click();
    await page.getByText("has the hash that was noted at receipt").waitFor();
    await examine("olga", "message");

    const mail = await site.ask("mail", "ines@outside.example");
    const link = mail.match(/https:\/\/\S+\/notice\?token=[\w.~-]+/)[0];
    const custodian = pages.ines = await openPage(browser, { javaScriptEnabled: false, viewport: { width: 1280, height: 860 } });
    await custodian.goto(link);
    await custodian.getByText("ines@outside.example").waitFor();
    await shoot(custodian, "real-notice-desk");
    await custodian.getByRole("button", { name: /I have read it/ }).click();
    await custodian.getByText("You acknowledged this notice").waitFor();
    await custodian.context().close();
    delete pages.ines;
    await visit("olga", "/matters");
    await page.getByRole("link", { name: "Rowe v. St. Elmo" }).click();
    await page.locator("tr", { hasText: "ines@outside.example" }).getByText("Acknowledged").first().waitFor();
  });

  it("search, read, save, export, download, and 7z opens it with the passphrase", async () => {
    const page = pages.olga;
    await visit("olga", "/search");
    await page.getByLabel("Words").fill("dialysis");
    await page.getByLabel("Matter", { exact: true }).selectOption({ label: "Rowe v. St. Elmo" });
    await page.getByRole("button", { name: "Count the hits" }).click();
    await page.getByRole("heading", { name: "1 message" }).waitFor();
    assert.ok(!(await page.content()).includes(canary), "no content before it is asked for");
    await page.getByRole("link", { name: "Show the messages" }).click();
    await page.getByText(canary).waitFor();
    assert.match(await page.locator("tbody tr").first().textContent(), /20\d\d-\d\d-\d\d \d\d:\d\d/);
    await examine("olga", "search-hits");
    await page.getByLabel("under the name").fill("Letters");
    await page.getByRole("button", { name: "Save the search" }).click();
    await page.getByText("The search is saved in the matter.").waitFor();
    await page.getByRole("link", { name: "Letters", exact: true }).click();
    await page.getByRole("link", { name: "Export…" }).click();
    await page.getByRole("button", { name: "Make the export" }).click();
    const passphrase = await page.locator(".secret").textContent();
    await page.getByRole("link", { name: "I have it: go to the export" }).click();
    await page.getByRole("link", { name: "Download" }).waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
    const file = join(folder, "export.zip");
    await download.saveAs(file);
    execFileSync("7z", ["x", `-p${passphrase}`, `-o${join(folder, "opened")}`, file], { stdio: "pipe" });
    assert.ok(execFileSync("grep", ["-rl", canary, join(folder, "opened")]).length > 0);
    assert.throws(() => execFileSync("7z", ["t", "-pwrong passphrase", file], { stdio: "pipe" }));
    await page.reload();
    await page.locator(".plain-list", { hasText: "olga" }).waitFor();
    await examine("olga", "export");
    await visit("olga", "/exports");
    await examine("olga", "exports");
    await visit("olga", "/jobs");
    await page.locator("tr", { hasText: "Export" }).first().waitFor();
    await examine("olga", "jobs");
  });

  it("a message is read with a reason", async () => {
    const page = pages.olga;
    await visit("olga", "/search?q=dialysis&show=messages");
    await page.getByRole("link", { name: canary }).click();
    await page.getByRole("link", { name: "Read the message…" }).click();
    await page.getByLabel("Reason").fill("Counsel asks");
    await page.getByRole("button", { name: "Read the message" }).click();
    await page.getByText("figures of the quarter").waitFor();
  });

  it("the release of a hold is asked for and approved; the grace keeps it", async () => {
    const page = pages.olga;
    await visit("olga", "/holds");
    await page.getByRole("link", { name: "Board letters" }).click();
    await page.getByRole("link", { name: "Release…" }).click();
    await examine("olga", "hold-release");
    await page.getByLabel("Reason").fill("Settled");
    await page.getByLabel(/Type/).fill("Board letters");
    await page.getByRole("button", { name: "Ask for the release" }).click();
    await proveIfAsked("olga", page.getByText("A second person must approve this."));
    const approver = pages.paul;
    await visit("paul", new URL(page.url()).pathname);
    await approver.getByRole("button", { name: "Approve" }).click();
    await proveIfAsked("paul", approver.getByText("You approved it."));
    await visit("olga", "/holds");
    await page.getByText(/grace/i).first().waitFor();
    await examine("olga", "holds");
  });

  it("an auditor verifies the log and sees a proof; the offline verifier takes the export", async () => {
    const page = pages.uma;
    await site.ask("cli", "audit", "anchor");
    await visit("uma", "/audit");
    await page.getByRole("button", { name: "Verify the whole log" }).click();
    await page.getByText(/Intact: \d+ entries/).waitFor();
    await examine("uma", "audit");
    const key = await page.getByRole("region", { name: "Public key" }).textContent();
    await visit("uma", "/audit/1");
    await page.getByText("Inclusion proof").waitFor();
    await examine("uma", "audit-entry");
    await site.ask("cli", "audit", "anchor");
    writeFileSync(join(folder, "audit.jsonl"), await (await page.request.get(site.url + "/audit-export.jsonl")).text());
    writeFileSync(join(folder, "audit.pub"), key.trim() + "\n");
    const verdict = await new Promise((resolve) => execFile("/usr/bin/python3", [join(here, "../../tools/audit-verify"), join(folder, "audit.jsonl"), "--pub", join(folder, "audit.pub")],
      (error, out, err) => resolve({ code: error?.code ?? 0, text: out + err })));
    assert.ok([0, 6].includes(verdict.code), `exit ${verdict.code}: ${verdict.text}`);  // 6: no anchors are set up here
    await visit("uma", "/");
    await examine("uma", "home-auditor");
    for (const [path, shot] of [["/access-review", "access-review"], ["/keys", "keys"], ["/reports", "reports"], ["/people", "people"], ["/emergency-access", "emergency-access-empty"]]) {
      assert.equal((await visit("uma", path)).status(), 200, path);
      await examine("uma", shot);
    }
  });

  it("an approver signs the access review", async () => {
    const page = pages.paul;
    await visit("paul", "/access-review");
    await page.getByLabel("What you looked at, for the record").fill("All five, with the head of the office");
    await page.getByRole("button", { name: "Sign the review" }).click();
    await page.getByText("The review is signed and on record.").waitFor();
    await page.getByText("In time").waitFor();
  });

  it("an owner sees the own list only, and may ask for its end", async () => {
    const page = pages.owen;
    await visit("owen", "/");
    await page.getByText(social).first().waitFor();
    assert.equal(await page.getByText(board).count(), 0);
    await examine("owen", "home-owner");
    await visit("owen", `/lists/${social}`);
    await examine("owen", "list-owner");
    await visit("owen", `/lists/${social}/members`);
    await examine("owen", "members-owner");
    assert.notEqual((await page.request.get(site.url + `/lists/${board}`)).status(), 200);
    for (const path of ["/retention", "/matters", "/audit", "/search", "/queue", "/work", "/keys", "/people"])
      assert.equal((await page.request.get(site.url + path)).status(), 403, path);
    await visit("owen", `/lists/${social}/delete`);
    await examine("owen", "list-delete");
    await page.getByLabel(/^Type/).fill("something else");
    await page.getByRole("button", { name: "Delete the list" }).click();
    await page.getByText("The address did not match.").waitFor();
  });

  it("an administrator: emergency code, rotation with progress, and never a subject or a body on any page", async () => {
    const page = pages.ada;
    await visit("ada", "/emergency-access");
    await page.getByRole("button", { name: "Make a sealed code" }).click();
    await proveIfAsked("ada", page.getByRole("heading", { name: "The code for the envelope" }));
    const sealed = (await page.locator(".secret").textContent()).trim();
    await examine("ada", "emergency-access");
    await visit("ada", "/keys");
    await page.getByRole("button", { name: "Rotate the keys of the lists" }).click();
    await proveIfAsked("ada", page.getByText("The rotation has started."));
    await examine("ada", "keys-admin");
    const seen = new Set(), next = ["/"];
    while (next.length) {
      const path = next.shift();
      if (seen.has(path)) continue;
      seen.add(path);
      const answer = await page.request.get(site.url + path);
      const text = await answer.text();
      assert.ok(answer.status() < 500, `${path}: ${answer.status()}`);
      assert.ok(seen.size < 2000, `pages without end: ${path}`);
      assert.ok(!text.includes(canary) && !text.includes("Second thoughts") && !text.includes("Bring cake") && !text.includes("figures of the quarter"), path);
      for (const [, link] of text.matchAll(/href="(\/[^"]*)"/g)) {
        const plain = link.replaceAll("&amp;", "&").replace(/#.*/, "");
        if (!seen.has(plain) && !plain.startsWith("/static")) next.push(plain);
      }
    }
    assert.ok(seen.size > 30, `only ${seen.size} pages`);
    for (const [path, shot] of [["/", "home-admin"], [`/lists/${board}`, "list"], ["/people", "people-admin"], ["/jobs", "jobs-admin"], ["/retention", "retention-admin"], ["/work", "work-admin"], ["/account", "account"]]) {
      assert.equal((await visit("ada", path)).status(), 200, path);
      await examine("ada", shot);
    }
    const nobody = pages.nobody = await openPage(browser);
    await nobody.goto(site.url + "/emergency");
    await nobody.getByLabel("Code from the envelope").fill(sealed);
    await nobody.getByLabel("Why it is needed").fill("Everybody is on the ferry");
    await nobody.getByRole("button", { name: "Open the account" }).click();
    await nobody.getByRole("heading", { name: "Dashboard" }).waitFor();
    await nobody.context().close();
    delete pages.nobody;
    const auditor = pages.uma;
    await visit("uma", "/emergency-access");
    await auditor.getByText("Everybody is on the ferry").first().waitFor();
    await examine("uma", "emergency-review");
    await auditor.getByLabel("What you found, for the record").fill("Only looked");
    await auditor.getByRole("button", { name: "Sign the review" }).click();
    await auditor.getByText("The review is on record.").waitFor();
  });

  it("seven days later the approved rule is in force", async () => {
    offset = 8 * 86400;
    await site.ask("clock", String(offset));
    await signIn("olga");
    await visit("olga", "/retention");
    const row = pages.olga.locator("tr", { hasText: "Board schedule" });
    await row.waitFor();
    assert.doesNotMatch(await row.textContent(), /Change on its day/);
    await examine("olga", "retention-later");
    // The panel has every line of what `retention explain` says: rule, start + period = ends.
    const page = pages.olga;
    const [newest] = (await site.ask("cli", "post", "list", board)).items;
    const explained = await site.ask("cli", "retention", "explain", String(newest.id));
    await visit("olga", `/messages/${explained.object}`);
    const day = (at) => (at > 0 && at < 253402300800000000 ? new Date(at / 1000).toISOString().slice(0, 10) : null);
    const lines = explained.references.flatMap((reference) => reference.lines);
    assert.ok(lines.length > 0, JSON.stringify(explained));
    assert.equal(await page.locator('[aria-label^="Arithmetic for"] tbody tr').count(), lines.length);
    for (const line of lines) {
      const row = await page.locator('[aria-label^="Arithmetic for"] tbody tr', { hasText: line.name }).first().textContent();
      for (const wanted of [line.period, day(line.startAt), line.effect !== "delete" && day(line.retainEnd), line.effect !== "retain" && day(line.deleteEnd)])
        if (wanted) assert.ok(row.includes(wanted), `${row} lacks ${wanted} of ${JSON.stringify(line)}`);
    }
    // And the command, as a person reads it, says the same of each list: the same dates in the same sums, and who decides.
    const said = await site.ask("text", "retention", "explain", "--object", String(explained.object));
    assert.equal(said, await site.ask("text", "retention", "explain", String(newest.id)), "by post or by object, it is one message");
    for (const table of await page.locator('[aria-label^="Arithmetic for"]').all()) {
      const list = (await table.getAttribute("aria-label")).replace("Arithmetic for ", "");
      const part = said.split("\n\n").find((one) => one.startsWith(`On ${list}:`));
      assert.ok(part, `the command does not speak of ${list}: ${said}`);
      const sums = part.split("\n").filter((line) => line.startsWith("  ") && !/^ {2}(kept until|destroyed from|due|then|hidden|gone)/.test(line));
      const rows = await table.locator("tbody tr").all();
      assert.equal(sums.length, rows.length, part);
      for (const [index, row] of rows.entries()) {
        const text = await row.textContent();
        for (const date of text.match(/\d{4}-\d\d-\d\d/g) ?? []) assert.ok(sums[index].includes(date), `“${sums[index]}” lacks ${date} of “${text}”`);
        assert.ok(sums[index].includes(await row.locator("[data-label='+ Period']").innerText()), sums[index]);
        assert.equal(sums[index].includes("[decides keeping]"), text.includes("Keeping"), sums[index]);
        assert.equal(sums[index].includes("[decides destroying]"), text.includes("Destroying"), sums[index]);
      }
      const head = await page.locator("section", { has: table }).locator("p.small").first().textContent();
      const due = part.match(/^ {2}due: (\d{4}-\d\d-\d\d)/m)?.[1];
      assert.ok(due ? head.includes(due) : /No rule ever destroys/.test(head), `“${head}” and “${part}”`);
    }
    await examine("olga", "message-arithmetic");
  });
});
