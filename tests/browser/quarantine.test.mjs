// The pages of the quarantine, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { holdSome } from "./fake-quarantine.mjs";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`quarantine (${name})`, () => {
    const script = options.javaScriptEnabled !== false;
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const good = async () => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, "nothing sticks out");
      if (script) assert.deepEqual(await seriousFindings(page), []);
    };
    const states = () => Object.fromEntries(postern.site.held.map((one) => [one.id, one.state]));

    it("says what an empty quarantine means", async () => {
      await page.goto(postern.url + "/");
      assert.ok(await page.locator('nav a[href="/quarantine"]').count() > 0);
      await page.goto(postern.url + "/quarantine");
      await page.getByRole("heading", { name: "Nothing waits" }).waitFor();
      await good();
      await shoot(page, `quarantine-none-${name}`);
    });

    it("shows what waits by sender and cause, and filters", async () => {
      holdSome(postern.site);
      await page.goto(postern.url + "/quarantine");
      await page.getByRole("rowheader", { name: /press@news/ }).waitFor();
      await page.getByText("Infected: Win.Test.EICAR_HDB-1").waitFor();
      await good();
      await shoot(page, `quarantine-${name}`);
      await page.getByLabel("Cause", { exact: true }).selectOption("policy");
      await page.getByRole("button", { name: "Apply" }).click();
      await page.getByText("A policy asks: sensitive_content: mrn").waitFor();
      assert.equal(await page.getByText("Infected:").count(), 0);
      await page.goto(postern.url + "/quarantine?cause=policy&from=nobody");
      await page.getByRole("heading", { name: "No message fits" }).waitFor();
      await page.goto(postern.url + "/quarantine?state=all");
      await page.getByText("Released", { exact: true }).last().waitFor();
    });

    it("releases many at a time after showing them again, never the infected by oversight", async () => {
      await page.goto(postern.url + "/quarantine");
      for (const id of ["14", "11"]) await page.getByRole("checkbox", { name: `Choose message ${id} ` }).check();
      await page.getByRole("button", { name: "Release the chosen…" }).click();
      await page.getByRole("heading", { name: "Release 2 messages?" }).waitFor();
      await good();
      await shoot(page, `quarantine-release-${name}`);
      await page.getByRole("button", { name: "Release" }).click();
      await page.getByRole("alert").getByText("message 11 is infected", { exact: false }).waitFor();
      assert.equal(states()["14"], "held");
      await page.goto(postern.url + "/quarantine");
      await page.getByRole("checkbox", { name: "Choose message 14 " }).check();
      await page.getByRole("button", { name: "Release the chosen…" }).click();
      await page.getByLabel(/Trust the authors/).check();
      await page.getByRole("button", { name: "Release" }).click();
      await page.getByText("The messages were released").waitFor();
      assert.equal(states()["14"], "released");
      await page.goto(postern.url + "/quarantine/trusted");
      await page.getByRole("rowheader", { name: "press@news.example" }).waitFor();
      await good();
      await shoot(page, `quarantine-trusted-${name}`);
      await page.getByRole("button", { name: /Trust press@news.example no more/ }).click();
      await page.getByRole("heading", { name: "Nobody is trusted" }).waitFor();
    });

    it("deletes only when the number is typed", async () => {
      await page.goto(postern.url + "/quarantine");
      for (const id of ["13", "12"]) await page.getByRole("checkbox", { name: `Choose message ${id} ` }).check();
      await page.getByRole("button", { name: "Delete the chosen…" }).click();
      await page.getByLabel(/Type the number/).fill("3");
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByRole("alert").getByText("The number did not match.").waitFor();
      await good();
      await shoot(page, `quarantine-delete-${name}`);
      await page.getByLabel(/Type the number/).fill("2");
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByText("The messages were deleted").waitFor();
      assert.deepEqual([states()["13"], states()["12"]], ["deleted", "deleted"]);
    });

    it("shows one message without its subject to an administrator", async () => {
      await page.goto(postern.url + "/quarantine/11");
      await page.getByRole("heading", { name: "Held message 11" }).waitFor();
      await page.getByText("dr.ito@st-elmo.example").waitFor();
      assert.equal(await page.getByText("Prize").count(), 0);
      await good();
      await shoot(page, `quarantine-message-${name}`);
    });
  });
