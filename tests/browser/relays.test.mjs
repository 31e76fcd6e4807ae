// The page of relays, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`relays (${name})`, () => {
    const script = options.javaScriptEnabled !== false;
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const add = async (range, domain) => {
      await page.getByLabel("Addresses of the servers").fill(range);
      await page.getByLabel("Domain of the senders").fill(domain);
      await page.getByRole("button", { name: "Add the relay" }).click();
    };
    const good = async () => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, "nothing sticks out");
      if (script) assert.deepEqual(await seriousFindings(page), []);
    };

    it("is one step from the dashboard and offers secure lists alone", async () => {
      await page.goto(postern.url + "/");
      assert.ok(await page.locator('nav a[href="/relays"]').count() > 0);
      await page.goto(postern.url + "/relays");
      await page.getByRole("heading", { name: "No relays" }).waitFor();
      const offered = await page.getByLabel("Protected and kept under").locator("option").allTextContents();
      assert.deepEqual(offered, postern.site.lists.filter((list) => list.secure).map((list) => list.address));
      await good();
      await shoot(page, `relays-none-${name}`);
    });

    it("refuses what would let everybody in, and keeps what was typed", async () => {
      await add("0.0.0.0/0", "st-elmo.example");
      await page.getByRole("alert").getByText("holds every address").waitFor();
      assert.equal(await page.getByLabel("Domain of the senders").inputValue(), "st-elmo.example");
      assert.deepEqual(postern.site.relays, []);
      await good();
    });

    it("adds a relay and removes it after asking", async () => {
      await add("192.0.2.0/24", "st-elmo.example");
      await page.getByText("The relay was added.").waitFor();
      await add("2001:db8::25", "clinics.example");
      await page.getByRole("rowheader", { name: "2001:db8::25" }).waitFor();
      await good();
      await shoot(page, `relays-${name}`);
      await page.getByRole("link", { name: "Remove 192.0.2.0/24 for st-elmo.example" }).click();
      await page.getByRole("heading", { name: "Remove this relay?" }).waitFor();
      await good();
      await shoot(page, `relay-remove-${name}`);
      await page.getByRole("button", { name: "Remove the relay" }).click();
      await page.getByText("The relay was removed.").waitFor();
      assert.deepEqual(postern.site.relays.map((one) => one.range), ["2001:db8::25"]);
    });

    it("adds relays that are known by a certificate, and tells them apart", async () => {
      await page.goto(postern.url + "/relays");
      await page.getByText("Known by a certificate").click();
      await page.getByLabel("Domain of the senders").fill("st-elmo.example");
      await page.getByLabel("Its certificate (PEM)").fill("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
      await page.getByRole("button", { name: "Add the relay" }).click();
      await page.getByText("The relay was added.").waitFor();
      await page.getByText("Known by a certificate").click();
      await page.getByLabel("Domain of the senders").fill("st-elmo.example");
      await page.getByLabel("Issuer, by RFC 2253").fill("CN=Clinics CA,O=St. Elmo");
      await page.getByLabel("Host name that it is for").fill("mail.st-elmo.example");
      await good();
      await shoot(page, `relays-certificate-form-${name}`);
      await page.getByRole("button", { name: "Add the relay" }).click();
      await page.getByText("for mail.st-elmo.example, issued by CN=Clinics CA,O=St. Elmo", { exact: true }).waitFor();
      await good();
      await shoot(page, `relays-certificates-${name}`);
      await page.getByRole("link", { name: /Remove any address for st-elmo.example with a certificate for mail/ }).click();
      await page.getByText("for mail.st-elmo.example, issued by").or(page.getByText("for mail.st-elmo.example")).first().waitFor();
      await good();
      await page.getByRole("button", { name: "Remove the relay" }).click();
      await page.getByText("The relay was removed.").waitFor();
      assert.deepEqual(postern.site.relays.map((one) => one.name), ["", ""]);
    });
  });
