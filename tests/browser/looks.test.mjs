// What holds for every page: two clicks from the dashboard, names for those who hear the page, large text, the keyboard
// alone, and a draft that outlives the time limit.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, signIn, startBrowser, startPostern } from "./postern.mjs";

let browser, postern;
before(async () => { [browser, postern] = await Promise.all([startBrowser(), startPostern()]); });
after(async () => { await browser?.close(); await postern?.stop(); });

const person = async (name, options = {}) => {
  const page = await openPage(browser, { viewport: { width: 1280, height: 860 }, ...options });
  await signIn(page, postern, { name, password: "correct horse battery", secret: postern.site.secret });
  return page;
};
const linksOf = (page) => page.locator("a[href^='/']").evaluateAll((links) => links.map((link) => link.getAttribute("href").split("#")[0]));
const isPage = (path) => !/\.(csv|zip|jsonl|json)\b|\/text$|^\/static|\/file$|\/download/.test(path);

// Every page within two clicks of the dashboard, by path.
const walk = async (page, look) => {
  const asked = new Set(), seen = new Set();
  let level = ["/"];
  for (let clicks = 0; clicks <= 2; ++clicks) {
    const next = new Set();
    for (const path of level) {
      const plain = path.split("?")[0];
      if (asked.has(plain) || !isPage(path)) continue;
      asked.add(plain);
      const answer = await page.goto(postern.url + path).catch(() => null);  // a download is no page
      if (!answer) continue;
      assert.notEqual(answer.status(), 403, `a link of this role leads to ${path}, which it may not see`);
      if (answer.status() !== 200) continue;  // what the fake does not know
      seen.add(plain);
      await look?.(plain);
      for (const link of await linksOf(page)) next.add(link);
    }
    level = [...next];
  }
  return seen;
};

describe("two clicks from the dashboard", () => {
  const screens = {
    ada: { dashboard: "/", lists: "/lists", trace: /^\/posts\/\d+$/, queue: "/queue", retention: "/retention", work: "/work" },
    olga: { dashboard: "/", lists: "/lists", rules: "/retention", whatIf: "/retention/what-if", matters: "/matters", matter: /^\/matters\/\d+$/, holds: "/holds",
      work: "/work", search: "/search", exports: "/exports", message: "/messages" },
    paul: { dashboard: "/", work: "/work", request: /^\/requests\/\d+$/, review: "/access-review" },
    kim: { dashboard: "/", keys: "/keys", send: "/send", hops: "/hops", jobs: "/jobs", account: "/account" },
    hal: { dashboard: "/", lists: "/lists", trace: /^\/posts\/\d+$/, pickup: "/waiting", queue: "/queue", messages: "/messages", sessions: "/sessions", tls: "/tls" },
    owen: { dashboard: "/", lists: "/lists", list: /^\/lists\/[^/]+$/, pickup: "/waiting", trace: /^\/posts\/\d+$/, tls: "/tls", send: "/send", hops: "/hops", keyWork: "/work/keys" },
    uma: { dashboard: "/", audit: "/audit", entry: /^\/audit\/\d+$/, reports: "/reports", report: /^\/reports\/encryption$/ },
  };
  for (const [name, wanted] of Object.entries(screens))
    it(`${name} reaches ${Object.keys(wanted).join(", ")}; each page has one heading, a title, names for all it asks`, async () => {
      const page = await person(name);
      const titles = new Map();
      const seen = await walk(page, async (path) => {
        const found = await page.evaluate(() => ({
          title: document.title, headings: document.querySelectorAll("h1").length,
          nameless: [...document.querySelectorAll("main :is(input, select, textarea):not([type=hidden])")]
            .filter((field) => !field.labels?.length && !field.getAttribute("aria-label") && !field.getAttribute("aria-labelledby")).map((field) => field.outerHTML.slice(0, 100)),
          silent: [...document.querySelectorAll("a[href], button")].filter((one) => !one.innerText.trim() && !one.textContent.trim() && !one.getAttribute("aria-label") && !one.querySelector("img[alt]:not([alt=''])"))
            .map((one) => one.outerHTML.slice(0, 100)),
          bare: document.querySelectorAll("table:not(:has(th[scope]))").length,
        }));
        assert.equal(found.headings, 1, `${path}: ${found.headings} h1`);
        assert.deepEqual(found.nameless, [], path);
        assert.deepEqual(found.silent, [], path);
        assert.equal(found.bare, 0, `${path}: a table without heads`);
        assert.match(found.title, /\S.* · Postern$/, path);
        if (!/\d|@/.test(path)) {
          assert.equal(titles.get(found.title), undefined, `${path} and ${titles.get(found.title)} are both called ${found.title}`);
          titles.set(found.title, path);
        }
      });
      for (const [screen, path] of Object.entries(wanted))
        assert.ok([...seen].some((one) => (path instanceof RegExp ? path.test(one) : one === path)), `${screen}: not among ${[...seen].join(" ")}`);
      await page.context().close();
    });
});

