// The OpenAPI document of each service: valid by the standard, and true. Every
// operation is sent to the server that made the document, and request and answer
// are held against it.
import test from "node:test";
import assert from "node:assert/strict";
import { Document } from "./openapi.mjs";
import { adminURL, awaiting, awakeableOf, fresh, ingressURL } from "./setup.mjs";
import { bodies, endless, sampleOf, statuses, unknown, untrue } from "./openapi.bodies.mjs";

const services = { ingress: ingressURL, admin: adminURL };
const shop = { ingress: process.env.SHOP_INGRESS_URL, admin: process.env.SHOP_ADMIN_URL, token: process.env.SHOP_TOKEN };
const withShop = shop.admin ? {} : { skip: "SHOP_ADMIN_URL is not set: run it by go test ./examples/testservices" };

test("the documents of the test services are valid and true", async (t) => {
  const names = await namesAt(services.admin);
  assert.ok(names.length >= 19, `only ${names}`);
  for (const name of names) await t.test(name, () => checkService(services, name));
});

test("the documents of every codec, nested types and private handlers are valid and true", withShop, async (t) => {
  assert.deepEqual((await namesAt(shop.admin)).sort(), ["Delivery", "Desk", "Hidden", "Shop"]);
  for (const name of ["Delivery", "Desk", "Hidden", "Shop"]) await t.test(name, () => checkService(shop, name));
});

test("documentation is in the document, private handlers are not", withShop, async () => {
  const { plain } = await documentOf(shop, "Shop");
  assert.equal(plain.info.description, "Sells things.");
  assert.equal(plain.paths["/Shop/{key}/buy"].post.description, "Buys what is ordered.");
  assert.equal(JSON.stringify(plain).includes("secret"), false);
  assert.deepEqual((await documentOf(shop, "Hidden")).plain.paths, {});
});

test("awakeables and invocations that exist are answered as the document says", async () => {
  const name = "VirtualObjectCommandInterpreter";
  const document = await documentOf(services, name);
  const operation = (id) => document.operations().find((o) => o.id === id);
  for (const [verb, answer, result] of [["resolve", `"it is done"`, 200], ["reject", "too late", 500]]) {
    const values = { key: fresh("k"), "idempotency-key": fresh("ik") };
    const sent = await tried(services, document, operation(`${name}.interpretCommands.send`), values, JSON.stringify(awaiting("a")));
    const { invocationId } = JSON.parse(sent.text);
    const awakeableId = await awakeableOf(invocationId, "a");
    assert.equal((await tried(services, document, operation("output"), { invocationId })).status, 470);
    const { status, headers } = await tried(services, document, operation(verb), { awakeableId }, answer);
    assert.equal(status, 202);
    assert.equal(headers.get("x-dormouse-outcome"), "applied");
    for (const id of ["attach", "output"]) {
      assert.equal((await tried(services, document, operation(id), { invocationId })).status, result, `${verb}, ${id}`);
    }
    assert.equal((await tried(services, document, operation(verb), { awakeableId }, answer)).status, 202, `${verb} again`);
  }
});

const breaks = [
  ["a parameter without a schema", (plain, path) => delete plain.paths[path].parameters[0].schema, /^not OpenAPI 3\.1/],
  ["a path parameter that is not required", (plain, path) => delete plain.paths[path].parameters[0].required, /^not OpenAPI 3\.1/],
  ["an unknown field", (plain) => { plain.pathes = {}; }, /^not OpenAPI 3\.1/],
  ["a reference that leads nowhere", (plain) => delete plain.components.schemas.CounterUpdate, /CounterUpdate/],
  ["an unknown type", (plain) => { plain.components.schemas.CounterUpdate.properties.newValue.type = "int"; }, /newValue|CounterUpdate/],
  ["an unknown word in a schema", (plain) => { plain.components.schemas.CounterUpdate.propertys = {}; }, /propertys/],
  ["an unknown format", (plain) => { plain.components.schemas.IngressAccepted.properties.executionTime.format = "moment"; }, /moment/],
  ["an operationId that is there twice", (plain, path) => { plain.paths[path].post.operationId = "Counter.get"; }, /used twice/],
  ["a parameter that is not in the path", (plain, path) => { plain.paths[path].parameters[0].name = "id"; }, /other parameters/],
];

for (const [what, change, says] of breaks) {
  test(`a document is not valid with ${what}`, async () => {
    const { plain } = await documentOf(services, "Counter");
    change(plain, "/Counter/{key}/add");
    const problems = await new Document(plain).problems();
    assert.ok(problems.some((p) => says.test(p)), `found only ${JSON.stringify(problems)}`);
  });
}

const lies = [
  ["another type of a field", (plain) => { plain.components.schemas.CounterUpdate.properties.newValue.type = "string"; }, /newValue must be string/],
  ["a field that is never there", (plain) => plain.components.schemas.CounterUpdate.required.push("when"), /when/],
  ["another content type", (plain, op) => { op.responses["200"].content = { "text/plain": {} }; }, /content type application\/json/],
  ["no content", (_, op) => delete op.responses["200"].content, /a body is not described/],
  ["other statuses", (_, op) => { op.responses = { 204: { description: "" } }; }, /the status 200/],
  ["another header", (_, op) => { op.responses["200"].headers["x-restate-id"].schema.maxLength = 5; }, /x-restate-id/],
  ["another body of the request", (_, op) => { op.requestBody.content["application/json"].schema.type = "string"; }, /request: the body must be string/],
  ["a shorter idempotency key", (_, op) => { op.parameters[0].schema.maxLength = 3; }, /request: the parameter idempotency-key/],
  ["one parameter more", (_, op) => op.parameters.push({ name: "when", in: "query", required: true, schema: { type: "string" } }), /request: the parameter when is missing/],
];

