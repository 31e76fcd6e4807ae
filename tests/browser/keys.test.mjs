// The pages about keys: of a list, of members that need a hand, and of a member who comes by a mailed link.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

const board = "board@lists.st-elmo.example";
const day = 86_400_000_000;
const certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

const work = () => ({
  proposals: [
    { list: board, address: "amelia.novak@st-elmo.example", kind: "smime", algorithm: "RSA-3072", fingerprint: "77".repeat(32), subject: "/CN=Amelia Novak", mailboxProven: true, decidable: true },
    { list: board, address: "a-very-long-name-of-somebody-with-two-surnames@clinics.st-elmo.example", kind: "openpgp", algorithm: "Ed25519, Curve25519", fingerprint: "88".repeat(20), subject: "", mailboxProven: false, decidable: true },
    { list: board, address: "shared@st-elmo.example", kind: "smime", algorithm: "P-256", fingerprint: "99".repeat(32), subject: "/CN=Shared", mailboxProven: false, decidable: false },
  ],
  withheld: [{ list: board, address: "jonas.weber@st-elmo.example", reason: "certificate-expired" }],
  ending: [{ list: board, address: "greta.lindqvist@st-elmo.example", kind: "smime", algorithm: "RSA-2048", fingerprint: "66".repeat(32), notAfterAt: Date.now() * 1000 + 9 * day }],
});

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`keys (${name})`, () => {
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const good = async (shot) => {
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "nothing sticks out");
      if (options.javaScriptEnabled !== false) assert.deepEqual(await seriousFindings(page), []);
      await shoot(page, `${shot}-${name}`);
    };

    it("a list: request, certificate of the CA, new keys, former ones, publication", async () => {
      await page.goto(`${postern.url}/lists/${board}`);
      await page.getByRole("link", { name: "Keys", exact: true }).click();
      await page.getByRole("heading", { name: "Keys of the list" }).waitFor();
      await good("list-keys");
      assert.equal(await page.getByRole("button", { name: "Use this certificate" }).count(), 0, "nothing was requested yet");
      await page.getByRole("button", { name: "Make a request" }).click();
      await page.getByLabel("Request for the CA").waitFor();
      await page.getByLabel("or paste the text").fill("no certificate");
      await page.getByRole("button", { name: "Use this certificate" }).click();
      await page.getByRole("alert").getByText("this is no certificate").waitFor();
      await page.getByLabel("What the CA sent").setInputFiles({ name: "list.pem", mimeType: "application/x-pem-file", buffer: Buffer.from(certificate) });
      await page.getByRole("button", { name: "Use this certificate" }).click();
      await page.getByRole("definition").filter({ hasText: "/O=St Elmo/CN=Mail CA" }).first().waitFor();
      await page.getByRole("button", { name: "Make a new OpenPGP key" }).click();
      await page.getByRole("heading", { name: "Former keys" }).waitFor();
      assert.deepEqual(postern.site.listKeys[board].former.map((key) => key.kind), ["smime", "openpgp"]);
      await good("list-keys-former");
      await page.getByRole("button", { name: "Publish the keys" }).click();
      await page.getByText("Anybody can have these keys").waitFor();
    });

    it("anybody sees published keys; a list that publishes none and one that is none look alike", async () => {
      const visitor = await openPage(browser, options);
      await visitor.goto(`${postern.url}/lists/${board}/key`);
      await visitor.getByRole("heading", { name: "Keys of the list" }).waitFor();
      if (options.javaScriptEnabled !== false) assert.deepEqual(await seriousFindings(visitor), []);
      await shoot(visitor, `list-public-key-${name}`);
      assert.match(await (await visitor.request.get(`${postern.url}/lists/${board}/key/certificate`)).text(), /BEGIN CERTIFICATE/);
      postern.site.listKeys[board].published = false;
      const answers = [];
      for (const list of [board, "nobody@lists.st-elmo.example"]) {
        const answer = await visitor.request.get(`${postern.url}/lists/${list}/key`);
        answers.push([answer.status(), (await answer.text()).replaceAll(list, "LIST").replace(/made \d.*? UTC|<time.*?<\/time>|name="csrf" value="[^"]*"|nonce[^ ]*/g, "")]);
      }
      assert.equal(answers[0][0], 404);
      assert.deepEqual(answers[0], answers[1]);
      await visitor.context().close();
    });

    it("keys of members that need a hand: proposals are taken or refused one by one", async () => {
      await page.goto(`${postern.url}/work/keys`);
      await page.getByRole("heading", { name: "Nothing needs a hand" }).waitFor();
      await good("key-work-none");
      postern.site.keyWork = work();
      await page.goto(`${postern.url}/work/keys`);
      await page.getByText("an administrator decides").waitFor();
      await good("key-work");
      await page.getByRole("button", { name: "Use this key" }).first().click();
      await page.getByRole("status").first().waitFor();
      await page.getByRole("button", { name: "Refuse it" }).first().click();
      await page.getByRole("status").first().waitFor();
      assert.deepEqual(postern.site.keyWork.proposals.map((key) => key.address), ["shared@st-elmo.example"]);
    });

    it("a member's page tells what the issuer says of each certificate", async () => {
      const key = postern.site.keys.find((each) => each.state === "confirmed" && each.address.endsWith("st-elmo.example") && postern.site.members.some((m) => m.list === board && m.address === each.address));
      for (const [says, detail, shown] of [["good", "", "Not revoked"], ["revoked", "on 2026-03-01", "Revoked: on 2026-03-01"],
        ["unknown", "the issuer's server did not answer: http://crl.example/with/a/long/path/that/does/not/end/list.crl", "No answer: the issuer's server did not answer"], ["", "", "Not asked yet"]]) {
        Object.assign(key, { issuerSays: says, issuerDetail: detail });
        await page.goto(`${postern.url}/lists/${board}/members/${key.address}`);
        await page.getByText("Issuer says").first().waitFor();
        await page.getByRole("definition").filter({ hasText: shown }).first().waitFor();
        if (says === "unknown") await good("member-issuer-says");
      }
    });

    it("a member without account asks for a link, looks, and gives a key", async () => {
      const member = await openPage(browser, options);
      await member.goto(`${postern.url}/lists/my-keys`);
      await member.getByLabel("Address of the list").fill(board);
      await member.getByLabel("Your mail address").fill("jonas.weber@st-elmo.example");
      await member.getByRole("button", { name: "Send me the link" }).click();
      await member.getByText("a mail with a link is on its way").waitFor();
      await shoot(member, `my-keys-asked-${name}`);
      const key = { kind: "smime", algorithm: "RSA-2048", fingerprint: "44".repeat(32), subject: "/CN=Jonas Weber", standing: "expired", notAfterAt: Date.now() * 1000 - day };
      postern.site.keyLinks.t1 = { address: "jonas.weber@st-elmo.example", purpose: "upload", endsAt: Date.now() * 1000 + 3 * day, candidate: null, keys: [key] };
      await member.goto(`${postern.url}/lists/my-keys/open?token=t1`);
      await member.getByRole("heading", { name: "Give a key" }).waitFor();
      await member.getByText("Expired", { exact: true }).waitFor();
      await member.getByText("This link works once, until").waitFor();
      postern.site.keyLinks.t1.unfit = "the certificate is not for jonas.weber@st-elmo.example; it is for somebody.else@st-elmo.example";
      await member.goto(`${postern.url}/lists/my-keys/open?token=t1`);
      await member.getByRole("alert").getByText("The key that came by mail was not taken: the certificate is not for").waitFor();
      if (options.javaScriptEnabled !== false) assert.deepEqual(await seriousFindings(member), []);
      await shoot(member, `my-keys-unfit-${name}`);
      postern.site.keyLinks.t1.unfit = "";
      await member.goto(`${postern.url}/lists/my-keys/open?token=t1`);
      if (options.javaScriptEnabled !== false) assert.deepEqual(await seriousFindings(member), []);
      await shoot(member, `my-keys-${name}`);
      await member.getByLabel("or paste the text of it").fill("-----BEGIN PRIVATE KEY-----");
      await member.getByRole("button", { name: "Give this key" }).click();
      await member.getByRole("alert").getByText("this is a private key").waitFor();
      await member.getByLabel("File").setInputFiles({ name: "key.pem", mimeType: "application/x-pem-file", buffer: Buffer.from(certificate) });
      await member.getByRole("button", { name: "Give this key" }).click();
      await member.getByRole("heading", { name: "The key is in use" }).waitFor();
      await shoot(member, `my-keys-done-${name}`);
      assert.equal((await member.goto(`${postern.url}/lists/my-keys/open?token=t1`)).status(), 410);
      await member.getByRole("heading", { name: "This link is not valid any more" }).waitFor();
      await member.context().close();
    });

    it("a member is asked whether a key that came by mail is his; opening the page changes nothing", async () => {
      const member = await openPage(browser, options);
      const candidate = { kind: "openpgp", algorithm: "Ed25519, Curve25519", fingerprint: "55".repeat(20), subject: "Jonas", standing: "ok", notAfterAt: null };
      postern.site.keyLinks.t2 = { address: "jonas.weber@st-elmo.example", purpose: "confirm", endsAt: Date.now() * 1000 + 3 * day, candidate, keys: [] };
      for (let i = 0; i < 3; ++i) await member.request.get(`${postern.url}/lists/my-keys/open?token=t2`);
      assert.ok(postern.site.keyLinks.t2);
      await member.goto(`${postern.url}/lists/my-keys/open?token=t2`);
      await member.getByRole("heading", { name: "Is this key yours?" }).waitFor();
      await shoot(member, `my-keys-confirm-${name}`);
      await member.getByRole("button", { name: "Yes, use this key" }).click();
      await member.getByRole("heading", { name: "The key waits" }).waitFor();
      await member.context().close();
    });
  });
