// What needs a step-up is kept on the server and carried out after it, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";
import { totp } from "./fake-listd.mjs";

let browser, postern;
before(async () => { browser = await startBrowser(); });
after(async () => { await browser?.close(); });

for (const javaScriptEnabled of [true, false])
  describe(`a step-up with${javaScriptEnabled ? "" : "out"} JavaScript`, () => {
    before(async () => { postern = await startPostern(); });
    after(async () => { await postern?.stop(); });

    it("carries out what was sent, once, and shows nothing of it meanwhile", async () => {
      const page = await openPage(browser, { javaScriptEnabled, viewport: { width: 390, height: 844 } });
      await signIn(page, postern, { name: "paul", password: "correct horse battery", secret: postern.site.secret });
      const approvals = () => postern.site.orders.filter(({ order }) => order === "request.approve").length;
      await page.goto(postern.url + "/requests/41");
      await page.getByLabel("Your words").fill("Agreed by me, Kanarienvogel-4407");
      await page.getByRole("button", { name: "Approve" }).click();
      await page.getByText("What you sent is kept on the server for ten minutes").waitFor();
      assert.ok(!(await page.content()).includes("Kanarienvogel-4407"));
      assert.ok(!page.url().includes("Kanarienvogel-4407"));
      if (javaScriptEnabled) assert.deepEqual(await seriousFindings(page), []);
      if (javaScriptEnabled) await shoot(page, "step-up-phone");
      const asked = approvals();
      const kept = await page.locator("input[name=kept]").first().inputValue();
      await page.getByLabel("Your password").fill("correct horse battery");
      await page.getByLabel("Code from your authenticator app").fill(totp(postern.site.secret));
      await page.getByRole("button", { name: "Go on" }).click();
      await page.waitForURL((url) => !url.pathname.startsWith("/step-up"));
      assert.equal(approvals(), asked + 1);
      assert.equal(postern.site.orders.filter(({ order }) => order === "request.approve").at(-1).args.words, "Agreed by me, Kanarienvogel-4407");
      // Sent again, by the back button: it is not done twice.
      await page.goto(postern.url + "/step-up?next=/requests/41");
      const csrf = await page.locator("input[name=csrf]").first().inputValue();
      const again = await page.request.post(postern.url + "/step-up", {
        headers: { Origin: postern.url }, maxRedirects: 0,
        form: { csrf, path: "/requests/41", kept, "step-password": "correct horse battery", "step-code": totp(postern.site.secret) } });
      assert.equal(again.headers().location, "/requests/41?done=too-late");
      assert.equal(approvals(), asked + 1);
    });
  });