for (const [what, change, says] of lies) {
  test(`a document is not true with ${what}`, async () => {
    const { plain } = await documentOf(services, "Counter");
    change(plain, plain.paths["/Counter/{key}/add"].post);
    const document = new Document(plain);
    assert.deepEqual(await document.problems(), []);
    const add = document.operations().find((o) => o.id === "Counter.add");
    const { problems } = await sent(services, document, add, { key: fresh("k"), "idempotency-key": fresh("ik") }, "1");
    assert.ok(problems.some((p) => says.test(p)), `found only ${JSON.stringify(problems)}`);
  });
}

async function getJSON(url) {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  assert.equal(response.headers.get("content-type"), "application/json", url);
  return response.json();
}

const namesAt = async (admin) => (await getJSON(`${admin}/services`)).services.map((s) => s.name);

const documentOf = async ({ admin }, name) => new Document(await getJSON(`${admin}/services/${name}/openapi`));

/** Bodies of the operations that answer awakeables. */
const answers = { resolve: `"yes"`, reject: "too late" };

async function checkService(server, name) {
  const document = await documentOf(server, name);
  assert.deepEqual(await document.problems(), []);
  const { handlers, public: open } = await getJSON(`${server.admin}/services/${name}`);
  const names = handlers.filter((h) => open && h.public).map((h) => h.name);
  const operations = new Map(document.operations().map((o) => [o.id, o]));
  assert.equal(operations.size, names.length === 0 ? 0 : names.length * 4 + 4, [...operations.keys()].join());
  for (const handler of names) await checkHandler(server, document, operations, `${name}.${handler}`);
  if (names.length === 0) return;
  for (const id of ["attach", "output", "resolve", "reject"]) {
    const { status } = await tried(server, document, operations.get(id), unknown, answers[id]);
    assert.equal(status, 404, `${name}: ${id}`);
  }
}

/** Sends the four operations of a handler about one invocation. */
async function checkHandler(server, document, operations, id) {
  const key = fresh("a/ä %");
  const idempotencyKey = fresh("ik");
  const values = { key, idempotencyKey, "idempotency-key": idempotencyKey, delay: "1 ms" };
  const call = operations.get(id);
  const body = bodies[id] ?? sampleOf(document, call);
  const expect = async (suffix, want) => {
    const operation = operations.get(id + suffix);
    assert.ok(operation, `${id}${suffix} is missing`);
    const answer = await sent(server, document, operation, values, operation.method === "post" ? body : undefined);
    const known = suffix === ".send" || !untrue[id] ? [] : [untrue[id]];
    assert.deepEqual(answer.problems.map((p) => p.replace(/ \(.*/, "")), known, `${operation.id}: ${answer.status} ${answer.text}`);
    assert.equal(answer.status, want, `${id}${suffix}: ${answer.text}`);
    return answer;
  };
  if (endless.has(id)) {
    const { invocationId } = JSON.parse((await expect(".send", 202)).text);
    await expect(".output", 470);
    const kill = await fetch(`${server.admin}/invocations/${invocationId}/kill`, { method: "PATCH" });
    assert.ok(kill.ok, `${id}: ${kill.status}`);
  }
  const status = endless.has(id) ? 409 : (statuses[id] ?? 200);
  await expect("", status);
  await expect(".send", 202);
  await expect(".attach", status);
  await expect(".output", status);
}

/** Like sent, for requests and answers that have to fit. */
async function tried(server, document, operation, values, body) {
  const answer = await sent(server, document, operation, values, body);
  assert.deepEqual(answer.problems, [], `${operation.id}: ${answer.status} ${answer.text}`);
  return answer;
}

/**
 * Sends the request of an operation and returns the answer, and what does not fit of both. It has a
 * token only where the document asks for one.
 */
async function sent({ ingress, token }, document, operation, values, body) {
  const used = Object.fromEntries(operation.parameters.filter((p) => p.name in values).map((p) => [p.name, values[p.name]]));
  const at = (where) => operation.parameters.filter((p) => p.in === where && p.name in used).map((p) => [p.name, used[p.name]]);
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(used[name]));
  const query = new URLSearchParams(at("query")).toString();
  const type = Object.keys(operation.requestBody?.content ?? {})[0];
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : (body ?? new Uint8Array());
  const response = await fetch(ingress + path + (query && `?${query}`), {
    method: operation.method.toUpperCase(),
    headers: [...at("header"), ...(operation.secured ? [["authorization", `Bearer ${token}`]] : []), ...(type && bytes.length > 0 ? [["content-type", type]] : [])],
    body: bytes.length > 0 ? bytes : undefined,
  });
  const { status, headers } = response;
  const answer = { status, headers, body: new Uint8Array(await response.arrayBuffer()) };
  const problems = [
    ...document.request(operation, { values: used, type: type ?? "", body: bytes }).map((p) => `request: ${p}`),
    ...document.answer(operation, answer).map((p) => `answer: ${p}`),
  ];
  return { status, headers, text: new TextDecoder().decode(answer.body), problems };
}
