// The pages of the queue, of a copy and a message in it, and of destinations, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`queue (${name})`, () => {
    const script = options.javaScriptEnabled !== false;
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const visit = (path) => page.goto(postern.url + path);
    const press = (label) => page.getByRole("button", { name: label }).click();
    const good = async () => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, "nothing sticks out");
      const small = await page.evaluate(() => [...document.querySelectorAll("main button, main .button, main input:not([type=hidden]), main select, main td a, main tbody th a")]
        .map((element) => ({ box: element.getBoundingClientRect(), text: element.textContent.trim() || element.id }))
        .filter(({ box }) => box.width && Math.min(box.width, box.height) < 23.5).map(({ text }) => text));
      assert.deepEqual(small, []);
      if (script) assert.deepEqual(await seriousFindings(page), []);
    };

    it("filters by destination, list, state and age, and says so when nothing fits", async () => {
      await visit("/queue");
      assert.equal(await page.locator("tbody tr").count(), 3);
      await good();
      await shoot(page, `queue-list-${name}`);
      await page.getByLabel("State").selectOption("held");
      await press("Apply");
      assert.equal(await page.locator("tbody tr").count(), 1);
      await visit("/queue?destination=nowhere.example");
      await page.getByRole("heading", { name: "No copy fits" }).waitFor();
      await good();
      await visit("/queue?olderThan=soon");
      await page.getByRole("alert").getByText("is no length of time").waitFor();
      await good();
    });

    it("shows one copy with its attempts, and acts on it", async () => {
      await visit("/queue");
      await page.locator("tbody th a").first().click();
      await page.getByRole("heading", { name: /Copy 9001/ }).waitFor();
      await page.getByRole("cell", { name: /451 4.7.1 Greylisted/ }).waitFor();
      await good();
      await shoot(page, `queue-copy-${name}`);
      await press("Hold");
      await page.getByText("It is held, and stays").waitFor();
      assert.equal(postern.site.queue[0].state, "held");
      await press("Release");
      await page.getByText("It is released.").waitFor();
      await page.getByLabel(/Host, with a port/).fill("not a host");
      await press("Send it there");
      await page.getByRole("alert").getByText("is not the name or the address of a host").waitFor();
      assert.equal(await page.getByLabel(/Host, with a port/).inputValue(), "not a host");
      await page.getByLabel(/Host, with a port/).fill("mx2.st-elmo.example");
      await press("Send it there");
      await page.getByText("It is on its new way.").waitFor();
      assert.equal(postern.site.queue[0].via, "mx2.st-elmo.example:25");
      await good();
      await shoot(page, `queue-rerouted-${name}`);
      await press("Its own way again");
      assert.equal(postern.site.queue[0].via, "");
    });

    it("warns where verified TLS alone protects a copy", async () => {
      await visit("/queue/9002");
      await page.getByText("Verified TLS alone protects it").waitFor();
      await good();
    });

    it("shows a message with its copies, and drops them only with a reason and proof", async () => {
      await visit("/queue/" + TRACE);
      assert.equal(await page.locator("tbody tr").count(), 2);
      await good();
      await shoot(page, `queue-message-${name}`);
      await page.getByRole("link", { name: "Drop all…" }).click();
      await page.getByRole("heading", { name: "Drop all copies of this message for good?" }).waitFor();
      await good();
      await shoot(page, `queue-drop-message-${name}`);
      await page.getByLabel("Why").fill("sent by mistake");
      await page.getByLabel(/Type the beginning/).fill("0af7");
      await press("Drop all copies");
      await page.getByRole("alert").getByText("did not match").waitFor();
      assert.equal(postern.site.queue.length, 3);
      await page.getByLabel(/Type the beginning/).fill(TRACE.slice(0, 8));
      await press("Drop all copies");
      await page.getByText("It was dropped").waitFor();
      assert.deepEqual(postern.site.dropped, { reason: "sent by mistake", count: 2 });
      await visit("/queue/9001");
      await page.getByText("is not in the queue").waitFor();
    });

    it("pauses all mail and says so until it goes on", async () => {
      await visit("/queue");
      await press("Pause all mail");
      await page.getByText("All mail is paused").waitFor();
      await good();
      await shoot(page, `queue-paused-${name}`);
      await press("Resume");
      await page.getByText("Mail is sent again.").waitFor();
      assert.deepEqual(postern.site.destinations, []);
    });

    it("sets how fast mail goes to a destination, and keeps what was typed when it is refused", async () => {
      await visit("/destinations");
      await page.getByRole("heading", { name: "Nothing is set" }).waitFor();
      await good();
      await shoot(page, `destinations-none-${name}`);
      await page.getByRole("link", { name: "Set how fast mail goes to st-elmo.example" }).click();
      assert.equal(await page.getByLabel(/Domain, or the host/).inputValue(), "st-elmo.example");
      await page.getByLabel("Connections at the same time").fill("4");
      await page.getByLabel("Messages a minute").fill("60");
      await page.getByLabel("Pauses between tries").fill("5m, soon");
      await press("Set");
      await page.getByRole("alert").getByText("is no length of time").waitFor();
      assert.equal(await page.getByLabel("Messages a minute").inputValue(), "60");
      await page.getByLabel("Pauses between tries").fill("5m, 15m, 1h");
      await press("Set");
      await page.getByText("The settings are in force.").waitFor();
      const [set] = postern.site.destinations;
      assert.deepEqual([set.connections, set.perMinute, set.retry], [4, 60, ["5m", "15m", "1h"]]);
      await good();
      await shoot(page, `destinations-${name}`);
      await page.getByRole("link", { name: "Change what is set for st-elmo.example" }).click();
      assert.equal(await page.getByLabel("Pauses between tries").inputValue(), "5m, 15m, 1h");
      await press("Pause mail to st-elmo.example");
      await page.getByText("Nothing is sent there until you resume.").waitFor();
      await good();
      await press("Take away what is set for st-elmo.example");
      await page.getByText("The destination is as usual again.").waitFor();
      assert.equal(postern.site.destinations[0].paused, true, "a pause ends by its own order");
      await page.getByRole("button", { name: "Resume mail to st-elmo.example", exact: true }).click();
      await page.getByText("Mail is sent there again.").waitFor();
    });
  });
