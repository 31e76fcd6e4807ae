// "Was it encrypted?", with and without JavaScript.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

const worked = readFileSync(new URL("../fuzz/seeds/ReceivedFuzz/worked", import.meta.url), "utf8");

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }],
  ["phone", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`was it encrypted (${name})`, () => {
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const good = async () => {
      if (options.javaScriptEnabled !== false) assert.deepEqual(await seriousFindings(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "nothing sticks out");
    };

    it("tells of each hop of a pasted header, and one sentence on the whole way", async () => {
      await page.getByRole("link", { name: "Was it encrypted?" }).click();
      await good();
      await page.getByLabel("Header of the message").fill(worked);
      await page.getByRole("button", { name: "Read it" }).click();
      await page.getByText("It is not known whether the message was encrypted on hop 2 (hotmail.com to ppe-hosted.com)").waitFor();
      const rows = await page.locator("tbody tr").allInnerTexts();
      assert.equal(rows.length, 6);
      assert.match(rows[0], /Inside one provider/);
      assert.match(rows[1], /Not recorded/);
      assert.match(rows[2], /Recorded as encrypted[\s\S]*DHE-RSA-AES256-SHA/);
      await good();
      await shoot(page, `hops-${name}`);
    });

    it("reads the file of a message, and shows as text whatever stands in it", async () => {
      await page.goto(postern.url + "/hops");
      await page.getByLabel("or its file").setInputFiles({ name: "mail.eml", mimeType: "message/rfc822", buffer: Buffer.from(
        "Received: from <script>alert(1)</script>.example ([192.0.2.1]) by mx.b.example (Postfix) with ESMTP id 4\r\nSubject: x\r\n\r\nbody\r\n") });
      await page.getByRole("button", { name: "Read it" }).click();
      await page.getByText("The message went in clear on hop 1").waitFor();
      assert.equal(await page.locator("td script").count(), 0);
      await good();
    });

    it("says what to do when there is nothing to read, and nothing of what is not known", async () => {
      await page.goto(postern.url + "/hops");
      await page.getByRole("button", { name: "Read it" }).click();
      await page.getByText("There is nothing to read.").waitFor();
      await page.getByLabel("Header of the message").fill("Subject: hello\n\nNo line of a server.\n");
      await page.getByRole("button", { name: "Read it" }).click();
      await page.getByText("The message holds no Received line").waitFor();
      await good();
    });
  });
