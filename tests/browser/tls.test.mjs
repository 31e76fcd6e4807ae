// The page of domains' TLS, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`TLS of domains (${name})`, () => {
    const script = options.javaScriptEnabled !== false;
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const ask = async (domain) => {
      await page.goto(postern.url + "/tls");
      await page.getByLabel("Domain of recipients").fill(domain);
      await page.getByRole("button", { name: "Ask its mail servers" }).click();
    };
    const finish = async () => {
      for (let i = 0; !script && i < 3; ++i) if (await page.getByText("Look again").count()) await page.getByText("Look again").click();
    };
    const good = async () => { if (script) assert.deepEqual(await seriousFindings(page), []); };

    it("shows how far a probe is, then what each server has, and one sentence", async () => {
      await ask("clinic.example");
      await page.getByText("1 of 2 mail servers were asked.").waitFor();
      await good();
      await finish();
      await page.getByText("Mail to clinic.example can be sent over verified TLS").waitFor();
      await page.getByRole("heading", { name: "mx2.clinic.example" }).waitFor();
      assert.equal(await page.getByText("The policy allows this server.").count(), 2);
      await page.getByText("Supported.").first().waitFor();
      await page.getByText("Example Trust").first().waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, "nothing sticks out");
      await good();
      await shoot(page, `tls-${name}`);
    });

    it("says what is wrong with a domain", async () => {
      await ask("plain.example");
      await finish();
      await page.getByText("cannot be sent over verified TLS").waitFor();
      await page.getByText("Not offered.").waitFor();
      await page.getByText("has no address").waitFor();
      await good();
      await shoot(page, `tls-bad-${name}`);
    });

    it("shows what others report, by day and report, and the record to publish", async () => {
      await page.goto(postern.url + "/tls");
      await page.getByRole("link", { name: "TLS reports" }).click();
      await page.getByRole("heading", { name: "lists.example Sessions failed" }).waitFor();
      await page.getByText("v=TLSRPTv1; rua=mailto:tlsrpt@lists.example").waitFor();
      await good();
      await shoot(page, `tls-reports-${name}`);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "nothing sticks out");
      await page.getByText("The numbers by day").click();
      await page.getByRole("cell", { name: "303" }).first().waitFor();
      await page.getByRole("link", { name: "Clinic" }).click();
      await page.getByText("certificate-expired").waitFor();
      await good();
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "nothing sticks out");
      await shoot(page, `tls-report-${name}`);
    });

    it("says whether we send reports, whom they name, and what to do if not", async () => {
      await page.goto(postern.url + "/tls/reports");
      await page.getByText("Not sent", { exact: true }).waitFor();
      await page.getByText('contact = "postmaster@example.org"').waitFor();
      await page.getByText("tlsrpt@lists.example", { exact: true }).waitFor();
      postern.site.tls.contact = "tls-team@st-elmo.example";
      await page.reload();
      await page.getByText("Sent each day", { exact: true }).waitFor();
      await page.getByText("tls-team@st-elmo.example").waitFor();
      assert.equal(await page.getByText("restart Postern").count(), 0);
      await good();
      await shoot(page, `tls-reports-sent-${name}`);
    });

    it("refuses what is no domain, and keeps what the site says with its reason", async () => {
      await ask("no domain");
      await page.getByRole("alert").getByText("is no domain").waitFor();
      await ask("mail.example");
      await page.getByLabel("Reason").fill("A free mail provider reads along");
      await page.getByRole("button", { name: "TLS does not count" }).click();
      await page.getByText("It is recorded and in force.").waitFor();
      await page.getByRole("cell", { name: "A free mail provider reads along" }).waitFor();
      await good();
      await shoot(page, `tls-marked-${name}`);
    });
  });