describe("large text", () => {
  it("at 200 % nothing scrolls sideways", async () => {
    const page = await person("olga", { viewport: { width: 640, height: 430 }, deviceScaleFactor: 2 });
    for (const path of ["/", "/retention", "/retention/what-if", "/matters/7", "/matters/7/hold", "/work", "/requests/41", "/search", "/exports", "/messages/4711", "/reports", "/retention/rules/5/edit"]) {
      await page.goto(postern.url + path);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(over <= 0, `${path}: ${over} px wider than the window`);
    }
    await page.context().close();
  });
});

describe("the keyboard alone", () => {
  it("places a hold, with the focus always to be seen", async () => {
    const page = await person("olga");
    await page.goto(postern.url + "/matters/7");
    const tabTo = async (label) => {
      for (let i = 0; i < 80; ++i) {
        await page.keyboard.press("Tab");
        const at = await page.evaluate(() => {
          const one = document.activeElement, box = one.getBoundingClientRect();
          return { text: (one.labels?.[0]?.textContent ?? one.textContent).trim(), visible: box.bottom > 0 && box.top < innerHeight,
            outline: getComputedStyle(one).outlineStyle };
        });
        if (!at.text.startsWith(label)) continue;
        assert.ok(at.visible, `${label} has the focus out of sight`);
        assert.notEqual(at.outline, "none", `${label} does not show its focus`);
        return;
      }
      assert.fail(`no way by Tab to ${label}`);
    };
    await tabTo("Place a hold");
    await page.keyboard.press("Enter");
    await page.getByLabel("Name of the hold").waitFor();
    await tabTo("Name of the hold");
    await page.keyboard.type("By keyboard");
    await tabTo("Lists");
    await page.keyboard.type("board@lists.st-elmo.example");
    for (const [button, then] of [["Next: see what it hits", "Next: who is told"], ["Next: who is told", "Next: look at it once more"],
      ["Next: look at it once more", "Place the hold"]]) {
      await tabTo(button);
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: then }).waitFor();
    }
    await tabTo("Place the hold");
    await page.keyboard.press("Enter");
    await page.getByText("The hold is in force").waitFor();
    assert.deepEqual(postern.site.orders.filter(({ order }) => order === "hold.place").at(-1).args.scope, { lists: ["board@lists.st-elmo.example"] });
    await page.context().close();
  });
});

describe("before the time limit", () => {
  it("two minutes ahead it warns and extends; a draft is offered again after the end", async () => {
    const page = await person("olga");
    await page.clock.install();
    await page.goto(postern.url + "/matters/7");
    const limit = Number(await page.locator("body").getAttribute("data-idle-seconds"));
    assert.ok(limit >= 300, `a limit of ${limit} s`);
    await page.getByLabel("New note").fill("Half a thought");
    await page.clock.fastForward((limit - 125) * 1000);
    assert.ok(await page.locator("#idle").isHidden(), "not earlier than two minutes before");
    await page.clock.fastForward(10_000);
    await page.locator("#idle").waitFor({ state: "visible" });
    await page.locator("[data-idle-stay]").click();
    await page.locator("#idle").waitFor({ state: "hidden" });
    assert.equal(await page.getByLabel("New note").inputValue(), "Half a thought", "staying loses nothing");
    await page.context().clearCookies();
    await page.clock.fastForward((limit + 10) * 1000);
    await page.waitForURL(/sign-in/);
    await page.clock.resume();
    await signIn(page, postern, { name: "olga", password: "correct horse battery", secret: postern.site.secret });
    await page.goto(postern.url + "/matters/7");
    await page.getByRole("button", { name: "Put it back" }).click();
    assert.equal(await page.getByLabel("New note").inputValue(), "Half a thought");
    await page.context().close();
  });
});
