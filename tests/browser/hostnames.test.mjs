// The pages of the server's other names, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

const now = Date.now() * 1000, hour = 3600e6, day = 24 * hour;
const name = (fields) => ({ state: "in-use", retires: "", afterwards: "warn", addresses: [], hasCertificate: true, certificateEndsAt: now + 60 * day,
  certificateProblem: "", lastUseAt: 0, sessions: 0, messages: 0, refused: 0, networks: [], days: [], ...fields });
const names = [
  name({ name: "mail-old.st-elmo.example", state: "refused", retires: "2026-03-31", afterwards: "refuse", addresses: ["192.0.2.9", "2001:db8::9"], lastUseAt: now - hour,
    sessions: 1234, messages: 987, refused: 12, networks: [{ network: "198.51.100.0/24", lastUseAt: now - hour, sessions: 1200, messages: 980 },
      { network: "2001:db8:aaaa:bbbb::/64", lastUseAt: now - 3 * day, sessions: 34, messages: 7 }],
    days: [{ day: "2026-04-02", sessions: 20, messages: 0, refused: 12 }, { day: "2026-03-30", sessions: 1214, messages: 987, refused: 0 }] }),
  name({ name: "broken.st-elmo.example", certificateProblem: "cannot load the TLS certificate names/broken.pem" }),
  name({ name: "quiet.st-elmo.example", state: "retiring", retires: "2027-01-31", hasCertificate: false, certificateEndsAt: 0 }),
];

for (const [kind, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`server names (${kind})`, () => {
    const script = options.javaScriptEnabled !== false;
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const good = async () => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, "nothing sticks out");
      if (script) assert.deepEqual(await seriousFindings(page), []);
    };

    it("is one step from the dashboard and says what another name is for", async () => {
      await page.goto(postern.url + "/");
      assert.ok(await page.locator('nav a[href="/hostnames"]').count() > 0);
      await page.goto(postern.url + "/hostnames");
      await page.getByRole("heading", { name: "One name" }).waitFor();
      await good();
    });

    it("shows each name, its end, and who still uses it", async () => {
      postern.site.hostnames.push(...names);
      await page.goto(postern.url + "/hostnames");
      await page.getByText("retired since 2026-03-31; mail over it is refused").waitFor();
      await page.getByText("cannot load the TLS certificate names/broken.pem").waitFor();
      await page.getByText("will be retired on 2027-01-31").waitFor();
      await good();
      await shoot(page, `hostnames-${kind}`);
      await page.getByRole("link", { name: "mail-old.st-elmo.example" }).click();
      await page.getByRole("rowheader", { name: "198.51.100.0/24" }).waitFor();
      await page.getByRole("rowheader", { name: "2026-04-02" }).waitFor();
      await page.getByText("192.0.2.9, 2001:db8::9").waitFor();
      await good();
      await shoot(page, `hostname-${kind}`);
      await page.goto(postern.url + "/hostnames/quiet.st-elmo.example");
      await page.getByRole("heading", { name: "Nobody has come by this name" }).waitFor();
      await good();
    });
  });
