// Joining and leaving lists, for everybody and for owners, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CLICK, CONFIRM, MEMBER, REFUSED } from "./fake-subscription.mjs";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern } from "./postern.mjs";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`joining and leaving (${name})`, () => {
    const script = options.javaScriptEnabled !== false;
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const state = () => postern.site.subscription;
    const good = async (shot) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, "nothing sticks out");
      if (script) assert.deepEqual(await seriousFindings(page), []);
      await shoot(page, `subscription-${shot}-${name}`);
    };

    it("shows lists to everybody only when their owners want it", async () => {
      await page.goto(postern.url + "/lists/");
      await page.getByText("No list is shown to everybody").waitFor();
      await good("lists-none");
      state().rules.advertised = true;
      await page.reload();
      await page.getByRole("link", { name: "Ward rounds" }).click();
      await page.getByRole("heading", { name: "Join", exact: true }).waitFor();
      await good("list");
    });

    it("takes a request without an account and says the same to all", async () => {
      await page.getByLabel("Your mail address").first().fill("ann@members.example");
      await page.getByRole("button", { name: "Ask to join" }).click();
      await page.getByRole("status").getByText("a mail is on its way").waitFor();
      assert.equal(state().asked.at(-1).action, "join");
      await good("asked");
    });

    it("changes nothing by looking and acts by the button, once", async () => {
      for (let i = 0; i < 3; ++i) await page.goto(`${postern.url}/lists/confirm?token=${CONFIRM}`);
      assert.equal(state().used.size, 0);
      await good("confirm");
      await page.getByRole("button", { name: "Join the list" }).click();
      await page.getByText("decide now").waitFor();
      await good("confirmed");
      await page.goto(`${postern.url}/lists/confirm?token=${"z".repeat(24)}`);
      await page.getByRole("heading", { name: "This link is over" }).waitFor();
      await page.goto(`${postern.url}/lists/confirm?token=${REFUSED}`);
      await page.getByText("This list is for the wards alone.").waitFor();
      await good("refused");
    });

    it("tells who joins a secure list without a key what is missing", async () => {
      state().joins = true;
      state().used.delete(CONFIRM);
      await page.goto(`${postern.url}/lists/confirm?token=${CONFIRM}`);
      await page.getByRole("button", { name: "Join the list" }).click();
      await page.getByText("One step more").waitFor();
      await good("needs-key");
      delete state().joins;
    });

    it("leaves by one click of a mail program, and by a button of the page alone", async () => {
      const url = `${postern.url}/lists/unsubscribe?token=${CLICK}`;
      await page.goto(url);
      await page.getByRole("heading", { name: "Leave this list?" }).waitFor();
      await good("leave");
      assert.equal(state().used.has(CLICK), false);
      const forged = await page.context().request.post(url, { form: { token: CLICK } });
      assert.equal(forged.status(), 403);
      const clicked = await page.context().request.post(url, { form: { "List-Unsubscribe": "One-Click" }, maxRedirects: 0 });
      assert.equal(clicked.status(), 200);
      assert.equal(state().used.has(CLICK), true);
    });

    it("lets members set what they get", async () => {
      await page.goto(`${postern.url}/lists/membership?token=${MEMBER}`);
      await page.getByLabel("You get").selectOption("none");
      await page.getByLabel("From").fill("2031-07-01");
      await page.getByLabel("Up to and with").fill("2031-07-14");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Your settings were saved").waitFor();
      assert.equal(await page.getByLabel("Up to and with").inputValue(), "2031-07-14", "what was set need not be typed again");
      assert.equal(state().own.delivery, "none");
      assert.equal(state().own.pausedUntil - state().own.pausedFrom, 14 * 24 * 3600 * 1e6);
      await good("membership");
      await page.getByLabel("New mail address").fill("ann@members.example.net");
      await page.getByRole("button", { name: "Change the address" }).click();
      await page.getByText("a mail is on its way to both addresses").waitFor();
    });

    it("shows owners who waits, and decides about many at once", async () => {
      await signIn(page, postern);
      assert.ok(await page.locator('nav a[href="/subscriptions"]').count() > 0);
      await page.goto(postern.url + "/subscriptions");
      await page.getByRole("heading", { name: "Nobody waits" }).waitFor();
      await good("none");
      state().requests = ["bea", "cem", "dan"].map((who, i) => ({ id: String(i + 7), list: "ward-rounds@lists.st-elmo.example",
        action: who === "dan" ? "leave" : "join", address: `${who}@members.example`, name: who === "bea" ? "Bea <b>Bold</b>" : "",
        origin: "web", state: "waiting", madeAt: Date.now() * 1000, endsAt: Date.now() * 1000 + 1e13 }));
      await page.reload();
      await page.getByRole("rowheader", { name: /bea@members/ }).waitFor();
      await good("waiting");
      await page.getByRole("button", { name: "Grant the chosen" }).click();
      await page.getByRole("alert").getByText("Nobody was chosen").waitFor();
      for (const who of ["bea", "dan"]) await page.getByRole("checkbox", { name: `Choose ${who}@` }).check();
      await page.getByLabel(/Reason, told/).fill("Only for the wards.");
      await page.getByRole("button", { name: "Refuse the chosen" }).click();
      await page.getByText("The requests were refused").waitFor();
      assert.deepEqual(state().decided, { ids: ["7", "9"], decision: "refuse", reason: "Only for the wards." });
    });

    it("sets the rules of a list, invites and shuts out", async () => {
      const list = Object.values(postern.site.lists)[0].address;
      await page.goto(`${postern.url}/lists/${encodeURIComponent(list)}/subscription`);
      await page.getByLabel("Who may join").selectOption("invitation");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("The settings were saved").waitFor();
      assert.equal(state().rules.joining, "invitation");
      await page.getByLabel("Mail address").fill("eva@members.example");
      await page.getByRole("button", { name: "Invite" }).click();
      await page.getByText("The invitation is on its way").waitFor();
      await page.getByLabel(/Address, @domain/).fill("*@*");
      await page.getByRole("button", { name: "Shut out" }).click();
      await page.getByRole("alert").getByText("no pattern").waitFor();
      await page.getByLabel(/Address, @domain/).fill("@spam.example");
      await page.getByLabel("Reason, for owners").fill("Sells things");
      await page.getByRole("button", { name: "Shut out" }).click();
      await page.getByRole("rowheader", { name: "@spam.example" }).waitFor();
      await good("rules");
      await page.getByRole("button", { name: "Take back @spam.example" }).click();
      await page.getByText("The ban was taken back").waitFor();
    });

    it("shows who is signed in their own lists", async () => {
      await page.goto(postern.url + "/account/lists");
      await page.getByText("Not on it").waitFor();
      await good("own-lists");
      await page.getByRole("button", { name: "Settings of ward-rounds" }).click();
      await page.getByText("Your membership").first().waitFor();
      await page.goto(postern.url + "/account/lists");
      await page.getByRole("button", { name: "Join news" }).click();
      await page.getByRole("heading", { name: /list/ }).first().waitFor();
    });

    it("takes members from a directory, and asks before many would go", async () => {
      state().source = { list: "board@lists.st-elmo.example", directory: "people", base: "dc=st-elmo,dc=example", filter: "(memberOf=cn=board,ou=groups,dc=st-elmo,dc=example)",
        only: "@st-elmo.example", everyHours: 24, checkedAt: Date.now() * 1000, state: "stopped",
        outcome: "4 of 13 members would go, which is more than 20 %; nothing was changed" };
      await page.goto(postern.url + "/lists/board%40lists.st-elmo.example/subscription");
      await page.getByText("4 of 13 members would go").waitFor();
      await page.getByRole("button", { name: "Take the members now" }).click();
      await page.getByText("nothing was changed").first().waitFor();
      await page.getByRole("button", { name: "Show what would happen" }).click();
      await page.getByText("2 addresses would be added").waitFor();
      await good("source");
      await page.getByLabel("Take off 4 members").check();
      await page.getByRole("button", { name: "Take the members now" }).click();
      await page.getByText("The members were taken from the directory.").waitFor();
      await page.getByText("2 added, 4 removed").waitFor();
      delete state().source;
    });

    it("shows what an import would do before it does it", async () => {
      const list = Object.values(postern.site.lists)[0].address;
      await page.goto(`${postern.url}/lists/${encodeURIComponent(list)}/members/import`);
      await page.getByLabel("or its lines").fill("fay@members.example,Fay\nnobody\n");
      await page.getByRole("button", { name: "Show what would happen" }).click();
      await page.getByRole("heading", { name: "What would happen" }).waitFor();
      await page.getByText("Bad address").waitFor();
      await good("import");
      await page.getByRole("button", { name: "Import", exact: true }).click();
      await page.getByRole("heading", { name: "What happened" }).waitFor();
    });
  });
