// The page of the keys that sign mail, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`signing keys (${name})`, () => {
    const script = options.javaScriptEnabled !== false;
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const good = async () => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, "nothing sticks out");
      if (script) assert.deepEqual(await seriousFindings(page), []);
    };
    const add = async (domain, kind) => {
      await page.getByLabel("Domain of the senders").fill(domain);
      await page.getByLabel("Kind").selectOption(kind);
      await page.getByRole("button", { name: "Make the key" }).click();
    };

    it("is one step from the dashboard and says that mail leaves unsigned", async () => {
      await page.goto(postern.url + "/");
      assert.ok(await page.locator('nav a[href="/dkim"]').count() > 0);
      await page.goto(postern.url + "/dkim");
      await page.getByRole("heading", { name: "No keys" }).waitFor();
      await good();
    });

    it("refuses domains of others and keeps what was typed", async () => {
      await add("bank.example", "ed25519");
      await page.getByRole("alert").getByText("no mail of bank.example").waitFor();
      assert.equal(await page.getByLabel("Domain of the senders").inputValue(), "bank.example");
      assert.equal(await page.getByLabel("Kind").inputValue(), "ed25519");
      await good();
    });

    it("shows the record to paste, takes keys into use and changes them", async () => {
      await add("st-elmo.example", "rsa");
      await page.getByText("The key was made. Publish its record now").waitFor();
      const key = postern.site.dkim[0];
      await page.getByText(key.record, { exact: true }).waitFor();
      await page.getByText(key.zone, { exact: true }).waitFor();
      await good();
      await shoot(page, `dkim-new-${name}`);
      await page.getByRole("button", { name: "Look in the DNS now" }).click();
      await page.getByText("The DNS was asked.").waitFor();
      assert.equal(await page.getByText(key.record, { exact: true }).isVisible(), false, "folded away while all is well");
      await page.getByRole("button", { name: "Make new keys" }).click();
      await page.getByText("The key was made. Publish its record now").waitFor();
      await page.getByRole("button", { name: "Look in the DNS now" }).click();
      await page.getByText("Leave the record in the DNS until").waitFor();
      await good();
      await shoot(page, `dkim-${name}`);
    });
  });
