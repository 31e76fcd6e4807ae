// Every screen as a person meets it, in a real Chromium, against a fake listd.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern, totp } from "./postern.mjs";

let browser;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

describe("first set-up", () => {
  let postern, page;
  before(async () => { postern = await startPostern({ account: false, empty: true }); });
  after(() => postern.stop());
  beforeEach(async () => { page = await openPage(browser); });
  afterEach(async () => { assert.deepEqual(page.faults, []); await page.context().close(); });

  const fillSetup = async (password, code) => {
    await page.getByLabel("Name to sign in with").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByLabel("The same password again").fill(password);
    await page.getByLabel("The code that the app shows now").fill(code);
    await page.getByRole("button", { name: "Create the account" }).click();
  };

  it("says what to do when the link is wrong", async () => {
    const answer = await page.goto(postern.url + "/setup?token=guessed");
    assert.equal(answer.status(), 410);
    await page.getByText("postern user setup-link").waitFor();
    await shoot(page, "setup-gone");
  });

  it("shows the rules before a password is typed, and the secret as picture and text", async () => {
    await page.goto(`${postern.url}/setup?token=${postern.site.setupToken}`);
    const rules = await page.locator("#rules").boundingBox();
    const field = await page.getByLabel("Password", { exact: true }).boundingBox();
    assert.ok(rules.y < field.y, "the rules stand above the field");
    const picture = page.getByAltText(/QR code/);
    assert.ok(await picture.evaluate((image) => image.complete && image.naturalWidth > 0), "the QR code is drawn");
    const secret = (await page.locator(".secret").textContent()).replaceAll(" ", "");
    assert.equal(secret, postern.site.setupSecret);
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "setup");
  });

  it("keeps the name and says what is wrong when a password is a common one", async () => {
    await page.goto(`${postern.url}/setup?token=${postern.site.setupToken}`);
    await fillSetup("password1234", totp(postern.site.setupSecret));
    await page.getByRole("alert").getByText("one of the common ones").waitFor();
    assert.equal(await page.getByLabel("Name to sign in with").inputValue(), "ada");
    assert.equal(postern.site.accounts.length, 0);
    await shoot(page, "setup-refused");
  });

  it("creates the account once; the link is dead then and the account signs in", async () => {
    await page.goto(`${postern.url}/setup?token=${postern.site.setupToken}`);
    await fillSetup("a long and private sentence", totp(postern.site.setupSecret));
    await page.getByText("Your account is ready").waitFor();
    assert.equal((await page.goto(`${postern.url}/setup?token=${postern.site.setupToken}`)).status(), 410);
    await signIn(page, postern);
    await page.getByText("There is no list yet").waitFor();
    await shoot(page, "dashboard-empty");
    for (const path of ["/lists", "/posts", "/queue"]) {
      await page.goto(postern.url + path);
      await page.locator(".empty").first().waitFor();
      await shoot(page, path.slice(1) + "-empty");
    }
  });
});

