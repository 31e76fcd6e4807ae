// The screens of records as an officer, an approver, an auditor, an owner and an administrator meet them: main paths
// with and without script, in light and dark, at a desk and on a phone, against a fake listd.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { canary } from "./fake-records.mjs";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern, totp } from "./postern.mjs";

let browser, postern;
before(async () => { [browser, postern] = await Promise.all([startBrowser(), startPostern()]); });
after(async () => { await browser.close(); await postern.stop(); });

const person = async (name, options = {}) => {
  const page = await openPage(browser, { viewport: { width: 1280, height: 860 }, ...options });
  await signIn(page, postern, { name, password: "correct horse battery", secret: postern.site.secret });
  return page;
};
const looks = [["desk", { width: 1280, height: 860 }, "light"], ["desk-dark", { width: 1280, height: 860 }, "dark"],
  ["phone", { width: 390, height: 844 }, "light"], ["phone-dark", { width: 390, height: 844 }, "dark"]];

// The page in all four looks: no scrolling sideways; no serious finding, at a desk in the dark and on a phone in the
// light: each width and each set of colours once.
const examine = async (page, name) => {
  for (const [look, size, colorScheme] of looks) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme });
    if (look === "desk-dark" || look === "phone") assert.deepEqual(await seriousFindings(page), [], `${name}, ${look}`);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${name}, ${look}: ${over} px wider than the window`);
    await shoot(page, `records-${name}-${look}`);
  }
  await page.setViewportSize(looks[0][1]);
  await page.emulateMedia({ colorScheme: "light" });
};
// Proves again who it is; what was typed goes on by itself.
const prove = async (page) => {
  await page.getByRole("heading", { name: "Prove again that it is you" }).waitFor();
  await page.getByLabel("Your password").fill("correct horse battery");
  await page.getByLabel("Code from your authenticator app").fill(totp(postern.site.secret));
  await page.getByRole("button", { name: "Go on" }).click();
};
const lastOrder = (name) => postern.site.orders.filter(({ order }) => order === name).at(-1);

describe("an officer", () => {
  let page;
  before(async () => { page = await person("olga"); });
  after(() => page.context().close());
  afterEach(() => assert.deepEqual(page.faults.splice(0), []));
  const visit = (path) => page.goto(postern.url + path);

  it("dashboard: next purge, reviews, holds overdue, messages without a rule, forecast", async () => {
    await visit("/");
    await page.getByText("Messages without a rule").waitFor();
    assert.match(await page.locator(".tiles").first().textContent(), /Next run.*Due this month.*Reviews waiting3.*38/s);
    await page.getByText("Holds older than a year").waitFor();
    assert.ok(await page.locator("path.m-due").getAttribute("d"));
    await examine(page, "home-officer");
  });

  it("everything stands two clicks from the dashboard", async () => {
    const seen = new Set();
    for (const start of await page.locator("nav[aria-label=Main] a").evaluateAll((links) => links.map((link) => link.getAttribute("href")))) {
      assert.equal((await visit(start)).status(), 200, start);
      seen.add(start);
      for (const link of await page.locator("main a").evaluateAll((links) => links.map((one) => one.getAttribute("href").split(/[?#]/)[0]))) seen.add(link);
    }
    for (const path of ["/retention", "/retention/new-rule", "/retention/what-if", "/retention/runs", "/retention/certificates", "/messages", "/matters", "/holds", "/new-matter", "/work", "/search", "/exports", "/audit", "/reports"])
      assert.ok(seen.has(path), path);
  });

  it("retention: tiers with sentences, shadowed, pending, forecast; a rule with its history", async () => {
    await visit("/retention");
    await page.getByText("No effect before the floor").waitFor();
    await page.getByText("Change on its day").waitFor();
    await examine(page, "retention");
    await page.getByRole("link", { name: "Social list" }).click();
    await page.getByText("Records schedule 2025").waitFor();
    await examine(page, "rule");
  });

  it("editor: counts while it is filled in; a draft goes through the what-if to a request", async () => {
    await visit("/retention/rules/5/edit");
    await page.getByLabel("Lists", { exact: true }).fill("board@lists.st-elmo.example, social@lists.st-elmo.example");
    await page.locator("[data-count]", { hasText: "2,118 messages match" }).waitFor();
    assert.deepEqual(lastOrder("hold.preview").args.scope, { lists: ["board@lists.st-elmo.example", "social@lists.st-elmo.example"] });
    await page.getByLabel("Time", { exact: true }).fill("5");
    await examine(page, "rule-edit");
    await page.getByRole("button", { name: "Next: what would change" }).click();
    await page.getByText("The end becomes earlier for 4,121 messages.").waitFor();
    assert.equal(lastOrder("what-if.run").args.rule.period, "5 years");
    await examine(page, "what-if");
    await page.getByLabel("Reason").fill("The schedule of 2026");
    await page.getByRole("button", { name: "Request approval" }).click();
    await page.getByText("A second person must approve this.").waitFor();
    const { args } = lastOrder("rule.propose");
    assert.equal(args.reason, "The schedule of 2026");
    assert.equal(args.rule.id, 5);
    assert.ok(args.whatIf);
    await page.getByText("Disabled: You made this request").waitFor();
    assert.equal(await page.getByRole("button", { name: "Approve" }).count(), 0);
    assert.ok(await page.getByRole("button", { name: "Refuse" }).isDisabled());
    await examine(page, "request-own");
  });

  it("editor: a refusal keeps what was typed", async () => {
    await visit("/retention/new-rule");
    await page.getByLabel("Name").fill("Trial");
    await page.getByLabel("Time", { exact: true }).fill("soon");
    await page.getByLabel("Words or query").fill("dialysis");
    await page.getByRole("button", { name: "Put in force now" }).click();
    await page.getByRole("alert").getByText("is no period").waitFor();
    assert.equal(await page.getByLabel("Words or query").inputValue(), "dialysis");
    await page.getByText("Domains, senders, recipients").click();
    await page.getByLabel("At least this large").fill("huge");
    await page.getByRole("button", { name: "Count the messages" }).click();
    await page.getByText("“huge” is not a size.").waitFor();
  });

  it("what-if by date, runs, certificate as text, run only after the word", async () => {
    await visit("/retention/what-if");
    await examine(page, "what-if-form");
    await page.getByLabel("What will be due by the end of this day").fill("2031-01-10");
    await page.getByRole("button", { name: "Work it out" }).click();
    await page.getByText("What if on 2031-01-10").waitFor();
    assert.equal(lastOrder("what-if.run").args.at, Date.parse("2031-01-11") * 1000 - 1);
    const csv = await page.request.get(page.url() + "/due.csv");
    assert.match(await csv.text(), /^list,month,count/);
    await visit("/retention/runs");
    await page.getByText("11: Under a legal hold").waitFor();
    await examine(page, "runs");
    await page.getByRole("link", { name: "Certificate", exact: true }).click();
    await page.getByText("Certificate of disposition 12").first().waitFor();
    await examine(page, "certificate");
    await page.getByText("Every line and the signature fit.").waitFor();
    await visit("/retention/certificates/13");
    await page.getByRole("link", { name: "Next" }).click();
    await page.getByText("object 5199 |").waitFor();
    await visit("/retention/certificates/13");
    await page.getByRole("link", { name: "Check every line" }).click();
    await page.getByText("Every line and the signature fit.").waitFor();
    await examine(page, "certificate-long");
    await visit("/retention/certificates/12");
    const text = await page.request.get(postern.url + "/retention/certificates/12/text");
    assert.match(text.headers()["content-disposition"], /certificate\.txt/);
    await visit("/retention/run");
    await page.getByLabel(/Type/).fill("yes");
    await page.getByRole("button", { name: "Run now" }).click();
    await page.getByText("The word did not match.").waitFor();
    assert.equal(lastOrder("retention.run"), undefined);
    await examine(page, "run");
  });

  it("message: the date and its arithmetic, holds, hash; reading asks why and shows HTML in a bare frame", async () => {
    await visit("/messages");
    await examine(page, "messages");
    await page.getByLabel(/Message-ID, object/).fill("4711");
    await page.getByRole("button", { name: "Find" }).click();
    await page.getByRole("heading", { name: "Kept by a hold" }).waitFor();
    await page.getByText("Without the holds it would be destroyed 2032-01-10").waitFor();
    const row = page.locator("tr", { hasText: "HIPAA documentation" });
    assert.match(await row.textContent(), /2025-01-10.*6 years.*2031-01-10.*Keeping/s);
    await page.getByRole("button", { name: "Verify the hash" }).click();
    await page.getByText("has the hash that was noted at receipt").waitFor();
    await examine(page, "message");
    await visit("/messages/4712");
    await page.getByRole("heading", { name: "Will be destroyed 2032-01-10" }).waitFor();
    await page.getByRole("link", { name: "Read the message…" }).click();
    await examine(page, "message-ask");
    await page.getByLabel("Reason").fill("Counsel asks");
    await page.getByRole("button", { name: "Read the message" }).click();
    await page.getByRole("heading", { name: canary }).waitFor();
    assert.equal(lastOrder("object.read").args.reason, "Counsel asks");
    await page.getByRole("button", { name: "Show the HTML below" }).click();
    const frame = page.frameLocator("iframe[name=message-html]");
    await frame.getByText("Dear all,").waitFor();
    assert.equal(await page.locator("iframe").getAttribute("sandbox"), "");
    const inner = page.frames().find((one) => one.url().endsWith("/html"));
    const html = await inner.content();
    assert.doesNotMatch(html, /onclick|<script|<img|<a /);
    assert.match(html, /here \[https:\/\/evil\.example\/\]/);
    await examine(page, "message-read");
  });

  it("matter: custodians, notes; the hold wizard keeps its state in the address; release asks for a proof", async () => {
    await visit("/matters");
    await examine(page, "matters");
    await page.getByRole("link", { name: "Rowe v. St. Elmo" }).click();
    await page.getByText("Acknowledged").first().waitFor();
    await examine(page, "matter");
    await page.getByLabel("Mail address").fill("ines.carvalho@st-elmo.example");
    await page.getByRole("button", { name: "Add a custodian" }).click();
    await page.getByText("The custodian was added.").waitFor();
    await page.getByLabel("New note").fill("Asked counsel.");
    await page.getByRole("button", { name: "Add the note" }).click();
    await page.getByText("Asked counsel.").waitFor();
    await page.getByRole("link", { name: "Place a hold" }).click();
    await page.getByLabel("Name of the hold").fill("Discharge letters");
    await page.getByLabel("Lists", { exact: true }).fill("board@lists.st-elmo.example");
    await page.getByLabel("Received or dated from").fill("2026-01-01");
    await page.locator("[data-count]", { hasText: "2,118" }).waitFor();
    await examine(page, "hold-scope");
    await page.getByRole("button", { name: "Next: see what it hits" }).click();
    await page.getByText("keeps 2,118 messages now").waitFor();
    await examine(page, "hold-preview");
    await page.reload();
    await page.getByText("keeps 2,118 messages now").waitFor();
    await page.getByRole("button", { name: "Next: who is told" }).click();
    await examine(page, "hold-notice");
    await page.getByRole("button", { name: "Next: look at it once more" }).click();
    await examine(page, "hold-place");
    await page.getByRole("button", { name: "Place the hold" }).click();
    await page.getByText("The hold is in force").waitFor();
    const { args } = lastOrder("hold.place");
    assert.deepEqual(args.scope, { lists: ["board@lists.st-elmo.example"], from: "2026-01-01" });
    assert.equal(args.silent, false);
    assert.match(args.notice, /Please keep everything/);
    await page.getByRole("region", { name: "Holds" }).getByRole("link", { name: "Discharge letters" }).click();
    await page.getByRole("link", { name: "Release…" }).click();
    await examine(page, "hold-release");
    await page.getByLabel("Reason").fill("Settled");
    await page.getByLabel(/Type/).fill("Discharge letters");
    await page.getByRole("button", { name: "Ask for the release" }).click();
    await prove(page);
    await page.getByText("A second person must approve this.").waitFor();
    postern.site.steppedUp = false;
  });

  it("a matter with open holds cannot be closed, and says why", async () => {
    await visit("/matters/7/close");
    assert.ok(await page.getByRole("button", { name: "Close the matter" }).isDisabled());
    await page.getByText("Disabled: closing releases nothing.").waitFor();
    await examine(page, "matter-close");
    await visit("/holds");
    await examine(page, "holds");
  });

  it("search: help beside the box, counts before content, save to a matter, export with its passphrase once", async () => {
    await visit("/search");
    await examine(page, "search");
    await page.getByLabel("Words").fill("discharge ((");
    await page.getByRole("button", { name: "Count the hits" }).click();
    await page.getByText("A bracket is not closed.").waitFor();
    await visit("/search");
    await page.getByLabel("Words").fill("discharge");
    await page.getByText("Search by fields").click();
    await page.getByLabel("Since").fill("2025-01-01");
    await page.getByLabel("Matter", { exact: true }).selectOption({ label: "Rowe v. St. Elmo" });
    await page.getByRole("button", { name: "Count the hits" }).click();
    await page.getByRole("heading", { name: "42 messages" }).waitFor();
    assert.equal(lastOrder("search").args.count, true);
    assert.equal(lastOrder("search").args.query, "discharge after:2025-01-01");
    assert.ok(!(await page.content()).includes(canary), "no content before it is asked for");
    await page.getByRole("link", { name: "Show the messages" }).click();
    await page.getByText(canary).waitFor();
    await examine(page, "search-hits");
    await page.getByLabel("under the name").fill("Letters");
    await page.getByRole("button", { name: "Save the search" }).click();
    await page.getByText("The search is saved in the matter.").waitFor();
    await visit("/search?q=discharge&matter=7");
    await page.getByRole("link", { name: "Export…" }).click();
    await examine(page, "export-new");
    await page.getByRole("button", { name: "Make the export" }).click();
    await page.getByText("orchid-tram-lemon-sleet-harbour").waitFor();
    assert.equal(lastOrder("export.create").args.redactBcc, true);
    await examine(page, "export-made");
    await page.getByRole("link", { name: "I have it: go to the export" }).click();
    await page.getByRole("progressbar").waitFor();
    await shoot(page, "records-export-progress-desk");
    await page.getByRole("link", { name: "Download" }).waitFor();
    assert.ok(!(await page.content()).includes("orchid"), "the passphrase is gone");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
    const { size } = await (await import("node:fs/promises")).stat(await download.path());
    assert.equal(size, 1_300_000);
    await page.reload();
    await page.locator(".plain-list", { hasText: "olga" }).waitFor();
    await examine(page, "export");
    await visit("/exports");
    await examine(page, "exports");
  });

  it("work queue: requests with why not, reviews by rule decided together", async () => {
    await visit("/work");
    await page.getByText("You made this request: another person must decide.").first().waitFor();
    await examine(page, "work");
    await page.getByRole("link", { name: "Reviews" }).click();
    await examine(page, "reviews");
    await page.getByRole("button", { name: "Decide on the chosen ones…" }).click();
    await page.getByRole("heading", { name: "Decide on 3 messages" }).waitFor();
    await page.getByLabel("Reason").fill("Board agreed");
    await page.getByRole("button", { name: "Record the decision" }).click();
    await page.getByText("The number did not match.").waitFor();
    await examine(page, "review");
    await page.getByLabel("Reason").fill("Board agreed");
    await page.getByLabel("Decision").selectOption("extend");
    postern.site.steppedUp = true;
    await page.getByRole("button", { name: "Record the decision" }).click();
    await page.getByText("No message waits for a review").waitFor();
    postern.site.steppedUp = false;
  });

  it("reports, and the log of a matter only", async () => {
    await visit("/reports");
    await examine(page, "reports");
    await visit("/reports/encryption");
    await examine(page, "report");
    const csv = await page.request.get(postern.url + "/reports/encryption/report.csv");
    assert.match(await csv.text(), /"board@lists\.st-elmo\.example","S\/MIME","41206"/);
    await visit("/audit");
    await page.getByText("Choose a matter").waitFor();
    await visit("/audit?matter=7");
    await page.getByText("olga searched in matter 7").waitFor();
    assert.equal((await page.request.get(postern.url + "/audit/398")).status(), 403);
  });
});

describe("an approver", () => {
  it("the counter in the navigation is what can be decided; approving asks for a proof, then takes effect later", async () => {
    const page = await person("paul");
    const waiting = page.locator("nav[aria-label=Main] .count");
    const before = parseInt(await waiting.textContent(), 10);
    await page.goto(postern.url + "/work");
    assert.equal(await page.getByText("You can decide").count(), before - postern.site.reviews.length);
    await page.goto(postern.url + "/requests/41");
    await page.getByText("The end becomes earlier for 4,121 messages.").waitFor();
    await page.locator("del", { hasText: "7 years" }).waitFor();
    await page.locator("ins", { hasText: "5 years" }).waitFor();
    await examine(page, "request");
    await page.getByLabel("Your words").fill("Agreed");
    await page.getByRole("button", { name: "Approve" }).click();
    await prove(page);
    await page.getByText("You approved it.").waitFor();
    await page.getByText("Takes effect").waitFor();
    postern.site.steppedUp = false;
    assert.equal(lastOrder("request.approve").args.words, "Agreed");
    assert.equal(parseInt(await waiting.textContent(), 10), before - 1);
    await page.goto(postern.url + "/");
    await examine(page, "home-approver");
    assert.equal((await page.request.get(postern.url + "/search")).status(), 403);
    await page.context().close();
  });
});

describe("an auditor", () => {
  let page;
  before(async () => { page = await person("uma"); });
  after(() => page.context().close());

  it("dashboard, log, proof and verification", async () => {
    await page.getByText("Last verification").waitFor();
    await examine(page, "home-auditor");
    await page.goto(postern.url + "/audit");
    await page.locator(".badge.bad", { hasText: "30 h ago" }).waitFor();
    await page.getByRole("button", { name: "Verify the whole log" }).click();
    await page.getByText("Intact: 399 entries").waitFor();
    await examine(page, "audit");
    postern.site.audit.intact = false;
    await page.getByRole("button", { name: "Verify the whole log" }).click();
    await page.getByText("The log is not intact: entry 211 was altered").waitFor();
    postern.site.audit.intact = true;
    await page.goto(postern.url + "/audit?outcome=denied");
    assert.equal(await page.locator("tbody tr", { hasText: "was denied" }).count(), 1);
    await page.goto(postern.url + "/audit/396");
    await page.getByText("Inclusion proof").waitFor();
    await examine(page, "audit-entry");
    const lines = await (await page.request.get(postern.url + "/audit-export.jsonl")).text();
    assert.match(lines, /^\{"type":"postern-audit-export"\}\n\{"type":"entry"/);
    await page.goto(postern.url + "/reports");
    await page.getByRole("link", { name: "HIPAA evidence pack" }).click();
    await page.getByRole("heading", { name: "No evidence packs" }).waitFor();
    await examine(page, "evidence-none");
    await page.getByRole("button", { name: "Make an evidence pack" }).click();
    await page.getByText("The evidence pack is being made.").waitFor();
    await page.getByText("Disposition certificates: 45000 rows").waitFor();
    await examine(page, "evidence-running");
    assert.equal(await page.getByRole("link", { name: "Download pack 51" }).count(), 0);
    Object.assign(postern.site.packs[0], { state: "done", done: 11, rows: 1_204_511, bytes: 300_004, sha256: "ab".repeat(32), complete: true, finishedAt: Date.now() * 1000, expiresAt: Date.now() * 1000 + 7 * 86_400_000_000 });
    await page.goto(postern.url + "/reports/evidence");
    await examine(page, "evidence-ready");
    const path = await page.getByRole("link", { name: "Download pack 51" }).getAttribute("href");
    const zip = await (await page.request.get(postern.url + path)).body();
    assert.equal(zip.subarray(0, 4).toString("latin1"), "PK\x03\x04");
    assert.equal(zip.length, 300_004);
    await page.getByRole("button", { name: "Remove pack 51" }).click();
    await page.getByText("The evidence pack was removed.").waitFor();
  });

  it("sees no silent hold, reads no message, changes nothing", async () => {
    await page.goto(postern.url + "/holds");
    assert.equal(await page.getByText("Quiet look").count(), 0);
    for (const path of ["/search", "/messages/4711/read", "/retention/new-rule", "/matters/7/hold", "/new-export"])
      assert.equal((await page.request.get(postern.url + path)).status(), 403, path);
  });
});

describe("an owner", () => {
  it("sees the own lists and nothing of the records", async () => {
    const page = await person("owen");
    await page.getByText("Your lists").waitFor();
    await examine(page, "home-owner");
    for (const path of ["/retention", "/matters", "/audit", "/search", "/queue", "/work"]) assert.equal((await page.request.get(postern.url + path)).status(), 403, path);
    await page.context().close();
  });
});

describe("who read mail of a list", () => {
  for (const [how, options] of [["with script", {}], ["without script", { javaScriptEnabled: false }]])
    it(`is two clicks away for its owner, ${how}`, async () => {
      const page = await person("owen", options);
      await page.getByRole("link", { name: /board@lists/ }).first().click();
      await page.getByRole("link", { name: "Who read its mail" }).click();
      await page.getByText("Read message 4711").waitFor();
      await page.getByText("Exported 12 messages").waitFor();
      assert.equal(await page.getByText("reason").count(), 2, "no reason is told, only where to ask");
      if (!options.javaScriptEnabled && how === "with script") await examine(page, "list-access");
      await page.context().close();
    });
  it("is no page of the administrator", async () => {
    const page = await person("ada");
    assert.equal((await page.request.get(postern.url + "/lists/board@lists.st-elmo.example/access")).status(), 403);
    await page.context().close();
  });
});

describe("a custodian without an account", () => {
  it("reads the notice by its link and acknowledges it; a wrong link says nothing", async () => {
    const page = await openPage(browser, { javaScriptEnabled: false });
    assert.equal((await page.goto(postern.url + "/notice?token=guessed")).status(), 410);
    await page.goto(postern.url + "/notice?token=n0tice-token");
    await page.getByRole("button", { name: "I have read it" }).click();
    await page.getByText("You acknowledged this notice").waitFor();
    assert.ok(postern.site.notices["n0tice-token"].acknowledgedAt);
    await page.context().close();
    const again = await openPage(browser);
    await again.goto(postern.url + "/notice?token=n0tice-token");
    await examine(again, "notice");
    await again.context().close();
  });
});

describe("without script", () => {
  it("rule, what-if, hold, search, export and decision all work", async () => {
    const page = await person("olga", { javaScriptEnabled: false });
    const visit = (path) => page.goto(postern.url + path);
    await visit("/retention/rules/5/edit");
    await page.getByLabel("Time", { exact: true }).fill("6");
    await page.getByRole("button", { name: "Count the messages" }).click();
    await page.getByText("messages match").waitFor();
    assert.equal(await page.getByLabel("Time", { exact: true }).inputValue(), "6");
    await page.getByRole("button", { name: "Next: what would change" }).click();
    await page.getByLabel("Reason").fill("Schedule");
    await page.getByRole("button", { name: "Request approval" }).click();
    await page.getByText("A second person must approve this.").waitFor();
    await page.getByRole("button", { name: "Withdraw the request" }).click();
    await page.getByText("The request was withdrawn.").waitFor();
    await visit("/matters/7/hold");
    await page.getByLabel("Name of the hold").fill("Bare hands");
    await page.getByLabel("Persons, as sender or recipient").fill("bob@x.example");
    await page.getByRole("button", { name: "Next: see what it hits" }).click();
    await page.getByRole("button", { name: "Next: who is told" }).click();
    await page.getByLabel(/Nobody: a silent hold/).check();
    await page.getByRole("button", { name: "Next: look at it once more" }).click();
    await page.getByRole("button", { name: "Place the hold" }).click();
    await page.getByText("The hold is in force").waitFor();
    assert.deepEqual(lastOrder("hold.place").args.scope, { addresses: ["bob@x.example"] });
    assert.equal(lastOrder("hold.place").args.silent, true);
    assert.equal(lastOrder("hold.place").args.notice, "");
    await visit("/search?q=discharge&matter=7");
    await page.getByRole("link", { name: "Export…" }).click();
    await page.getByLabel(/Passphrase/).fill("a long passphrase of mine");
    await page.getByRole("button", { name: "Make the export" }).click();
    for (let i = 0; i < 5 && !(await page.getByRole("link", { name: "Download" }).count()); ++i) await page.reload();
    assert.equal(await page.getByRole("link", { name: "Download" }).count(), 1);
    await visit("/messages/4712/read");
    await page.getByLabel("Reason").fill("Counsel");
    await page.getByRole("button", { name: "Read the message" }).click();
    await page.getByText("the figures of the quarter").waitFor();
    await page.context().close();
  });
});

describe("an administrator", () => {
  it("sees clock, anchor and keys, and never a subject or a body on any page", async () => {
    const page = await person("ada");
    await page.getByText("Records and keys").waitFor();
    await examine(page, "home-admin");
    const asked = postern.site.orders.length;
    const seen = new Set(), next = ["/"];
    while (next.length && seen.size < 80) {
      const path = next.shift();
      if (seen.has(path)) continue;
      seen.add(path);
      const answer = await page.goto(postern.url + path).catch(() => null);
      if (!answer) continue;  // a download
      assert.ok(!(await answer.text()).includes(canary) && !(await page.content()).includes("figures of the quarter"), path);
      for (const link of await page.locator("a[href^='/']").evaluateAll((links) => links.map((one) => one.getAttribute("href"))))
        if (!seen.has(link) && !/\.csv|\.zip|\.jsonl/.test(link)) next.push(link);
    }
    assert.ok(seen.size > 30, `only ${seen.size} pages`);
    for (const path of ["/messages/4711", "/messages/4711/read", "/search?q=discharge", "/exports", "/matters/7", "/audit", "/reports/content-access", "/retention/what-if"])
      assert.equal((await page.request.get(postern.url + path)).status(), 403, path);
    for (const order of ["object.read", "search", "export.read", "hold.list"])
      assert.ok(!postern.site.orders.slice(asked).some((one) => one.order === order && one.actor.name === "ada"), order);
    await page.context().close();
  });
});

describe("a site where nothing happened yet", () => {
  it("every empty page says what it is, what follows, and offers one way on", async () => {
    const bare = await startPostern({ empty: true });
    const page = await openPage(browser, { viewport: { width: 1280, height: 860 } });
    await signIn(page, bare, { name: "olga", password: "correct horse battery", secret: bare.site.secret });
    for (const path of ["/retention", "/retention/runs", "/work", "/work?show=reviews", "/matters", "/holds", "/exports"]) {
      await page.goto(bare.url + path);
      await page.locator(".empty").first().waitFor();
      assert.deepEqual(await seriousFindings(page), [], path);
      await shoot(page, "records-empty" + path.replaceAll(/[/?=]/g, "-"));
    }
    await page.context().close();
    await bare.stop();
  });
});
