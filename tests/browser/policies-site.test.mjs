// Policies and webhooks on a real site, as somebody uses them who has just set it up: without JavaScript.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, afterEach, before, describe, it } from "node:test";
import { openPage, shoot, startBrowser, totp } from "./postern.mjs";

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

const noRaffles = `return {
  name = "no_raffles",
  doc = "Refuses raffles.",
  sets = { raffle_words = "words of raffles" },
  hooks = {
    message = function(tx, msg)
      if in_set("raffle_words", msg.subject) then return reject { reason = "raffle", text = "no raffles here" } end
    end,
  },
  cases = {
    { title = "a raffle is refused", sets = { raffle_words = { "raffle" } },
      tx = { recipients = { "a@example.org" } }, msg = { subject = "raffle" }, expect = { verdict = "reject" } },
    { title = "other mail passes", tx = { recipients = { "a@example.org" } }, msg = { subject = "x" },
      expect = { verdict = "EXPECTED" } },
  },
}
`;

describe("policies of a real site", () => {
  let site, browser, page, secret, first;
  before(async () => {
    [site, browser] = await Promise.all([startSite(), startBrowser()]);
    page = await openPage(browser, { javaScriptEnabled: false, viewport: { width: 1280, height: 860 } });
    await page.goto(site.setupLink);
    secret = (await page.locator(".secret").textContent()).replaceAll(" ", "");
    await page.getByLabel("Name to sign in with").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByLabel("The same password again").fill(password);
    await page.getByLabel("The code that the app shows now").fill(totp(secret));
    await page.getByRole("button", { name: "Create the account" }).click();
    const [code] = await page.locator(".codes code").allTextContents();
    await page.goto(site.url + "/sign-in");
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("Use a recovery code").click();
    await page.getByLabel("Recovery code").fill(code);
    await page.getByRole("button", { name: "Sign in with the recovery code" }).click();
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  });
  after(async () => { await browser?.close(); await site?.stop(); });
  afterEach(() => assert.deepEqual(page.faults.splice(0), []));

  const visit = (path) => page.goto(site.url + path);
  const good = async (shot) => {
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "nothing sticks out");
    await shoot(page, `policies-site-${shot}`);
  };
  // Until a proof of the person is five minutes old, none is asked for.
  const proveIfAsked = async () => {
    if (!await page.getByLabel("Your password").count()) return;
    await page.getByLabel("Your password").fill(password);
    await page.getByLabel("Code from your authenticator app").fill(totp(secret, Date.now() + 30_000)); // that of set-up is used
    await page.getByRole("button", { name: "Go on" }).click();
  };
  const tryRaffle = async (path) => {
    await visit(path);
    await page.getByLabel("Header, an empty line, text").fill("From: ann@example.org\nTo: social@lists.example\nSubject: raffle\n\nAll come.\n");
    await page.getByRole("button", { name: "Ask the policies" }).click();
    await page.getByRole("heading", { name: "Result" }).waitFor();
    return page.locator("section[role=status]").innerText();
  };

  it("shows the shipped policies in force, with the lines that their cases ran", async () => {
    for (let tries = 0; tries < 100 && !(await site.ask("cli", "policy", "history")).items.length; ++tries)
      await new Promise((resolve) => setTimeout(resolve, 300)); // taken over when the gateway is connected
    await visit("/policies");
    first = Number((await page.getByRole("heading", { name: /In force/ }).innerText()).match(/\d+/)[0]);
    const shipped = page.getByRole("region", { name: "Policies in force" });
    await shipped.getByRole("link", { name: "secure_tag" }).waitFor();
    assert.match(await shipped.innerText(), /\d+ of \d+ lines ran/);
    assert.ok(!/ fail\b/.test(await shipped.innerText()));
    await good("overview");
    await visit(`/policies/${first}`);
    await page.getByText("What the cases show").click();
    await good("set");
  });

  it("tells what is wrong with a new policy, by line and by case, and keeps it out of force", async () => {
    await visit("/policies/edit?file=no_raffles.lua");
    const editor = page.getByLabel("no_raffles.lua (new)");
    await editor.fill(noRaffles.replace("if in_set", "iff in_set"));
    await page.getByRole("button", { name: "Check and run the cases" }).click();
    await page.getByText(/no_raffles\.lua, line \d/).first().waitFor();
    await good("syntax");
    await page.getByLabel("no_raffles.lua (new)").fill(noRaffles.replace("EXPECTED", "reject"));
    await page.getByRole("button", { name: "Store as a candidate" }).click();
    await page.getByText("Not before it loads and all its cases pass.").waitFor();
    await page.getByText("no_raffles: other mail passes").waitFor();
    assert.equal(await page.getByRole("button", { name: "Put in force" }).count(), 0);
    await good("broken");
  });

  it("tries a good one beside the one in force, puts it in force after a proof, fills its set, and goes back", async () => {
    await visit("/policies/edit?file=no_raffles.lua");
    await page.getByLabel("no_raffles.lua (new)").fill(noRaffles.replace("EXPECTED", "pass"));
    await page.getByLabel("What is changed").fill("no raffles any more");
    await page.getByRole("button", { name: "Store as a candidate" }).click();
    await page.getByRole("button", { name: "Put in force" }).waitFor();
    const path = new URL(page.url()).pathname, revision = Number(path.match(/\d+/)[0]);
    await good("candidate");
    await page.getByRole("button", { name: "Judge stored mail" }).click();
    for (let tries = 0; tries < 100 && !await page.getByText(/Of 0 messages 0 would/).count(); ++tries) {
      await page.getByRole("link", { name: "Look again" }).click().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await page.getByText("Of 0 messages 0 would be judged otherwise").waitFor();
    await page.getByRole("button", { name: "Begin the shadow" }).click();
    await page.getByText("0 questions compared").waitFor();
    assert.match(await tryRaffle("/policies/try"), /no policy has an opinion/);
    await visit(path);
    await page.getByLabel("Why, for the history").fill("as the board decided");
    await page.getByRole("button", { name: "Put in force" }).click();
    await proveIfAsked();
    await page.getByRole("heading", { name: `In force: policy set ${revision}` }).waitFor();
    await page.getByText("as the board decided").first().waitFor();
    assert.match(await tryRaffle("/policies/try"), /no policy has an opinion/); // its set is empty
    await visit("/policies/sets");
    await page.getByText("words of raffles").waitFor();
    await page.getByRole("link", { name: "raffle_words" }).click();
    await page.getByLabel("Entry", { exact: true }).fill("Raffle");
    await page.getByRole("button", { name: "Put it in" }).click();
    await page.getByText("The set was changed, and is in force.").waitFor();
    const told = await tryRaffle("/policies/try");
    assert.match(told, /reject\s+550 5\.7\.1 by no_raffles in message, reason raffle/);
    assert.match(told, /no raffles here/);
    await good("explained");
    await visit(`/policies/${first}`);
    await page.getByLabel("Why, for the history").fill("too strict");
    await page.getByRole("button", { name: "Go back to this set" }).click();
    await proveIfAsked();
    await page.getByRole("heading", { name: `In force: policy set ${revision + 1}` }).waitFor();
    await good("back");
    assert.match(await tryRaffle("/policies/try"), /no policy has an opinion/);
    const now = (await site.ask("cli", "policy", "history")).items.find((one) => one.state === "in-force");
    assert.deepEqual([now.revision, now.backTo, now.reason], [revision + 1, first, "too strict"]);
  });

  it("adds a webhook, says that its test is not taken, and removes it", async () => {
    await visit("/webhooks");
    await page.getByLabel("Mail of the account").selectOption("ada");
    await page.getByLabel("Address to call").fill("https://localhost:9/events");
    await page.getByRole("button", { name: "Add the webhook" }).click();
    await proveIfAsked();
    assert.match(await page.locator("code.secret").innerText(), /^whsec_[A-Za-z0-9+/=]{40,}$/);
    await page.getByRole("button", { name: "Call it now with a test" }).click();
    await page.getByText("Not taken").waitFor();
    await good("webhook");
    await page.getByRole("button", { name: "Turn it off" }).click();
    await page.getByText("The webhook is off.").waitFor();
    await page.getByRole("link", { name: "Remove" }).click();
    await page.getByRole("button", { name: "Remove the webhook" }).click();
    await page.getByText("The webhook was removed").waitFor();
    assert.deepEqual((await site.ask("cli", "webhook", "list")).items, []);
  });
});