describe("signing in", () => {
  let postern, page;
  before(async () => { postern = await startPostern(); });
  after(() => postern.stop());
  beforeEach(async () => { page = await openPage(browser); });
  afterEach(() => page.context().close());

  it("refuses a wrong password with one text and keeps the name", async () => {
    await page.goto(postern.url + "/lists");
    assert.match(page.url(), /sign-in\?next=%2Flists$/);
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("Name, password or code is not right.").waitFor();
    assert.equal(await page.getByLabel("Name").inputValue(), "ada");
    assert.equal(await page.getByLabel("Password").inputValue(), "");
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "sign-in-refused");
  });

  it("comes back to the page that was asked for, with a new guarded cookie", async () => {
    await page.goto(postern.url + "/lists?kind=secure");
    const before = await page.context().cookies();
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill(postern.site.accounts[0].password);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByLabel("Code from your authenticator app").fill(totp(postern.site.secret));
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.waitForURL(/\/lists\?kind=secure$/);
    const session = (await page.context().cookies()).find(({ name }) => name === "__Host-postern-session");
    assert.ok(session.secure && session.httpOnly && session.sameSite === "Strict" && session.path === "/");
    assert.equal(session.value.length, 43);
    assert.ok(!before.some(({ value }) => value === session.value), "the token is new");
  });

  it("takes no session token that it did not make", async () => {
    const planted = "A".repeat(43);
    await page.context().addCookies([{ name: "__Host-postern-session", value: planted, url: postern.url, secure: true, sameSite: "Strict" }]);
    await signIn(page, postern);
    const session = (await page.context().cookies()).find(({ name }) => name === "__Host-postern-session");
    assert.notEqual(session.value, planted);
  });

  it("signs out for good: neither the back button nor the old cookie shows anything", async () => {
    await signIn(page, postern);
    const cookies = await page.context().cookies();
    await page.goto(postern.url + "/lists");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    await page.goBack();
    await page.waitForURL(/sign-in/);
    await page.context().addCookies(cookies);
    await page.goto(postern.url + "/lists");
    assert.match(page.url(), /sign-in/);
  });

  it("asks a client that guesses to wait", async () => {
    for (let i = 0; i < 11; ++i) {
      await page.goto(postern.url + "/sign-in");
      await page.getByLabel("Name").fill("ada");
      await page.getByLabel("Password").fill("guess " + i);
      await page.getByRole("button", { name: "Continue" }).click();
    }
    await page.getByText("too many attempts").waitFor();
    const asked = postern.site.orders.filter(({ order, args }) => order === "user.authenticate" && args.password.startsWith("guess"));
    assert.ok(asked.length <= 10, "listd is not asked any more");
  });
});

