import test from "node:test";
import assert from "node:assert/strict";
import { connect, rpc, serde } from "@restatedev/restate-sdk-clients";
import { iface } from "@restatedev/restate-sdk-core";
import { awaiting, client, Counter, eventually, fresh, ingressURL, Interpreter, refusal, Utils } from "./setup.mjs";

test("a handler of a service is called with JSON and answers JSON", async () => {
  const text = 'žluťoučký "kůň" \u{1F40E}\n';
  assert.equal(await client.serviceClient(Utils).echo(text), text);
});

test("a handler of an object is called under its key", async () => {
  const key = fresh("counter");
  const counter = client.objectClient(Counter, key);
  assert.deepEqual(await counter.add(2), { oldValue: 0, newValue: 2 });
  assert.deepEqual(await counter.add(3), { oldValue: 2, newValue: 5 });
  assert.equal(await client.objectClient(Counter, fresh("other")).get(), 0);
});

test("a handler without input takes the empty JSON body that the client sends", async () => {
  const counter = client.objectClient(Counter, fresh("counter"));
  assert.equal(await counter.get(), 0);
});

test("a handler without output answers undefined", async () => {
  assert.equal(await client.objectClient(Counter, fresh("counter")).reset(), undefined);
});

test("keys with any characters reach their own object", async () => {
  const id = fresh("key");
  const keys = ["a/b", "a%2Fb", "a b", "a+b", "ä€\u{1F40E}", "?x=1&y", "#", "%", "a//b/", ";:@"].map((k) => id + k);
  for (const [n, key] of keys.entries()) await client.objectClient(Counter, key).add(n + 1);
  for (const [n, key] of keys.entries()) assert.equal(await client.objectClient(Counter, key).get(), n + 1, key);
});

test("headers of the connection and of the call reach the handler", async () => {
  const connection = connect({ url: ingressURL, headers: { Authorization: "Bearer secret", "x-tenant": "t1" } });
  const seen = await connection.serviceClient(Utils).echoHeaders(rpc.opts({ headers: { "x-trace": "42", "x-tenant": "t2" } }));
  assert.equal(seen["x-tenant"], "t2");
  assert.equal(seen["x-trace"], "42");
  assert.equal(seen["authorization"], "Bearer secret");
});

test("bytes go in and come out as they are", async () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256);
  const binary = rpc.opts({ input: serde.binary, output: serde.binary });
  assert.deepEqual(await client.serviceClient(Utils).rawEcho(bytes, binary), bytes);
  assert.deepEqual(await client.serviceClient(Utils).rawEcho(new Uint8Array(0), binary), new Uint8Array(0));
});

test("a call without a definition names service, key and handler", async () => {
  const answer = await client.call({
    service: "Counter", key: fresh("counter"), handler: "add", parameter: 7,
    opts: rpc.opts({ input: serde.json, output: serde.json }),
  });
  assert.deepEqual(answer, { oldValue: 0, newValue: 7 });
});

test("a client made of an interface uses the serdes that this declares", async () => {
  const utils = iface.service("TestUtilsService", {
    rawEcho: iface.serdes({ input: serde.binary, output: serde.binary }),
    uppercaseEcho: iface.json(),
  });
  assert.equal(await client.client(utils).uppercaseEcho("loud"), "LOUD");
  assert.deepEqual(await client.client(utils).rawEcho(Uint8Array.of(0, 255)), Uint8Array.of(0, 255));
  const counter = iface.object("Counter", { add: iface.json() });
  assert.deepEqual(await client.client(counter, fresh("counter")).add(1), { oldValue: 0, newValue: 1 });
});

test("the default serde of a connection holds for input and output", async () => {
  const bytes = connect({ url: ingressURL, serde: serde.binary });
  assert.deepEqual(await bytes.serviceClient(Utils).rawEcho(Uint8Array.of(1, 2, 3)), Uint8Array.of(1, 2, 3));
});

test("a codec of the connection is applied to what is sent and to what comes back", async () => {
  const flip = (bytes) => bytes.map((b) => b ^ 0xff);
  const coded = connect({ url: ingressURL, serde: serde.binary, journalValueCodec: { encode: flip, decode: async (b) => flip(b) } });
  assert.deepEqual(await coded.serviceClient(Utils).rawEcho(Uint8Array.of(9, 8)), Uint8Array.of(9, 8));
});

test("a client that gives up does not end its invocation", async () => {
  const object = client.objectClient(Interpreter, fresh("left"));
  const idempotencyKey = fresh("left");
  const leaving = new AbortController();
  const left = refusal(object.interpretCommands(awaiting("a"), rpc.opts({ idempotencyKey, signal: leaving.signal })));
  await eventually("the awakeable", () => object.hasAwakeable("a"));
  leaving.abort();
  assert.equal((await left).name, "AbortError");
  const late = await refusal(object.interpretCommands(awaiting("b"), rpc.opts({ idempotencyKey, timeout: 100 })));
  assert.equal(late.name, "TimeoutError");
  await object.resolveAwakeable({ awakeableKey: "a", value: "late" });
  assert.equal(await object.interpretCommands(awaiting("c"), rpc.opts({ idempotencyKey })), "late");
});

test("requests that run at once keep their answers apart", async () => {
  const key = fresh("counter");
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.objectClient(Counter, key).add(1)));
  assert.deepEqual(answers.map((a) => a.newValue).sort((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i + 1));
});
