// The pages of LDAP directories and of trusted authorities, with and without JavaScript.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, seriousFindings, shoot, signIn, startBrowser, startPostern, totp } from "./postern.mjs";

const certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

let browser, postern, page;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

for (const [name, options] of [["desk", { viewport: { width: 1280, height: 860 } }], ["phone", { viewport: { width: 390, height: 844 } }],
  ["plain", { viewport: { width: 1280, height: 860 }, javaScriptEnabled: false }]])
  describe(`key sources (${name})`, () => {
    before(async () => { postern = await startPostern(); page = await openPage(browser, options); await signIn(page, postern); });
    after(async () => { assert.deepEqual(page.faults, []); await page.context().close(); await postern.stop(); });

    const good = async (shot) => {
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "nothing sticks out");
      if (options.javaScriptEnabled !== false) assert.deepEqual(await seriousFindings(page), []);
      await shoot(page, `${shot}-${name}`);
    };

    it("both pages are two clicks from the dashboard", async () => {
      await page.goto(postern.url + "/");
      if (name !== "phone") await page.getByRole("link", { name: "Key sources" }).click();
      else await page.goto(postern.url + "/directories");
      await page.getByRole("heading", { name: "No directories" }).waitFor();
      await good("directories-none");
      await page.getByRole("link", { name: "Trusted authorities" }).click();
      await page.getByRole("heading", { name: "No authorities" }).waitFor();
      await good("authorities-none");
    });

    it("refuses what is no directory, keeps what was typed, and never shows a password again", async () => {
      await page.goto(postern.url + "/directories");
      await page.getByLabel("Name", { exact: true }).fill("people");
      await page.getByLabel("Server").fill("http://ldap.st-elmo.example");
      await page.getByLabel("Domains whose people it knows").fill("st-elmo.example, clinics.example");
      await page.getByText("Search, name and TLS").click();
      await page.getByLabel("Name to ask as").fill("cn=postern,dc=st-elmo,dc=example");
      await page.getByLabel("Password of that name").fill("open sesame");
      await page.getByRole("button", { name: "Add the directory" }).click();
      await page.getByRole("alert").getByText("is no address of a directory").waitFor();
      assert.equal(await page.getByLabel("Domains whose people it knows").inputValue(), "st-elmo.example, clinics.example");
      assert.equal((await page.content()).includes("open sesame"), false);
      assert.deepEqual(postern.site.directories, []);
    });

    it("adds a directory after the person proved again who they are", async () => {
      postern.site.asksAgain = true;
      await page.getByLabel("Server").fill("ldaps://ldap.st-elmo.example");
      const more = page.getByLabel("Password of that name");
      if (!await more.isVisible()) await page.getByText("Search, name and TLS").click();
      await more.fill("open sesame");
      await page.getByLabel("Use its keys at once").check();
      await page.getByRole("button", { name: "Add the directory" }).click();
      await page.getByRole("heading", { name: "Prove again that it is you" }).waitFor();
      await page.getByLabel("Your password").fill(postern.site.accounts[0].password);
      await page.getByLabel("Code from your authenticator app").fill(totp(postern.site.secret));
      await page.getByRole("button", { name: "Go on" }).click();
      await page.getByText("The directory was saved.").waitFor();
      await page.getByText("Not asked yet").waitFor();
      const [made] = postern.site.directories;
      assert.deepEqual([made.name, made.secret, made.authoritative, made.domains], ["people", "open sesame", true, ["st-elmo.example", "clinics.example"]]);
    });

    it("says in words what it answered last and what went wrong last", async () => {
      const hour = 3_600_000_000, now = Date.now() * 1000;
      Object.assign(postern.site.directories[0], { answeredAt: now - 5 * hour, answer: "no entry fits", failedAt: now - hour, failure: "the directory does not answer within 10 seconds" });
      postern.site.directories.push({ ...postern.site.directories[0], name: "clinics", authoritative: false, bindName: "", failedAt: now - 30 * hour });
      await page.goto(postern.url + "/directories");
      const people = page.getByRole("region", { name: "Directory people" });
      await people.getByText("Does not answer", { exact: true }).waitFor();
      await people.getByText("No entry fits.").waitFor();
      await people.getByText("The directory does not answer within 10 seconds.").waitFor();
      await page.getByRole("region", { name: "Directory clinics" }).getByText("Answers", { exact: true }).waitFor();
      await good("directories");
    });

    it("tests one for an address and tells what came of it", async () => {
      await page.getByLabel("Directory", { exact: true }).selectOption("people");
      await page.getByLabel("Address to ask for").fill("ann@st-elmo.example");
      await page.getByRole("button", { name: "Ask it now" }).click();
      await page.getByRole("heading", { name: "What people says of ann@st-elmo.example" }).waitFor();
      await page.getByText("1 key found that can be used; another cannot").waitFor();
      await good("directories-tested");
    });

    it("changes one, with its settings in the form, and removes it after asking", async () => {
      await page.goto(postern.url + "/directories");
      await page.getByRole("link", { name: "Change clinics" }).click();
      await page.getByRole("heading", { name: "Change clinics" }).waitFor();
      assert.equal(await page.getByLabel("Server").inputValue(), "ldaps://ldap.st-elmo.example");
      await page.getByLabel("Where the search begins").fill("ou=people,dc=clinics,dc=example");
      await good("directory-change");
      await page.getByRole("button", { name: "Save the directory" }).click();
      await page.getByText("The directory was saved.").waitFor();
      assert.equal(postern.site.directories.find((one) => one.name === "clinics").base, "ou=people,dc=clinics,dc=example");
      await page.getByRole("link", { name: "Remove clinics" }).click();
      await page.getByRole("heading", { name: "Remove this directory?" }).waitFor();
      await good("directory-remove");
      await page.getByRole("button", { name: "Remove the directory" }).click();
      await page.getByText("The directory was removed.").waitFor();
      assert.deepEqual(postern.site.directories.map((one) => one.name), ["people"]);
    });

    it("trusts an authority only after telling what that changes", async () => {
      await page.goto(postern.url + "/authorities");
      await page.getByLabel("or paste the text of it").fill("nothing");
      await page.getByRole("button", { name: "See what it would change" }).click();
      await page.getByRole("alert").getByText("This is no certificate").waitFor();
      await page.getByLabel("Certificate of the authority").setInputFiles({ name: "ca.pem", mimeType: "application/x-pem-file", buffer: Buffer.from(certificate) });
      await page.getByRole("button", { name: "See what it would change" }).click();
      await page.getByRole("heading", { name: "Trust this authority?" }).waitFor();
      await page.getByText("3 keys could not be used any more").waitFor();
      assert.deepEqual(postern.site.authorities, [], "nothing is changed by looking");
      await good("authority-add");
      await page.getByRole("button", { name: "Trust this authority" }).click();
      await page.getByText("The authority is trusted.").waitFor();
      assert.equal(postern.site.authorities.length, 1);
      await good("authorities");
    });

    it("removes the last authority only on purpose", async () => {
      await page.getByRole("link", { name: /^Remove/ }).click();
      await page.getByRole("heading", { name: "Trust this authority no more?" }).waitFor();
      await page.getByRole("button", { name: "Trust it no more" }).click();
      await page.getByRole("alert").getByText("is the last authority").waitFor();
      assert.equal(postern.site.authorities.length, 1);
      await good("authority-remove");
      await page.getByLabel("It is the last one, and I want that").check();
      await page.getByRole("button", { name: "Trust it no more" }).click();
      await page.getByText("The authority is trusted no more.").waitFor();
      assert.deepEqual(postern.site.authorities, []);
    });
  });
