// What the browser and the network are refused, over real TLS and real HTTP.
import assert from "node:assert/strict";
import { connect } from "node:tls";
import { execFileSync } from "node:child_process";
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openPage, signIn, startBrowser, startPostern } from "./postern.mjs";

let postern, browser, page;
before(async () => {
  browser = await startBrowser();
  postern = await startPostern();
  page = await openPage(browser);
  await signIn(page, postern);
});
after(async () => { await browser.close(); await postern.stop(); });

const port = () => Number(new URL(postern.url).port);

// Bytes over TLS, and all that comes back until the server closes or is quiet for a moment.
const talk = (bytes, options = {}) => new Promise((resolve, reject) => {
  let answer = "";
  const socket = connect({ host: "127.0.0.1", port: port(), servername: "localhost", rejectUnauthorized: false, ...options }, () => socket.write(bytes));
  socket.setTimeout(options.quiet ?? 1500, () => socket.destroy());
  socket.on("data", (data) => { answer += data; });
  socket.on("error", reject);
  socket.on("close", () => resolve(answer));
});

const sessionCookie = async () => {
  const session = (await page.context().cookies()).find(({ name }) => name === "__Host-postern-session");
  return `__Host-postern-session=${session.value}`;
};

const post = (path, form, headers) => page.request.post(postern.url + path, { form, headers, maxRedirects: 0 });

describe("forged forms", () => {
  const path = "/lists/board@lists.st-elmo.example/members";
  const members = () => postern.site.members.length;
  const token = async () => {
    await page.goto(postern.url + path);
    return page.locator('form[method=post][action$="/members"] input[name=csrf]').inputValue();
  };

  it("are refused without a token, with a wrong one, and from another origin; with all right they are obeyed", async () => {
    const before = members();
    const right = await token();
    const address = "forged@st-elmo.example";
    assert.equal((await post(path, { address })).status(), 403);
    assert.equal((await post(path, { address, csrf: right.slice(1) + "A" })).status(), 403);
    assert.equal((await post(path, { address, csrf: right }, { Origin: "https://evil.example" })).status(), 403);
    assert.equal((await post(path, { address, csrf: right }, { Origin: "null" })).status(), 403);
    assert.equal((await post(path, { address, csrf: right }, { "Sec-Fetch-Site": "cross-site" })).status(), 403);
    assert.equal((await post(path, { address, csrf: right }, { "Sec-Fetch-Site": "same-site" })).status(), 403);
    assert.equal(members(), before, "nothing was changed");
    assert.equal((await post(path, { address, csrf: right }, { Origin: postern.url })).status(), 303);
    assert.equal(members(), before + 1);
  });

  it("of another site are not even sent with the session", async () => {
    const before = members();
    const other = await page.context().newPage();
    await other.goto("data:text/html,<form method=post action='" + postern.url + path + "'><input name=address value=x@y.example></form><script>document.forms[0].submit()</script>");
    await other.waitForURL(/localhost/);
    assert.equal(members(), before);
    await other.close();
  });

  it("of the sign-in page need their own token, so nobody is signed in as somebody else", async () => {
    const fresh = await openPage(browser);
    const answer = await fresh.request.post(postern.url + "/sign-in", { form: { name: "ada", password: "x", code: "1" }, maxRedirects: 0 });
    assert.equal(answer.status(), 403);
    await fresh.context().close();
  });
});

describe("responses", () => {
  it("carry the security headers, whatever they are", async () => {
    for (const path of ["/", "/sign-in", "/static/css/postern.css", "/no-such-page", "/live/flow", "/healthz", "/lists/none@x.example"]) {
      const headers = (await page.request.get(postern.url + path)).headers();
      assert.equal(headers["content-security-policy"], "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'", path);
      assert.match(headers["strict-transport-security"], /max-age=31536000/);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["referrer-policy"], "no-referrer");
      assert.equal(headers["cross-origin-opener-policy"], "same-origin");
      assert.equal(headers["cross-origin-resource-policy"], "same-origin");
      assert.equal(headers["cache-control"], path.startsWith("/static") ? "no-cache" : "no-store", path);
    }
  });

  it("tell nothing without a session", async () => {
    const stranger = await openPage(browser);
    for (const path of ["/", "/lists", "/lists/board@lists.st-elmo.example", "/posts/4200", "/queue", "/lists.csv"]) {
      const answer = await stranger.request.get(postern.url + path, { maxRedirects: 0 });
      assert.equal(answer.status(), 303, path);
      assert.ok(!(await answer.text()).includes("st-elmo.example,"));
    }
    assert.equal((await stranger.request.get(postern.url + "/live/flow")).status(), 401);
    assert.match(await (await stranger.request.get(postern.url + "/robots.txt")).text(), /Disallow: \//);
    await stranger.context().close();
  });

  it("never send people to another site after sign-in", async () => {
    for (const next of ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]) {
      const answer = await page.request.get(postern.url + "/sign-in?next=" + encodeURIComponent(next), { maxRedirects: 0 });
      assert.equal(answer.headers().location, "/", next);
    }
  });
});