describe("the rooms of the site", () => {
  let postern, page;
  before(async () => {
    postern = await startPostern();
    page = await openPage(browser);
    await signIn(page, postern);
  });
  after(async () => { await page.context().close(); await postern.stop(); });
  afterEach(() => assert.deepEqual(page.faults.splice(0), []));

  const visit = (path) => page.goto(postern.url + path);

  it("dashboard: shows figures, refusals by reason, protection, certificates", async () => {
    await visit("/");
    await page.getByText("Tagged “Secure:” to a list that is not secure").waitFor();
    for (const place of await page.locator('[data-live="plaintext"]').all()) assert.equal(await place.textContent(), "0");
    assert.match(await page.locator("[data-mix]").textContent(), /S\/MIME 41,206.*Plain, on open lists 8,112/s);
    await page.getByText("Server (postern.st-elmo.example)").waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await page.getByText("Live, as of").waitFor();
    await shoot(page, "dashboard");
  });

  it("dashboard: moves by itself while it is looked at", async () => {
    await visit("/");
    const figure = page.locator('[data-live="accepted"]');
    const path = page.locator('[data-series="accepted"]');
    const before = [await figure.textContent(), await path.getAttribute("d")];
    postern.site.acceptedExtra = 40;
    await page.locator('[data-live="accepted"]', { hasText: "1,244" }).waitFor();
    assert.notEqual(await path.getAttribute("d"), before[1]);
    postern.site.acceptedExtra = 0;
  });

  it("dashboard: a problem appears with what to do, plaintext on a secure list cannot be missed", async () => {
    await visit("/");
    postern.site.problems = [{ what: "The disk is 94 % full.", do: "Free space in the data folder; below 64 MB nothing is accepted." }];
    postern.site.plaintextOnSecure = 2;
    await page.getByText("The disk is 94 % full.").waitFor();
    await page.getByText("treat this as an incident").waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "dashboard-problem");
    postern.site.problems = [];
    postern.site.plaintextOnSecure = 0;
  });

  it("lists: kinds in words, filter and sort in the address", async () => {
    await visit("/lists");
    await page.getByRole("link", { name: "board@lists.st-elmo.example" }).first().waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "lists");
    await page.getByLabel("Show").selectOption("open");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.waitForURL(/kind=open/);
    assert.equal(await page.locator("tbody tr").count(), 1);
    assert.match(await page.locator("tbody tr").textContent(), /social@.*Open/s);
  });

  it("lists: a new one is made, a wrong name is refused with the form kept", async () => {
    await visit("/new-list");
    await page.getByLabel("Name, the part before the @").fill("no blanks here");
    await page.getByLabel("Description").fill("Research ethics");
    await page.getByRole("button", { name: "Create the list" }).click();
    await page.getByRole("alert").getByText("is not an address").waitFor();
    assert.equal(await page.getByLabel("Description").inputValue(), "Research ethics");
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "list-new");
    await page.getByLabel("Name, the part before the @").fill("ethics");
    await page.getByRole("button", { name: "Create the list" }).click();
    await page.getByText("The list was created.").waitFor();
    await page.getByText("The list has no members.").waitFor();
    assert.equal(postern.site.lists.at(-1).secure, true, "secure is the default");
    await shoot(page, "list-created");
  });

  it("list page: readiness, settings in words, recent posts without subjects", async () => {
    await visit("/lists/board@lists.st-elmo.example");
    await page.getByText("Why copies are withheld").waitFor();
    await page.locator("dd", { hasText: "Only members may post." }).waitFor();
    assert.equal(await page.getByRole("columnheader", { name: /subject/i }).count(), 0);
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "list");
  });

  it("members: paged, filtered, sorted, with the reason why a copy is withheld", async () => {
    await visit("/lists/tumour-board@lists.st-elmo.example/members");
    await page.getByText("Page 1 of 3").waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "members");
    await page.getByRole("link", { name: "Next" }).click();
    await page.getByText("Page 2 of 3").waitFor();
    await page.getByLabel("Show").selectOption("withheld");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("14 shown of 126").waitFor();
    await page.getByText("The certificate has expired.").first().waitFor();
    await page.getByRole("link", { name: "Key", exact: true }).click();
    await page.waitForURL(/sort=expiry/);
    assert.equal(await page.locator("th[aria-sort]").textContent(), "Key ↑");
    await page.getByLabel("Find").fill("LOMBARDI");
    await page.getByLabel("Show").selectOption("");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("7 shown of 126").waitFor();
  });

  it("members: one is added, gets a certificate and is switched off", async () => {
    await visit("/lists/board@lists.st-elmo.example/members");
    await page.getByLabel("Mail address").fill("ursula.keller@st-elmo.example");
    await page.getByRole("button", { name: "Add the member" }).click();
    await page.getByText("The member was added.").waitFor();
    await page.getByText("A notice without content in place of each post.").waitFor();
    await shoot(page, "member-withheld");

    await page.getByLabel("or paste the text of it").fill("no certificate");
    await page.getByRole("button", { name: "Import the certificate" }).click();
    await page.getByText("This is no certificate.").waitFor();
    await page.getByLabel("File (.pem, .crt, .cer, .asc, .pgp)").setInputFiles({
      name: "ursula.pem", mimeType: "application/x-pem-file",
      buffer: Buffer.from("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
    });
    await page.getByLabel("or paste the text of it").fill("");
    await page.getByRole("button", { name: "Import the certificate" }).click();
    await page.getByText("The key was imported.").waitFor();
    await page.getByText("A protected copy of every post.").waitFor();
    const given = postern.site.orders.filter(({ order }) => order === "key.import").at(-1);
    assert.deepEqual([given.actor.kind, given.actor.name], ["web", "ada"]);
    assert.match(given.args.certificate, /^-----BEGIN CERTIFICATE-----/);
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "member");

    await page.getByLabel("File (.pem, .crt, .cer, .asc, .pgp)").setInputFiles({ name: "u.cer", mimeType: "application/pkix-cert", buffer: Buffer.from([0x30, 0x82, 0, 1, 0]) });
    await page.getByRole("button", { name: "Import the certificate" }).click();
    await page.getByText("The key was imported.").waitFor();
    assert.equal(postern.site.orders.filter(({ order }) => order === "key.import").at(-1).args.certificate, "MIIAAQA=");

    await page.getByRole("button", { name: "Switch delivery off" }).click();
    await page.getByText("Delivery to this member is off.").waitFor();
    await page.getByRole("button", { name: "Switch delivery on" }).click();
    await page.getByText("Delivery to this member is on.").waitFor();
  });

  it("member: a proposed key is confirmed, a key is revoked after a page that says what follows", async () => {
    await visit("/lists/tumour-board@lists.st-elmo.example/members?show=withheld");
    const proposed = postern.site.keys.find(({ state, address }) => state === "proposed" && address.endsWith("@clinics.example"));
    await visit(`/lists/tumour-board@lists.st-elmo.example/members/${proposed.address}`);
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "member-proposed");
    await page.getByRole("button", { name: "Confirm the key" }).click();
    await page.getByText("The key is confirmed.").waitFor();
    assert.equal(proposed.state, "confirmed");
    await page.getByRole("link", { name: "Revoke…" }).click();
    await page.getByRole("heading", { name: "Revoke this key for good?" }).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "key-revoke");
    await page.getByRole("link", { name: "Keep the key" }).click();
    assert.equal(proposed.state, "confirmed", "looking changes nothing");
    await page.getByRole("link", { name: "Revoke…" }).click();
    await page.getByRole("button", { name: "Revoke the key" }).click();
    await page.getByText("The key is revoked.").waitFor();
    assert.equal(proposed.state, "revoked");
    assert.equal(await page.getByRole("link", { name: "Revoke…" }).count(), 0);
    const strange = postern.site.keys.find(({ address }) => address !== proposed.address);
    const answer = await visit(`/lists/tumour-board@lists.st-elmo.example/members/${proposed.address}/key/${strange.fingerprint}/revoke`);
    assert.equal(answer.status(), 404, "a key of somebody else is not acted on here");
  });

  it("member: removed after a page that says what follows", async () => {
    const list = "/lists/social@lists.st-elmo.example";
    const { address } = postern.site.members.find((member) => member.list.startsWith("social@"));
    await visit(`${list}/members/${address}`);
    await page.getByRole("link", { name: "Remove the member…" }).click();
    await page.getByRole("heading", { name: "Remove this member?" }).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "member-remove");
    await page.getByRole("button", { name: "Remove the member" }).click();
    await page.getByText("The member was removed.").waitFor();
    assert.ok(!postern.site.members.some((member) => member.list.startsWith("social@") && member.address === address));
  });

  it("list: settings are changed, a refused change keeps what was typed, closing asks for the address", async () => {
    const path = "/lists/social@lists.st-elmo.example";
    await visit(path);
    await page.getByLabel("Display name, shown in From").fill("Social\tlife");
    await page.getByLabel("Description, for people").fill("Parties and cake");
    await page.getByLabel("Who may post").selectOption("anyone");
    await page.getByLabel("Sensitivity").selectOption("moderate");
    await page.getByLabel("Readers see in From").selectOption("nobody");
    await page.getByLabel("Answers go to").selectOption("list");
    await page.getByLabel("Put in front of subjects").fill("[Social]");
    await page.getByLabel("Text under each post").fill("See you there.\nThe board");
    await shoot(page, "list-settings");
    await page.getByRole("button", { name: "Save the settings" }).click();
    await page.getByRole("alert").getByText("holds a control character.").waitFor();
    assert.equal(await page.getByLabel("Description, for people").inputValue(), "Parties and cake");
    await page.getByLabel("Display name, shown in From").fill("Social life");
    await page.getByRole("button", { name: "Save the settings" }).click();
    await page.getByText("The settings were saved.").waitFor();
    await page.locator("dd", { hasText: "Anyone may post." }).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    const stored = postern.site.lists.find(({ name }) => name === "social");
    assert.deepEqual([stored.displayName, stored.description, stored.class, stored.posting],
      ["Social life", "Parties and cake", "moderate", "anyone"]);
    assert.deepEqual([stored.author, stored.replyTo, stored.subjectPrefix, stored.footer.replaceAll("\r", "")],
      ["nobody", "list", "[Social]", "See you there.\nThe board"]);
    await page.getByRole("link", { name: "Close the list…" }).click();
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "list-close");
    await page.getByLabel(/^Type/).fill("social");
    await page.getByRole("button", { name: "Close the list" }).click();
    await page.getByText("The address did not match.").waitFor();
    assert.equal(stored.state, "open");
    await page.getByLabel(/^Type/).fill("social@lists.st-elmo.example");
    await page.getByRole("button", { name: "Close the list" }).click();
    await page.getByText("The list is closed.").waitFor();
    assert.equal(stored.state, "closed");
    await shoot(page, "list-closed");
  });

  it("help: for everybody, without script, without a word of this site", async () => {
    const stranger = await openPage(browser);
    const answer = await stranger.goto(postern.url + "/help");
    assert.equal(answer.status(), 200);
    assert.doesNotMatch(await answer.text(), /st-elmo|<script|ada/);
    await stranger.getByText(/Last changed on/).waitFor();
    assert.deepEqual(await seriousFindings(stranger), []);
    await shoot(stranger, "help");
    await stranger.context().close();
    await visit("/queue");
    await page.getByRole("contentinfo").getByRole("link", { name: "Help with secure mail" }).click();
    await page.getByRole("heading", { name: "Help with secure mail" }).waitFor();
  });

  it("posts: traced by Message-ID, queue id or post id; an unknown one is explained", async () => {
    const [post] = postern.site.posts;
    for (const id of [post.messageId, post.queueId, post.id]) {
      await visit("/posts");
      await page.getByLabel("Trace a post").fill(id);
      await page.getByRole("button", { name: "Trace" }).click();
      await page.getByRole("heading", { name: "Ledger of a post" }).waitFor();
      assert.match(page.url(), new RegExp(`/posts/${post.id}$`));
    }
    await visit("/posts?q=%3Cnone%40example%3E");
    await page.getByText("There is no post with the id <none@example>.").waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "posts");
  });

  it("ledger: time line, protection and reason of each recipient, attempts with TLS and reply", async () => {
    await visit("/posts/4200");
    await page.getByText("Fan-out planned").waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await page.getByText("2 attempts").click();
    await page.getByText("450 4.2.0 Mailbox busy <script>alert(1)</script>").waitFor();
    await shoot(page, "ledger");
    await page.getByRole("list", { name: "Show" }).getByRole("link", { name: "Withheld" }).click();
    await page.waitForURL(/show=withheld/);
    assert.equal(await page.locator("table.ledger.stack tbody tr").count(), 2);
    await page.getByText("No certificate or key is on file.").waitFor();
  });

  it("queue: copies are held, released and dropped only after the number was typed", async () => {
    await visit("/queue");
    assert.deepEqual(await seriousFindings(page), []);
    await shoot(page, "queue");
    await page.getByRole("button", { name: "Hold no. 9001" }).click();
    await page.getByText("It is held, and stays").waitFor();
    await page.getByRole("button", { name: "Release no. 9001" }).click();
    await page.getByText("It is released.").waitFor();
    await page.getByRole("link", { name: "Drop… no. 9001" }).click();
    await page.getByRole("heading", { name: "Drop a copy for good?" }).waitFor();
    await shoot(page, "queue-drop");
    await page.getByLabel("Why").fill("sent by mistake");
    await page.getByLabel(/Type the number/).fill("1");
    await page.getByRole("button", { name: "Drop the copy" }).click();
    await page.getByText("The number did not match.").waitFor();
    assert.equal(postern.site.queue.length, 3);
    await page.getByLabel(/Type the number/).fill("9001");
    await page.getByRole("button", { name: "Drop the copy" }).click();
    await page.getByText("It was dropped").waitFor();
    assert.equal(postern.site.queue.length, 2);
  });

  it("tables come as CSV", async () => {
    const answer = await page.request.get(postern.url + "/lists/board@lists.st-elmo.example/members.csv");
    assert.match(answer.headers()["content-type"], /^text\/csv/);
    const lines = (await answer.text()).split("\r\n");
    assert.equal(lines[0], '"address","name","role","state","protection","reason","key","key_ends"');
    assert.match(lines[1], /^"amelia.novak@st-elmo.example","Amelia Novak","owner","enabled","smime","valid-certificate","[0-9a-f]{64}"/);
  });

  it("every button and link is large enough for a finger (24 px)", async () => {
    for (const path of ["/", "/lists", "/lists/board@lists.st-elmo.example/members", "/posts", "/queue"]) {
      await visit(path);
      const small = await page.evaluate(() => [...document.querySelectorAll("button, .button, nav a, .segments a, summary, input, select, td a, tbody th a")]
        .map((element) => ({ box: element.getBoundingClientRect(), text: element.textContent.trim() || element.id }))
        .filter(({ box }) => box.width && Math.min(box.width, box.height) < 23.5)
        .map(({ box, text }) => `${text} ${box.width}x${box.height}`));
      assert.deepEqual(small, [], path);
    }
  });

  it("works on a phone and in the dark", async () => {
    const cookies = await page.context().cookies();
    for (const [name, options] of [
      ["phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
      ["dark", { colorScheme: "dark" }],
      ["phone-dark", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, colorScheme: "dark" }],
    ]) {
      const other = await openPage(browser, options);
      await other.context().addCookies(cookies);
      for (const [shot, path] of [["dashboard", "/"], ["lists", "/lists"], ["list", "/lists/board@lists.st-elmo.example"],
        ["members", "/lists/board@lists.st-elmo.example/members"], ["ledger", "/posts/4200"], ["queue", "/queue"]]) {
        await other.goto(postern.url + path);
        const wider = await other.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.equal(wider, 0, `${path} scrolls sideways on ${name}`);
        assert.deepEqual(await seriousFindings(other), [], `${path} on ${name}`);
        await shoot(other, `${shot}-${name}`);
      }
      assert.deepEqual(other.faults, []);
      await other.context().close();
    }
  });

  it("says what to do when listd does not answer, and is there again when it does", async () => {
    postern.site.down = true;
    assert.equal((await visit("/lists")).status(), 503);
    await page.getByText("The list service does not answer").waitFor();
    await page.getByText("Mail that comes in is still accepted").waitFor();
    assert.equal((await page.request.get(postern.url + "/healthz")).status(), 503);
    await shoot(page, "error-503");
    postern.site.down = false;
    assert.equal((await visit("/lists")).status(), 200);
    assert.deepEqual(await (await page.request.get(postern.url + "/healthz")).json(), { status: "ok", listd: "ok" });
  });

  it("has error pages in the same style", async () => {
    assert.equal((await visit("/no-such-page")).status(), 404);
    await page.getByText("There is no such page").waitFor();
    await shoot(page, "error-404");
    assert.equal((await visit("/lists/nobody@lists.st-elmo.example")).status(), 404);
    assert.equal((await visit("/sign-out")).status(), 405);
  });
});

describe("without JavaScript", () => {
  let postern, page;
  before(async () => { postern = await startPostern(); page = await openPage(browser, { javaScriptEnabled: false }); });
  after(async () => { await page.context().close(); await postern.stop(); });

  it("a person signs in, looks, adds a member, imports a key, reads a ledger and signs out", async () => {
    await signIn(page, postern);
    await page.getByText("Numbers as of").waitFor();
    assert.ok((await page.locator('[data-series="accepted"]').getAttribute("d")).length > 100, "the chart is drawn");
    await page.goto(postern.url + "/lists/board@lists.st-elmo.example/members");
    await page.getByLabel("Mail address").fill("vera.blum@st-elmo.example");
    await page.getByRole("button", { name: "Add the member" }).click();
    await page.getByText("The member was added.").waitFor();
    await page.getByLabel("or paste the text of it").fill("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----");
    await page.getByRole("button", { name: "Import the certificate" }).click();
    await page.getByText("The key was imported.").waitFor();
    await page.goto(postern.url + "/posts/4200");
    await page.getByText("Greylisted").first().waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
  });
});
