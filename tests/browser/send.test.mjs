// The page "Send secure", with and without JavaScript: what is written is never lost, and sent once.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern, credentials, totp } from "./postern.mjs";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

const file = { name: "Befund für Zoë.pdf", mimeType: "application/pdf", buffer: Buffer.from([0, 1, 2, 255, 13, 10, 45, 45]) };
const people = "sam@smime.example, Otto <otto@pgp.example>; nora@nothing.example";

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`send secure (${name})`, () => {
    const script = options.javaScriptEnabled !== false;
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const good = async () => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, "nothing sticks out");
      if (script) assert.deepEqual(await seriousFindings(page), []);
    };
    const write = async (text = "Guten Tag,\n\n<b>hier</b> ist der Befund.") => {
      await page.getByLabel("To", { exact: true }).fill(people);
      await page.getByLabel("Subject").fill("Grüße & <Befund>");
      await page.getByLabel("Message", { exact: true }).fill(text);
    };
    const check = () => page.getByRole("button", { name: "Check how it goes out" }).click();
    const send = () => page.getByRole("button", { name: "Send it protected" }).click();

    it("is in the navigation and says by which address one writes", async () => {
      await page.goto(postern.url + "/");
      assert.ok(await page.locator('nav a[href="/send"]').count() > 0);
      await page.goto(postern.url + "/send");
      await page.getByText(postern.site.mail.from).waitFor();
      await good();
      await shoot(page, `send-empty-${name}`);
    });

    it("keeps all, the file too, when an address is wrong", async () => {
      await write();
      await page.getByLabel("To", { exact: true }).fill("sam@smime.example, nobody");
      await page.getByLabel("Attach files").setInputFiles(file);
      await check();
      await page.getByRole("alert").getByText("is no mail address").waitFor();
      assert.equal(await page.getByLabel("Subject").inputValue(), "Grüße & <Befund>");
      assert.equal(await page.getByLabel("Message", { exact: true }).inputValue(), "Guten Tag,\n\n<b>hier</b> ist der Befund.");
      await page.getByLabel("Remove Befund für Zoë.pdf").waitFor();
      await good();
      await shoot(page, `send-refused-${name}`);
    });

    it("shows for each how it goes out before anything is sent", async () => {
      await page.getByLabel("To", { exact: true }).fill(people);
      await check();
      await page.getByRole("heading", { name: "Check and send" }).waitFor();
      for (const [address, protection] of [["sam@smime.example", "S/MIME"], ["otto@pgp.example", "OpenPGP"], ["nora@nothing.example", "Pick-up"]])
        await page.getByRole("row", { name: new RegExp(address + ".*" + protection, "i") }).waitFor();
      assert.deepEqual(postern.site.mail.sent, []);
      await good();
      await shoot(page, `send-check-${name}`);
      await page.getByRole("button", { name: "Change it" }).click();
      await page.getByLabel("Remove Befund für Zoë.pdf").waitFor();
      await check();
    });

    it("loses nothing while listd has trouble, and sends once however often it is tried", async () => {
      postern.site.mailTrouble = ["unavailable", "the store is closed"];
      await send();
      await page.getByRole("alert").getByText("Nothing of what you wrote is lost").waitFor();
      await check();
      await page.getByRole("heading", { name: "Check and send" }).waitFor();
      const fields = await page.evaluate(() => Object.fromEntries(new FormData(document.querySelector('form[action="/send"]'))));
      await send();
      await page.getByRole("heading", { name: "What became of it" }).waitFor();
      const again = await page.context().request.post(postern.url + "/send", { multipart: { ...fields, step: "send" }, headers: { origin: postern.url } });
      assert.match(again.url(), /\/send\/41\?/);
      await good();
      await shoot(page, `send-result-${name}`);
      const [{ args }] = postern.site.mail.sent;
      assert.deepEqual(args.to, ["sam@smime.example", "otto@pgp.example", "nora@nothing.example"]);
      assert.equal(args.subject, "Grüße & <Befund>");
      assert.equal(args.text.replaceAll("\r", ""), "Guten Tag,\n\n<b>hier</b> ist der Befund.");
      assert.deepEqual(args.files, [{ name: file.name, type: file.mimeType, content: file.buffer.toString("base64") }]);
      assert.equal(postern.site.mail.sent.length, 1);
    });

    it("keeps a message whose author must sign in again, for its author alone", async () => {
      await page.goto(postern.url + "/send");
      await page.getByRole("link", { name: "Message 41" }).waitFor();
      await write("Was lange zu schreiben war");
      postern.site.sessions.clear();
      await check();
      const { name: account, password, secret } = credentials(postern);
      await page.getByLabel("Name").fill(account);
      await page.getByLabel("Password").fill(password);
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByLabel("Code from your authenticator app").fill(totp(secret));
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.getByText("Here is what you had written").waitFor();
      assert.equal(await page.getByLabel("Message", { exact: true }).inputValue(), "Was lange zu schreiben war");
      assert.equal(postern.site.mail.sent.length, 1);
      await good();
      await shoot(page, `send-restored-${name}`);
      await page.goto(postern.url + "/send");
      assert.equal(await page.getByLabel("Message", { exact: true }).inputValue(), "");
    });

    it("says before sending what a policy would refuse, and what it lets out only later", async () => {
      postern.site.mail.verdict = (subject) => /Project/.test(subject)
        ? { passed: false, later: false, text: "<sam@smime.example>: projects stay inside the house" }
        : /Tonight/.test(subject) ? { passed: false, later: true, text: "not before eight" } : { passed: true, later: false, text: "" };
      const sent = postern.site.mail.sent.length;
      await page.goto(postern.url + "/send");
      await page.getByLabel("To", { exact: true }).fill("sam@smime.example");
      await page.getByLabel("Subject").fill("Project X");
      await page.getByLabel("Message", { exact: true }).fill("Was lange zu schreiben war");
      await check();
      await page.getByRole("alert").getByText("projects stay inside the house").waitFor();
      assert.equal(await page.getByRole("button", { name: "Send it protected" }).count(), 0);
      await good();
      await shoot(page, `send-policy-${name}`);
      await page.getByRole("button", { name: "Change it" }).click();
      assert.equal(await page.getByLabel("Message", { exact: true }).inputValue(), "Was lange zu schreiben war");
      await page.getByLabel("Subject").fill("Tonight");
      await check();
      await page.getByRole("alert").getByText("Not before eight").waitFor();
      await page.getByRole("button", { name: "Ask again" }).click();
      await page.getByRole("alert").getByText("Not before eight").waitFor();
      postern.site.mail.verdict = undefined;
      await page.getByRole("button", { name: "Ask again" }).click();
      await page.getByRole("button", { name: "Send it protected" }).waitFor();
      assert.equal(await page.getByRole("alert").count(), 0);
      assert.equal(postern.site.mail.sent.length, sent);
    });

    it("offers nothing to send when nobody would get it, and explains a missing address", async () => {
      await page.goto(postern.url + "/send");
      await page.getByLabel("To", { exact: true }).fill("wim@withheld.example");
      await page.getByLabel("Message", { exact: true }).fill("x");
      await check();
      await page.getByText("Nobody would get this message").waitFor();
      assert.equal(await page.getByRole("button", { name: "Send it protected" }).count(), 0);
      postern.site.mail.from = "";
      await page.goto(postern.url + "/send");
      await page.getByRole("heading", { name: "You cannot send from here yet" }).waitFor();
      await good();
      await shoot(page, `send-no-address-${name}`);
    });
  });
