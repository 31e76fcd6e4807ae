// The pages of webhooks, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`webhooks (${name})`, () => {
    const script = options.javaScriptEnabled !== false;
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const good = async (shot) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, "nothing sticks out");
      if (script) assert.deepEqual(await seriousFindings(page), []);
      await shoot(page, `webhooks-${shot}-${name}`);
    };
    const add = async (account, url) => {
      await page.goto(postern.url + "/webhooks");
      await page.getByLabel("Mail of the account").selectOption(account);
      await page.getByLabel("Address to call").fill(url);
      await page.getByRole("button", { name: "Add the webhook" }).click();
    };

    it("is one step from the dashboard, says what it is for, and offers accounts that send", async () => {
      await page.goto(postern.url + "/");
      assert.ok(await page.locator('nav a[href="/webhooks"]').count() > 0);
      await page.goto(postern.url + "/webhooks");
      await page.getByRole("heading", { name: "No webhooks" }).waitFor();
      assert.deepEqual(await page.getByLabel("Mail of the account").locator("option").allTextContents(), ["ada", "pharmacy"]);
      await good("none");
    });

    it("refuses an address in the clear, and keeps what was typed", async () => {
      await add("pharmacy", "http://shop.st-elmo.example/events");
      await page.getByRole("alert").getByText("this is not the address of a webhook").waitFor();
      assert.equal(await page.getByLabel("Address to call").inputValue(), "http://shop.st-elmo.example/events");
      assert.equal(await page.getByLabel("Mail of the account").inputValue(), "pharmacy");
      assert.deepEqual(postern.site.webhooks, []);
    });

    it("shows the secret once", async () => {
      await add("pharmacy", "https://shop.st-elmo.example/postern/events?from=postern");
      await page.getByText("whsec_a3Vja3VjaysgYSBzZWNyZXQgb2YgdGhlIHRlc3Q=").waitFor();
      assert.equal(postern.site.webhooks[0].account, "pharmacy");
      assert.ok(!page.url().includes("whsec"));
      await good("secret");
      await page.goto(postern.url + "/webhooks/1");
      await page.getByRole("heading", { name: "Webhook 1" }).waitFor();
      assert.ok(!(await page.content()).includes("whsec"));
    });

    it("calls it with a test and says what it answers", async () => {
      await page.goto(postern.url + "/webhooks/1");
      await page.getByRole("button", { name: "Call it now with a test" }).click();
      await page.getByText("The program has taken the call.").waitFor();
      await add("ada", "https://broken.example/events");
      await page.getByRole("button", { name: "Call it now with a test" }).click();
      await page.getByRole("status").getByText("broken.example answers 500").waitFor();
      await good("test");
      await page.goto(postern.url + "/webhooks");
      await page.getByRole("row", { name: /broken\.example/ }).getByText("Fails", { exact: true }).waitFor();
      await page.getByRole("row", { name: /broken\.example/ }).getByText("12 events").waitFor();
      await page.getByRole("row", { name: /shop/ }).getByText("Takes its calls").waitFor();
      await good("list");
    });

    it("is turned off and on, and removed after asking", async () => {
      await page.goto(postern.url + "/webhooks/2");
      await page.getByRole("button", { name: "Turn it off" }).click();
      await page.getByText("The webhook is off.").waitFor();
      assert.equal(postern.site.webhooks[1].state, "off");
      await page.getByRole("button", { name: "Turn it on" }).click();
      await page.getByText("The webhook is on.").waitFor();
      await page.getByRole("link", { name: "Remove" }).click();
      await page.getByRole("heading", { name: "Remove this webhook?" }).waitFor();
      await good("remove");
      await page.getByRole("button", { name: "Remove the webhook" }).click();
      await page.getByText("The webhook was removed").waitFor();
      assert.deepEqual(postern.site.webhooks.map((one) => one.id), [1]);
      const gone = await page.goto(postern.url + "/webhooks/2");
      assert.equal(gone.status(), 404);
      await page.getByText("There is no webhook 2").waitFor();
    });
  });
