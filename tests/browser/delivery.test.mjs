// Delivery reports and how a post came to us, with and without JavaScript.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }],
  ["phone", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`delivery reports (${name})`, () => {
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const good = async () => {
      if (options.javaScriptEnabled !== false) assert.deepEqual(await seriousFindings(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "nothing sticks out");
    };
    const fileOf = async (link) => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: link, exact: true }).click()]);
      return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
    };

    it("the page of a post tells how it came: sender check in words, and every hop", async () => {
      await page.goto(postern.url + "/posts/4200");
      const way = page.getByRole("region", { name: "How it came to us" });
      await way.getByText("By somebody else; it proves nothing about the sender.", { exact: false }).or(
        way.getByText("Good, by S/MIME. Key of ann@st-elmo.example.")).first().waitFor();
      await way.getByText("It is not known whether the message was encrypted on hop 2").waitFor();
      const rows = await way.locator("tbody tr").allInnerTexts();
      assert.equal(rows.length, 3);
      assert.match(rows[0], /Inside one provider/);
      assert.match(rows[1], /Not recorded/);
      assert.match(rows[2], /Recorded as encrypted[\s\S]*TLS_AES_256_GCM_SHA384/);
      await good();
      await shoot(page, `delivery-trace-${name}`);
    });

    it("says in words whether the sender's domain was proven, and why it was not looked at", async () => {
      const { client } = postern.site.posts[0].trace;
      const found = { ...client };
      const way = page.getByRole("region", { name: "How it came to us" });
      for (const [facts, badge, sentence] of [
        [{}, "Domain proven", "St-elmo.example is proven by its signature (DKIM)."],
        [{ senderProven: "no", senderCheck: "st-elmo.example is not proven, though its owner asks for proof (DMARC)" }, "Domain not proven", "though its owner asks for proof"],
        [{ senderProven: "unknown", senderCheck: "could not be checked: the DNS did not answer in time" }, "Could not be looked at", "the DNS did not answer in time"],
        [{ senderProven: undefined, senderCheck: undefined, account: "ann" }, "Written here", "Written on this site by ann, who was signed in."],
        [{ senderProven: undefined, senderCheck: undefined, account: undefined }, "Not looked at", "from a relay of your own"]]) {
        Object.assign(client, found, facts);
        await page.goto(postern.url + "/posts/4200");
        await way.getByText(badge, { exact: true }).waitFor();
        await way.getByText(sentence).waitFor();
        await good();
      }
      Object.assign(client, found, { account: undefined });
      await page.goto(postern.url + "/posts/4200");
    });

    it("makes the report of a post from its page, to print, as CSV and as signed JSON", async () => {
      await page.getByRole("link", { name: "Delivery report" }).click();
      await page.getByRole("heading", { name: /^Post \d+ to / }).first().waitFor();
      const post = page.getByRole("region", { name: "Post 4200 to" }).first();
      await post.getByText("from mail.st-elmo.example [192.0.2.17], TLSv1.3 TLS_AES_256_GCM_SHA384").waitFor();
      const rows = await post.locator("tbody tr").allInnerTexts();
      assert.match(rows[0], /S\/MIME[\s\S]*Delivered[\s\S]*TLSv1\.3[\s\S]*Certificate verified[\s\S]*250 2\.0\.0 Ok/);
      assert.match(rows[4], /Withheld/);
      await good();
      await shoot(page, `delivery-report-${name}`);
      const table = await fileOf("CSV");
      assert.equal(table.name, "delivery-report.csv");
      assert.equal(table.text.trim().split("\r\n").length, postern.site.posts[0].trace.recipients.length + 1);
      const lines = (await fileOf("Signed JSON")).text.trim().split("\n").map((line) => JSON.parse(line));
      assert.equal(lines.length, 1);
      assert.equal(lines[0].signature, "c2ln");
      assert.match((await fileOf("Page to print")).text, /^<!doctype html>/);
    });

    it("asks for a recipient, and for a list from its page", async () => {
      const { address } = postern.site.posts[0].trace.recipients[0];
      await page.goto(postern.url + "/delivery");
      await page.getByRole("textbox", { name: "Recipient" }).fill(address);
      await page.getByRole("button", { name: "Make the report" }).click();
      await page.getByRole("heading", { name: /^Post \d+ to / }).first().waitFor();
      for (const row of await page.locator("tbody th").allInnerTexts()) assert.ok(row.includes(address), row);
      await page.goto(postern.url + "/lists/" + encodeURIComponent(postern.site.lists[0].address));
      await page.getByRole("link", { name: "Delivery report" }).click();
      await page.getByText("The first 100 copies are shown here.").waitFor();
      assert.equal(await page.getByRole("textbox", { name: "List" }).inputValue(), postern.site.lists[0].address);
      await good();
    });

    it("says so when nothing fits, and why a question cannot be answered", async () => {
      await page.goto(postern.url + "/delivery?recipient=j%C3%BCrgen@ex%C3%A4mple.org");
      await page.getByRole("heading", { name: "No message fits" }).waitFor();
      assert.equal(await page.getByRole("textbox", { name: "Recipient" }).inputValue(), "jürgen@exämple.org");
      await good();
      await page.goto(postern.url + "/delivery?post=%3Cscript%3Ealert(1)%3C/script%3E");
      await page.getByRole("alert").getByText("has the Message-ID, queue id or number <script>", { exact: false }).waitFor();
      await good();
      await shoot(page, `delivery-refused-${name}`);
    });
  });
