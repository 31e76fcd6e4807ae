// The pages of the policies, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`policies (${name})`, () => {
    const script = options.javaScriptEnabled !== false;
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const good = async (shot) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, "nothing sticks out");
      if (script) assert.deepEqual(await seriousFindings(page), []);
      await shoot(page, `policies-${shot}-${name}`);
    };

    it("is one step from the dashboard and shows what is in force and what was", async () => {
      await page.goto(postern.url + "/");
      assert.ok(await page.locator('nav a[href="/policies"]').count() > 0);
      await page.goto(postern.url + "/policies");
      await page.getByRole("heading", { name: "In force: policy set 2" }).waitFor();
      await page.getByText("All pass").waitFor();
      await page.getByRole("link", { name: "Policy set 1" }).waitFor();
      await good("overview");
    });

    it("shows what the check says by line, and keeps what was typed", async () => {
      await page.goto(postern.url + "/policies/edit?file=secure_tag.lua");
      const editor = page.getByLabel("secure_tag.lua", { exact: true });
      const text = await editor.inputValue();
      assert.ok(text.startsWith("return {\n"), "the first line is where it was");
      await editor.fill(text.replace("hooks = { message = function(tx, msg) return", "hooks = { message = function(tx, msg) retrun"));
      await page.getByRole("button", { name: "Check and run the cases" }).click();
      await page.getByText("secure_tag.lua, line 4").waitFor();
      await page.getByRole("region", { name: "secure_tag.lua, line 4" }).getByText("retrun pass()").waitFor();
      assert.ok((await editor.inputValue()).includes("retrun"));
      await page.getByText("3 of 3 lines ran in the cases").click();
      await page.getByRole("region", { name: "Lines of secure_tag.lua that ran" }).getByText("2 +   name = ").waitFor();
      assert.equal(postern.site.policySets.length, 2, "checking stores nothing");
      await good("check");
    });

    it("stores a candidate that cannot come into force while a case fails", async () => {
      await page.goto(postern.url + "/policies/edit?file=secure_tag.lua");
      const editor = page.getByLabel("secure_tag.lua", { exact: true });
      await editor.fill((await editor.inputValue()) + "-- wrong\n");
      await page.getByLabel("What is changed").fill("a try");
      await page.getByRole("button", { name: "Store as a candidate" }).click();
      await page.getByText("The policy set was stored as a candidate.").waitFor();
      await page.getByText("expected pass, got reject").waitFor();
      await page.getByText("Not before it loads and all its cases pass.").waitFor();
      assert.equal(await page.getByRole("button", { name: "Put in force" }).count(), 0);
      assert.equal(postern.site.policySets.find((set) => set.state === "in-force").revision, 2);
      await good("broken");
    });

    it("puts a good one in its shadow, in force, and goes back", async () => {
      await page.goto(postern.url + "/policies/edit?file=new_one.lua");
      assert.ok((await page.getByLabel("new_one.lua (new)").inputValue()).includes('name = "new_one"'));
      await page.getByRole("button", { name: "Store as a candidate" }).click();
      await page.getByRole("heading", { name: "Policy set 4" }).waitFor();
      await good("candidate");
      await page.getByLabel("The messages of how many days").fill("90");
      await page.getByRole("button", { name: "Judge stored mail" }).click();
      await page.getByText("Of 12,034 messages 14 would be judged otherwise; 2 could not be read.").waitFor();
      await page.getByText("Which messages").click();
      await page.getByRole("link", { name: "Post 31" }).waitFor();
      await good("replay");
      await page.getByLabel("For how many hours").fill("48");
      await page.getByRole("button", { name: "Begin the shadow" }).click();
      await page.getByText("reject raffle (no_raffles)").waitFor();
      await page.getByText("12,034 questions compared").waitFor();
      await good("shadow");
      await page.getByRole("button", { name: "End it" }).click();
      await page.getByText("The shadow was ended").waitFor();
      await page.goto(postern.url + "/policies/4");
      await page.getByLabel("Why, for the history").fill("as decided");
      await page.getByRole("button", { name: "Put in force" }).click();
      await page.getByRole("heading", { name: "In force: policy set 4" }).waitFor();
      await page.goto(postern.url + "/policies/2");
      await page.getByLabel("Why, for the history").fill("too strict");
      await page.getByRole("button", { name: "Go back to this set" }).click();
      await page.getByRole("heading", { name: "In force: policy set 5" }).waitFor();
    });

    it("tells what each policy says to a pasted message, and less of a stored one", async () => {
      await page.goto(postern.url + "/policies/try");
      await good("try");
      await page.getByLabel("Header, an empty line, text").fill("From: ann@example.org\nTo: social@st-elmo.example\nSubject: Secure: x\n\ntext\n");
      await page.getByRole("button", { name: "Ask the policies" }).click();
      await page.getByText("Please take the mark out of the subject").waitFor();
      await page.getByText("decided before").waitFor();
      await good("explained");
      await page.getByLabel("Message-ID, queue id or number").fill("17");
      await page.getByRole("button", { name: "Ask the policies" }).click();
      await page.getByText("Of a stored message the verdicts are shown").waitFor();
      assert.equal(await page.getByText("Please take the mark").count(), 0);
    });

    it("changes the sets", async () => {
      await page.goto(postern.url + "/policies/sets");
      await good("sets");
      await page.getByRole("link", { name: "trusted_domains" }).click();
      await page.getByLabel("Entry", { exact: true }).fill("New.example");
      await page.getByRole("button", { name: "Put it in" }).click();
      await page.getByText("The set was changed, and is in force.").waitFor();
      await page.getByText("new.example", { exact: true }).waitFor();
      await good("set");
      await page.getByLabel("Entry", { exact: true }).fill("gone.example");
      await page.getByRole("button", { name: "Take it out" }).click();
      await page.getByRole("alert").getByText("has no such entry").waitFor();
      await page.getByLabel("One on a line").fill("a.example\nb.example\n");
      await page.getByRole("button", { name: "Take them over" }).click();
      await page.getByText("b.example", { exact: true }).waitFor();
    });
  });
