// Pick-up on a real site in a real Chromium: first visit, passkey, password, without JavaScript, expired, recalled, the
// wrong person, the file opened from disk, hostile HTML, the back button. Attack 22.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, afterEach, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, startBrowser } from "./postern.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const canary = "Kanarienvogel-8c2e-wartet";
const password = "four words nobody says";

async function startSite() {
  const helper = spawn("/usr/bin/python3", [join(here, "pickup-site.py")], { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  helper.stderr.on("data", (bytes) => { errors += bytes; });
  const exited = new Promise((resolve) => helper.on("exit", resolve));
  const lines = createInterface(helper.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`pickup-site.py ended:\n${errors}`);
    return JSON.parse(value);
  };
  return {
    ...await next(),
    async ask(...words) {
      helper.stdin.write(JSON.stringify(words) + "\n");
      const answer = await next();
      if (answer.error) throw new Error(answer.error);
      return answer.ok;
    },
    async stop() { helper.stdin.end(); assert.equal(await exited, 0, errors); },
  };
}

const phone = { viewport: { width: 390, height: 844 } };

describe("pick-up", () => {
  let site, browser;
  const pages = [];
  const open = async (options = {}) => {
    const page = await openPage(browser, options);
    pages.push(page);
    return page;
  };
  before(async () => {
    [site, browser] = await Promise.all([startSite(), startBrowser()]);
    await site.ask("post", canary);
  });
  after(async () => { await browser?.close(); await site?.stop(); });
  afterEach(() => { for (const page of pages) assert.deepEqual(page.faults.splice(0), []); });

  const firstVisit = async (page, address) => {
    await page.goto(await site.ask("link", address));
    await page.getByRole("button", { name: "This is my mailbox" }).click();
    await page.getByRole("heading", { name: "How you sign in from now on" }).waitFor();
  };
  const choosePassword = async (page) => {
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByLabel("The same password again").fill(password);
    await page.getByRole("button", { name: "Use this password" }).click();
    await page.getByRole("heading", { name: "Your secure mail" }).waitFor();
  };
  const signIn = async (page, address) => {
    await page.goto(site.url + "/pickup/");
    await page.getByLabel("Your mail address").first().fill(address);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  };
  const look = async (page, name) => {
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, name + "-1280");
    await page.setViewportSize(phone.viewport);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} scrolls sideways`);
    await shoot(page, name + "-390");
    await page.setViewportSize({ width: 1280, height: 860 });
  };

  // Somebody of the site, signed in: by the secret of a session.
  const staffPage = async (words, options = { viewport: { width: 1280, height: 860 } }) => {
    const secret = await site.ask("staff", ...words);
    const page = await open(options);
    await page.context().addCookies([{ name: "__Host-postern-session", value: secret, url: site.url, secure: true, httpOnly: true, sameSite: "Strict" }]);
    return page;
  };

  it("sends envelope mails that say nothing", async () => {
    const raw = await site.ask("raw", "bob@example.org");
    assert.doesNotMatch(raw, new RegExp(canary + "|ann@|Results"));
    assert.match(raw, /Subject: A secure message waits for you/);
  });

  it("is not used up by scanners, and a first visit sets a password", async () => {
    const link = await site.ask("link", "bob@example.org");
    const page = await open({ viewport: { width: 1280, height: 860 } });
    for (const agent of ["Mozilla/5.0 (compatible; LinkScanner/2.1)", "SafeLinks", "curl/8.4", ""])
      for (const method of ["HEAD", "GET", "GET"])
        assert.equal((await page.request.fetch(link, { method, headers: { "User-Agent": agent } })).status(), 200);
    await page.goto(link);
    assert.doesNotMatch(await page.content(), new RegExp(canary + "|ann@|Results"));
    await look(page, "pickup-link");
    await firstVisit(page, "bob@example.org");
    await look(page, "pickup-set-up");
    await page.getByLabel("Password", { exact: true }).fill("password password");
    await page.getByLabel("The same password again").fill("another password");
    await page.getByRole("button", { name: "Use this password" }).click();
    await page.getByText("The two passwords are not the same.").waitFor();
    await choosePassword(page);
    await page.getByRole("link", { name: "Results" }).waitFor();
    await look(page, "pickup-inbox");
    assert.equal((await page.request.get(link)).status(), 410);
  });

  it("opens in the browser; hostile HTML asks for nothing and runs nothing", async () => {
    const page = await open({ viewport: { width: 1280, height: 860 } });
    await signIn(page, "bob@example.org");
    await page.getByRole("link", { name: "Results" }).click();
    await page.getByRole("button", { name: "Open the message" }).click();
    await page.getByText("Visible words " + canary).waitFor();
    await page.getByText("Opened in this browser").waitFor();
    await page.waitForTimeout(300);
    assert.match(await page.title(), /Results/);
    assert.equal(await page.locator("[data-pickup-html] :is(script, img, iframe, svg, form, a, style, link, object, meta)").count(), 0);
    // The policy of the page reports what it kept from running while the message was taken apart.
    assert.ok(page.faults.every((fault) => /^(Executing inline event handler|Applying inline style) violates/.test(fault)), page.faults);
    page.faults.length = 0;
    await look(page, "pickup-message");
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "page.html" }).click();
    assert.equal((await download).suggestedFilename(), "page.html");
  });

  it("does the same without JavaScript", async () => {
    const page = await open({ javaScriptEnabled: false, ...phone });
    await signIn(page, "bob@example.org");
    await page.getByRole("link", { name: "Results" }).click();
    await page.getByRole("button", { name: "Open the message" }).click();
    const frame = page.frameLocator("iframe");
    await frame.getByText("Visible words " + canary).waitFor();
    assert.equal(await frame.locator("script, img, iframe, svg, form, a, style, link, object, meta[http-equiv]").count(), 0);
    assert.match(await page.title(), /Results/);
    await page.screenshot({ path: join(here, "../../build/screenshots/pickup-message-noscript-390.png"), fullPage: true });
  });

  it("takes a reply, which waits sealed for the author or goes under her certificate", async () => {
    const page = await open({ viewport: { width: 1280, height: 860 } });
    await signIn(page, "bob@example.org");
    await page.getByRole("link", { name: "Results" }).click();
    await page.getByLabel("Your words").fill("An answer " + canary);
    await page.getByRole("button", { name: "Send securely" }).click();
    await page.getByText("Your reply is on its way").waitFor();
    for (const raw of await site.ask("sealed", "ann@example.org", "2")) assert.doesNotMatch(raw, new RegExp(canary));
  });

  it("shows nothing after signing out, back button included", async () => {
    const page = await open({ viewport: { width: 1280, height: 860 } });
    await signIn(page, "bob@example.org");
    await page.getByRole("link", { name: "Results" }).click();
    await page.getByRole("button", { name: "Open the message" }).click();
    await page.getByText("Visible words").waitFor();
    page.faults.length = 0;
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("Nothing of your messages is kept").waitFor();
    await page.goBack();
    await page.waitForTimeout(500);
    assert.doesNotMatch(await page.content(), new RegExp(canary));
    await page.goBack();
    await page.waitForTimeout(500);
    assert.doesNotMatch(await page.content(), new RegExp(canary));
  });

  it("keeps the wrong person out on every route", async () => {
    const bob = await open();
    await signIn(bob, "bob@example.org");
    const path = await bob.getByRole("link", { name: "Results" }).getAttribute("href");
    const eve = await open();
    await firstVisit(eve, "eve@example.org");
    await choosePassword(eve);
    await site.ask("post", canary + " Bob alone", "other@lists.example");
    await site.ask("raw", "bob@example.org", "2");
    await bob.reload();
    const alone = await bob.getByRole("link", { name: "Bob alone" }).getAttribute("href");
    // Signed in as herself, with forms of her own and Bob's number: as if it never was.
    const csrf = await eve.locator("input[name=csrf]").first().inputValue();
    for (const route of ["", "/html", "/content", "/parts/1", "/parts/2", "/message.eml"]) {
      const answer = await eve.request.get(site.url + alone + route, { maxRedirects: 0 });
      assert.ok([404, 409].includes(answer.status()), `${route}: ${answer.status()}`);
      assert.doesNotMatch(await answer.text(), new RegExp(canary + "|Bob alone"), route);
    }
    for (const route of ["/open", "/key", "/reply", "/report"]) {
      const answer = await eve.request.post(site.url + alone + route, { form: { csrf, text: "x", words: "x" }, maxRedirects: 0, headers: { Origin: site.url } });
      assert.ok([404, 409].includes(answer.status()), `${route}: ${answer.status()}`);
      assert.doesNotMatch(await answer.text(), new RegExp(canary + "|Bob alone"), route);
    }
    await eve.goto(site.url + alone);
    await look(eve, "pickup-not-yours");
    const stranger = await open();
    for (const route of ["", "/html", "/content", "/parts/1", "/parts/2", "/message.eml"]) {
      const answer = await stranger.request.get(site.url + path + route, { maxRedirects: 0 });
      assert.notEqual(answer.status(), 200, route);
      assert.doesNotMatch(await answer.text(), new RegExp(canary), route);
    }
    for (const route of ["/open", "/key", "/reply", "/report"]) {
      const answer = await eve.request.post(site.url + path.replace(/\d+$/, "4711") + route, { form: { csrf: "x", text: "x" }, maxRedirects: 0 });
      assert.equal(answer.status(), 403, route);
    }
    const answer = await eve.request.get(site.url + path.replace(/\d+$/, "4711"));
    assert.equal(answer.status(), 404);
  });

  it("signs in with a passkey", async () => {
    const page = await open({ viewport: { width: 1280, height: 860 } });
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    await devtools.send("WebAuthn.addVirtualAuthenticator", { options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
    await firstVisit(page, "pat@example.org");
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByRole("heading", { name: "Your secure mail" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("heading", { name: "Your secure mail" }).waitFor();
    await page.getByRole("link", { name: "Account" }).click();
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    await look(page, "pickup-account");
    await page.getByRole("link", { name: "Sent" }).click();
    await look(page, "pickup-sent");
  });

  it("brings the file that opens from disk and leads here", async () => {
    const file = await site.ask("file", "flo@file.example");
    const page = await open({ viewport: { width: 1280, height: 860 } });
    page.removeAllListeners("request");
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto("file://" + file);
    await page.getByRole("heading", { name: "A secure message waits for you" }).waitFor();
    assert.equal(asked.length, 1);
    assert.equal(await page.locator("main").evaluate((main) => getComputedStyle(main).borderTopLeftRadius), "12px", "the policy of the file lets its own style through");
    assert.doesNotMatch(await page.content(), new RegExp(canary));
    await look(page, "pickup-file");
    await page.getByRole("link", { name: "Sign in and read it" }).click();
    await page.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
    await look(page, "pickup-home");
    page.faults.length = 0;
  });

  it("goes through a whole first visit without JavaScript", async () => {
    const page = await open({ javaScriptEnabled: false, ...phone });
    await firstVisit(page, "noa@example.org");
    assert.ok(await page.getByText("15 characters or more").isVisible(), "what a password needs is said before it is typed");
    assert.equal(await page.getByRole("button", { name: "Use a passkey" }).isVisible(), false);
    await choosePassword(page);
    await page.getByRole("link", { name: "Results" }).first().click();
    await page.getByRole("button", { name: "Open the message" }).click();
    await page.frameLocator("iframe").getByText("Visible words").waitFor();
    await page.getByRole("link", { name: "Account" }).click();
    await page.getByText("Where you are signed in").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out").waitFor();
  });

  it("prints the message and nothing around it", async () => {
    const page = await open({ viewport: { width: 1280, height: 860 } });
    await signIn(page, "bob@example.org");
    await page.getByRole("link", { name: "Results" }).first().click();
    await page.getByRole("button", { name: "Open the message" }).click();
    await page.getByText("Opened in this browser").waitFor();
    await page.emulateMedia({ media: "print" });
    await page.getByText("Visible words").first().waitFor();
    for (const name of ["Sign out", "Send securely", "Print"])
      assert.equal(await page.getByRole("button", { name }).isVisible(), false, name);
    await shoot(page, "pickup-print");
    page.faults.length = 0;
  });

  it("tells the owner of a problem by a mail without content, and shows who picked up what", async () => {
    const bob = await open();
    await signIn(bob, "bob@example.org");
    await site.ask("staff", "ada", "admin");
    const wanda = await staffPage(["wanda", "owner", "board@lists.example"]);
    await bob.getByRole("link", { name: "Results" }).last().click();
    await bob.getByText("Report a problem").click();
    await bob.getByLabel("What is wrong?").fill("The attachment cannot be opened");
    await bob.getByRole("button", { name: "Report it" }).click();
    await bob.getByText("Those who look after this list").waitFor();
    const mail = await site.ask("mail", "wanda@example.org", "Somebody reported a problem with secure mail");
    assert.doesNotMatch(mail, new RegExp(canary + "|attachment|Results|bob@"));
    await wanda.goto(site.url + "/");
    await wanda.getByRole("link", { name: "Pick-up", exact: true }).click();
    await wanda.getByRole("heading", { name: "Waiting for pick-up" }).waitFor();
    assert.ok(await wanda.getByText("Opened").first().isVisible());
    await look(wanda, "pickup-waiting");
    await wanda.goto(mail.match(/https:\S+\/waiting\/\d+/)[0]);
    await wanda.getByText("The attachment cannot be opened").waitFor();
    assert.doesNotMatch(await wanda.content(), new RegExp(canary), "owners see who opened what, never what it says");
    await look(wanda, "pickup-waiting-item");
    await wanda.locator(".facts a").first().click();
    await wanda.getByRole("heading", { name: "Ledger of a post" }).waitFor();
    await wanda.getByText(/^read 20/).first().waitFor();
    await look(wanda, "pickup-ledger");
    const ledger = await (await wanda.request.get(wanda.url() + "/ledger.csv")).text();
    assert.match(ledger.split("\r\n")[0], /,"pickup","read_at","available_until"$/);
    assert.match(ledger, /^"bob@example\.org","pickup",.*,"waiting","20\d\d-[^,]*Z","20\d\d-[^,]*Z"\r$/m);
    assert.match(ledger, /^"eve@example\.org","pickup",.*,"waiting","","20\d\d-[^,]*Z"\r$/m);
  });

  for (const script of [true, false])
    it(`is set up by list and domain in plain words (${script ? "with" : "without"} JavaScript)`, async () => {
      const options = { viewport: { width: 1280, height: 860 }, javaScriptEnabled: script };
      const wanda = await staffPage(["wanda"], options);
      await wanda.goto(site.url + "/lists/board@lists.example");
      await wanda.getByRole("link", { name: "Pick-up", exact: true }).last().click();
      await wanda.getByText("30 days. Then the key is destroyed").waitFor();
      await wanda.getByLabel("Days that a message").fill("4000");
      await wanda.getByLabel("Do not name the list").check();
      await wanda.getByRole("button", { name: "Save" }).click();
      await wanda.getByText("must be between 1 and 365").waitFor();
      assert.ok(await wanda.getByLabel("Do not name the list").isChecked(), "what was chosen stays");
      await wanda.getByLabel("Days that a message").fill("14");
      await wanda.getByLabel("whole list").check();
      await wanda.getByLabel("Ask a question").check();
      await wanda.getByRole("button", { name: "Save" }).click();
      await wanda.getByText("The settings were saved").waitFor();
      await wanda.getByText("14 days. Then the key").waitFor();
      await wanda.getByText("The list is not named").waitFor();
      await wanda.getByText("forbids them as proof").waitFor();
      if (script) await look(wanda, "pickup-settings");
      const stored = await site.ask("cli", "pickup", "settings", "board@lists.example");
      assert.deepEqual([stored.days, stored.neutral, stored.replyToList, stored.question], [14, true, true, true]);
      for (const name of ["Do not name the list", "whole list", "Ask a question"]) await wanda.getByLabel(name).uncheck();
      await wanda.getByLabel("Days that a message").fill("30");
      await wanda.getByRole("button", { name: "Save" }).click();
      await wanda.getByText("30 days. Then the key").waitFor();
      assert.equal((await wanda.goto(site.url + "/lists/other@lists.example/pickup")).status(), 403);

      const ada = await staffPage(["ada"], options);
      await ada.goto(site.url + "/waiting");
      await ada.getByRole("link", { name: "Link or file" }).click();
      await ada.getByText("for messages up to 1.0 MB").waitFor();
      await ada.getByLabel("Domain of the recipients").fill("not a domain");
      await ada.getByRole("button", { name: "Save" }).click();
      await ada.getByRole("alert").waitFor();
      await ada.getByLabel("Domain of the recipients").fill("clinic.example");
      await ada.getByLabel("What its recipients get").selectOption("5000000");
      await ada.getByRole("button", { name: "Save" }).click();
      await ada.getByRole("rowheader", { name: "clinic.example" }).waitFor();
      if (script) await look(ada, "pickup-domains");
      await ada.getByRole("link", { name: "Change clinic.example" }).click();
      assert.equal(await ada.getByLabel("What its recipients get").inputValue(), "5000000");
      await ada.getByLabel("What its recipients get").selectOption("0");
      await ada.getByRole("button", { name: "Save" }).click();
      await ada.getByText("The settings were saved").waitFor();
      assert.deepEqual((await site.ask("cli", "pickup", "domains")).items.map(({ domain }) => domain), ["file.example"]);
    });

  it("foretells the fan-out in the same words on the page, by command and by order", async () => {
    await site.ask("cli", "member", "set", "board@lists.example", "eve@example.org", "--wish", "smime");
    const page = await staffPage(["wanda"]);
    await page.goto(site.url + "/lists/board@lists.example/plan");
    const plan = await site.ask("cli", "list", "plan", "board@lists.example", "--protection", "withheld");
    const said = await site.ask("text", "list", "plan", "board@lists.example", "--protection", "withheld");
    assert.equal(plan.sentence, "6 members: 1 S/MIME, 4 Web pick-up, 1 Withheld");
    await page.getByRole("heading", { name: plan.sentence }).waitFor();
    assert.ok(said.startsWith(plan.sentence + "\n"), said);
    const rows = await page.locator("section[aria-labelledby=plan-heading] table.compact tbody tr").all();
    assert.equal(rows.length, plan.counts.length);
    for (const [index, { title, why, count }] of plan.counts.entries()) {
      assert.deepEqual(await rows[index].locator("td").allTextContents(), [title, why, String(count)]);
      assert.ok(said.includes(`  ${count}  ${title}: ${why}\n`), said);
    }
    assert.deepEqual(plan.items.map(({ address, why }) => [address, why]), [["eve@example.org", "The member wants a stronger protection than can be had now."]]);
    assert.match(said, /eve@example\.org .*The member wants a stronger protection than can be had now\./);
    await look(page, "pickup-plan");
    await site.ask("cli", "member", "set", "board@lists.example", "eve@example.org", "--wish", "none");
  });

  it("asks the own question only where the list wants it, after the sign-in", async () => {
    await site.ask("cli", "pickup", "set", "board@lists.example", "--question", "yes");
    const page = await open({ viewport: { width: 1280, height: 860 } });
    await signIn(page, "eve@example.org");
    await page.getByText("A message behind your question").first().waitFor();
    assert.doesNotMatch(await page.content(), new RegExp(canary));
    await page.getByRole("link", { name: "A message behind your question" }).first().click();
    await page.getByRole("heading", { name: "Choose a question" }).waitFor();
    await look(page, "pickup-question-choose");
    await page.getByLabel("Question").fill("What hangs over the door?");
    await page.getByLabel("Answer").fill("the door");
    await page.getByRole("button", { name: "Use this question" }).click();
    await page.getByText("The question tells the answer").waitFor();
    await page.getByLabel("Answer").fill("A green umbrella");
    await page.getByRole("button", { name: "Use this question" }).click();
    await page.getByRole("button", { name: "Open the message" }).click();
    await page.getByText("Visible words").waitFor();
    page.faults.length = 0;
    await page.getByRole("button", { name: "Sign out" }).click();
    await signIn(page, "eve@example.org");
    await page.getByRole("link", { name: "A message behind your question" }).first().click();
    await page.getByLabel("What hangs over the door?").fill("a red umbrella");
    await page.getByRole("button", { name: "Answer", exact: true }).click();
    await page.getByText("The answer is wrong").waitFor();
    await look(page, "pickup-question");
    await page.getByLabel("What hangs over the door?").fill("a  GREEN umbrella");
    await page.getByRole("button", { name: "Answer", exact: true }).click();
    await page.getByRole("button", { name: "Open the message" }).waitFor();
    await site.ask("cli", "pickup", "set", "board@lists.example", "--question", "no");
  });

  it("leaves no word of it on disk", async () => {
    assert.deepEqual(await site.ask("canary", canary), []);
  });

  it("lets the sender take it back, and says so to who comes later", async () => {
    const ann = await open({ viewport: { width: 1280, height: 860 } });
    await ann.goto(site.url + "/pickup/");
    await ann.getByLabel("Your mail address").nth(1).fill("ann@example.org");
    await ann.getByRole("button", { name: "Send me a link" }).click();
    await ann.getByText("If something waits for that address").waitFor();
    await ann.goto(await site.ask("asked", "ann@example.org"));
    await ann.getByRole("button", { name: "This is my mailbox" }).click();
    await choosePassword(ann);
    await ann.getByRole("link", { name: "Sent" }).click();
    await ann.getByText("Picked up by 1 of").first().waitFor();
    await look(ann, "pickup-sent-items");
    while (await ann.getByText("Take it back").count() > 0) {
      await ann.locator("summary").first().click();
      await ann.getByLabel("Why").first().fill("It went to the wrong list");
      await ann.getByRole("button", { name: "Take it back" }).first().click();
      await ann.getByText("Nobody who had not kept a copy").waitFor();
    }
    const bob = await open({ viewport: { width: 1280, height: 860 } });
    await signIn(bob, "bob@example.org");
    await bob.getByText("A message that was taken back").first().waitFor();
    assert.doesNotMatch(await bob.content(), new RegExp(canary));
    await look(bob, "pickup-recalled");
  });

  for (const [who, words] of [["an owner of the list", ["wanda"]], ["the compliance officer", ["olga", "officer"]]])
    it(`is taken back by ${who}, who never sees what it says`, async () => {
      await site.ask("post", canary + words[0], "other@lists.example");
      if (words[0] === "wanda") await site.ask("staff", "wanda", "owner", "board@lists.example", "other@lists.example");
      const page = await staffPage(words);
      await page.goto(site.url + "/waiting?list=other@lists.example&state=waiting");
      await page.getByRole("link", { name: "bob@example.org" }).first().click();
      const item = page.url().match(/\d+$/)[0];
      await page.getByRole("heading", { name: "Take it back" }).waitFor();
      assert.doesNotMatch(await page.content(), new RegExp(canary));
      await page.locator("#recall-reason").fill("Sent to the wrong people");
      await page.getByRole("button", { name: "Recall" }).click();
      await page.getByText("Recalled").waitFor();
      await page.getByText("destroyed", { exact: true }).waitFor();
      await look(page, "pickup-recalled-by-" + words[0]);
      const shown = await site.ask("cli", "pickup", "show", item);
      assert.deepEqual([shown.state, shown.keyDestroyed], ["recalled", true]);
      const bob = await open();
      await signIn(bob, "bob@example.org");
      await bob.getByText("A message that was taken back").first().waitFor();
      assert.doesNotMatch(await bob.content(), new RegExp(canary + words[0]));
    });

  it("says that its time is over", async () => {
    await site.ask("post", "expires");
    await site.ask("raw", "bob@example.org", "5");
    const items = (await site.ask("cli", "pickup", "list")).items.filter(({ recipient }) => recipient === "bob@example.org");
    assert.ok(items.some(({ openedAt }) => openedAt > 0), "the receipt is in the list of items");
    const page = await open({ viewport: { width: 1280, height: 860 } });
    await site.ask("clock", String(31 * 86400));
    await signIn(page, "bob@example.org");
    await page.getByText("A message whose time is over").first().waitFor();
    await look(page, "pickup-expired");
    await page.goto(site.url + "/pickup/guide");
    await look(page, "pickup-guide");
  });
});