describe("HTTP itself", () => {
  it("takes nothing of a body for the next request", async () => {
    const smuggled = "GET /robots.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const cookie = await sessionCookie();
    for (const head of [
      `POST /new-list HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `POST /new-list HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n`,
      `POST /new-list HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${smuggled.length}\r\n\r\n`,
      `PUT /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${smuggled.length}\r\n\r\n`,
      `POST /new-list HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 99999999\r\n\r\n`,
    ]) {
      const answer = await talk(head + smuggled);
      assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, head + "\n" + answer);
      assert.match(answer, /^HTTP\/1\.1 4(00|05|13)/);
      assert.match(answer, /Connection: Close/i);
      assert.ok(!answer.includes("Disallow"), "the smuggled request was answered");
    }
  });

  it("answers two honest requests of one connection, a POST among them", async () => {
    const body = "name=ada";
    const answer = await talk(`POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}GET /robots.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 403/);
    assert.match(answer, /Disallow: \//);
  });

  it("says which methods and lengths it takes", async () => {
    assert.match(await talk("DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n"), /^HTTP\/1\.1 405[^]*Allow: GET, HEAD/);
    assert.match(await talk("POST /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n"), /^HTTP\/1\.1 411/);
    const head = await talk("HEAD /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert.match(head, /^HTTP\/1\.1 200/);
    assert.ok(!head.includes("<!doctype"));
  });

  it("takes TLS 1.2 and 1.3, nothing older", async () => {
    const ask = "GET /robots.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert.match(await talk(ask, { minVersion: "TLSv1.3" }), /200 OK/);
    assert.match(await talk(ask, { maxVersion: "TLSv1.2" }), /200 OK/);
    await assert.rejects(talk(ask, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }));
  });

  it("still serves a new client while one keeps its connections open", async () => {
    const idle = await Promise.all(Array.from({ length: 40 }, () => new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: port(), rejectUnauthorized: false }, () => resolve(socket));
      socket.on("error", () => {});
      socket.on("close", () => resolve(socket));
      setTimeout(() => reject(new Error("no TLS")), 8000).unref();
    })));
    const answer = await talk("GET /robots.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", { host: "127.0.0.1", localAddress: "127.0.0.2", quiet: 5000 });
    assert.match(answer, /200 OK/);
    for (const socket of idle) socket.destroy();
  });
});

describe("the certificate", () => {
  it("is read again when it changes, without a restart", async () => {
    const peer = () => new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: port(), rejectUnauthorized: false }, () => {
        const { fingerprint256 } = socket.getPeerCertificate();
        socket.destroy();
        resolve(fingerprint256);
      });
      socket.on("error", reject);
    });
    const before = await peer();
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=renewed",
      "-keyout", join(postern.data, "tls/key.pem"), "-out", join(postern.data, "tls/cert.pem")], { stdio: "ignore" });
    const soon = new Date(Date.now() + 2000);
    utimesSync(join(postern.data, "tls/cert.pem"), soon, soon);
    let now = before;
    for (let i = 0; i < 40 && now === before; ++i) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      now = await peer();
    }
    assert.notEqual(now, before);
    await page.goto(postern.url + "/");
    await page.getByText("Renew it soon").waitFor();
  });
});

describe("stopping", () => {
  it("ends within two seconds of SIGTERM with status 0, idle connections or not", async () => {
    const other = await startPostern();
    const idle = connect({ host: "127.0.0.1", port: Number(new URL(other.url).port), rejectUnauthorized: false });
    idle.on("error", () => {});
    await new Promise((resolve) => idle.once("secureConnect", resolve));
    const start = Date.now();
    assert.equal(await other.stop(), 0);
    assert.ok(Date.now() - start < 2000, `took ${Date.now() - start} ms`);
    idle.destroy();
  });
});
