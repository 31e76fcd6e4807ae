// The REST API as another program meets it: the OpenAPI document is accepted by a validator, a client generated from it is
// compiled, and that client works with the site.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { after, before, describe, it } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { generate } from "openapi-typescript-codegen";
import { startPostern } from "./postern.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const token = "pst_a-token-of-the-fake-site";

const fetchJson = (url) => new Promise((resolve, reject) => {
  get(url, { rejectUnauthorized: false }, (response) => {
    let body = "";
    response.on("data", (part) => { body += part; });
    response.on("end", () => resolve({ status: response.statusCode, type: response.headers["content-type"], body: JSON.parse(body) }));
  }).on("error", reject);
});

// Writes the client in TypeScript, compiles it strictly and loads it.
async function makeClient(document, folder) {
  await generate({ input: document, output: join(folder, "client"), httpClient: "fetch", useOptions: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "commonjs" }));
  const compilerOptions = { strict: true, target: "es2022", module: "commonjs", skipLibCheck: true, lib: ["es2022", "dom", "dom.iterable"],
    types: [], outDir: "js", rootDir: "client" };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["client"] }));
  execFileSync(join(root, "node_modules/.bin/tsc"), ["--project", folder], { stdio: "inherit" });
  return import(pathToFileURL(join(folder, "js/index.js")));
}

describe("the REST API", () => {
  let postern, document, folder, client;
  before(async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";  // the site has a certificate of its own
    folder = mkdtempSync(join(tmpdir(), "postern-api-"));
    postern = await startPostern();
    postern.site.tokens = { [token]: "ada" };
    document = (await fetchJson(postern.url + "/api/v1/openapi.json")).body;
    client = await makeClient(document, folder);
    client.OpenAPI.TOKEN = token;
  });
  after(async () => { await postern?.stop(); rmSync(folder, { recursive: true, force: true }); });

  it("is described by a document that a validator accepts", async () => {
    const result = await new Validator().validate(structuredClone(document));
    assert.deepEqual(result.errors ?? [], []);
    assert.equal(result.valid, true);
    assert.ok(Object.keys(document.paths).length > 40);
    assert.ok(readdirSync(join(folder, "client/services")).length >= 5);
  });

  it("serves a generated client: reading, paging, changing", async () => {
    const site = await client.SiteService.status();
    assert.equal(site.hostName, "postern.st-elmo.example");
    assert.match(site.startedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    const page = await client.ListsService.listList({ limit: 2 });
    assert.deepEqual(postern.site.orders.at(-1).args, { limit: 2 });
    const [list] = page.items;
    assert.equal((await client.ListsService.listShow({ address: list.address })).address, list.address);
    const changed = await client.ListsService.listSet({ address: list.address, requestBody: { description: "Changed by a program" } });
    assert.equal(changed.description, "Changed by a program");
  });

  it("gives a generated client a function for every operation, and each reaches its order", async () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).filter(([method]) => ["get", "post", "patch", "delete", "put"].includes(method))
        .map(([method, operation]) => ({ path, method, ...operation })));
    const functions = Object.assign({}, ...Object.entries(client).filter(([name]) => name.endsWith("Service"))
      .map(([, service]) => Object.fromEntries(Object.getOwnPropertyNames(service)
        .filter((name) => typeof service[name] === "function").map((name) => [name, service[name].bind(service)]))));
    // "Idempotency-Key" is idempotencyKey in the client.
    const asArgument = (name) => name.replace(/^[A-Z]/, (letter) => letter.toLowerCase()).replace(/-([A-Z])/g, "$1");
    const sampleOf = ({ schema = {} }) =>
      schema.enum?.[0] ?? (schema.format === "date-time" ? "2031-01-10T00:00:00Z" : schema.type === "boolean" ? true
        : schema.type === "integer" || schema.type === "number" ? 1 : schema.type === "array" ? [] : "1");
    for (const operation of operations) {
      assert.equal(typeof functions[operation.operationId], "function", operation.operationId);
      const parameters = Object.fromEntries((operation.parameters ?? []).filter(({ required }) => required)
        .map((parameter) => [asArgument(parameter.name), sampleOf(parameter)]));
      const wanted = operation.requestBody?.content["application/json"].schema;
      const body = wanted?.$ref ? document.components.schemas[wanted.$ref.split("/").at(-1)] : wanted;
      if (body) parameters.requestBody = Object.fromEntries(Object.entries(body.properties ?? {}).map(([name, schema]) => [name, sampleOf({ schema })]));
      const before = postern.site.orders.length;
      await functions[operation.operationId](parameters).catch((error) => assert.equal(error.name, "ApiError", `${operation.operationId}: ${error}`));
      const given = postern.site.orders.slice(before).map(({ order }) => order);
      assert.ok(given.length > 0, `${operation.method} ${operation.path} gave no order`);
    }
    assert.ok(operations.length > 100);
  });

  it("tells a program what is wrong, as problem+json", async () => {
    await assert.rejects(client.ListsService.listShow({ address: "none@nowhere.example" }), (error) => {
      assert.equal(error.status, 404);
      assert.equal(error.body.code, "not-found");
      assert.ok(error.body.detail);
      return true;
    });
    client.OpenAPI.TOKEN = "pst_unknown";
    await assert.rejects(client.SiteService.status(), (error) => error.status === 401 && error.body.code === "signed-out");
    client.OpenAPI.TOKEN = token;
    assert.equal((await fetchJson(postern.url + "/api/v1/lists")).status, 401);
  });
});
