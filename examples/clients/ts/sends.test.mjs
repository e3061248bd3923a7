import test from "node:test";
import assert from "node:assert/strict";
import { connect, rpc, serde } from "@restatedev/restate-sdk-clients";
import { client, Counter, eventually, fresh, ingressURL, keeping, refusal, Utils } from "./setup.mjs";

const counted = (key) => client.objectClient(Counter, key).get();

test("a send is accepted and happens", async () => {
  const key = fresh("counter");
  const sent = await client.objectSendClient(Counter, key).add(4);
  assert.equal(sent.status, "Accepted");
  assert.match(sent.invocationId, /^inv_1[0-9a-zA-Z]{33}$/);
  assert.equal(sent.attachable, false);
  await eventually("the addition", async () => (await counted(key)) === 4);
});

test("the client attaches only to what has an idempotency key", async () => {
  const plain = await client.serviceSendClient(Utils).echo("x");
  assert.match((await refusal(client.result(plain))).message, /idempotencyKey/);
  const keyed = await client.serviceSendClient(Utils).echo("y", rpc.sendOpts({ idempotencyKey: fresh("k") }));
  assert.equal(keyed.attachable, true);
  assert.equal(await client.result(keyed), "y");
});

test("a second send with the key is accepted previously and changes nothing", async () => {
  const key = fresh("counter");
  const opts = rpc.sendOpts({ idempotencyKey: fresh("k") });
  const first = await client.objectSendClient(Counter, key).add(1, opts);
  const second = await client.objectSendClient(Counter, key).add(100, opts);
  assert.equal(second.status, "PreviouslyAccepted");
  assert.equal(second.invocationId, first.invocationId);
  assert.deepEqual(await client.result(second), { oldValue: 0, newValue: 1 });
  assert.equal(await counted(key), 1);
});

test("calls with one idempotency key run once and answer alike, under one id", async () => {
  const responses = [];
  const counter = connect({ url: ingressURL, fetch: keeping(responses) }).objectClient(Counter, fresh("counter"));
  const opts = rpc.opts({ idempotencyKey: fresh("k") });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => counter.add(n + 1, opts)));
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.deepEqual(await counter.add(1, opts), answers[0]);
  assert.equal(new Set(responses.map((r) => r.headers.get("x-restate-id"))).size, 1);
  assert.match(responses[20].headers.get("idempotency-expires"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
  assert.equal(await counter.get(), answers[0].newValue);
});

test("one idempotency key means another invocation for another target", async () => {
  const opts = rpc.opts({ idempotencyKey: fresh("k") });
  const [one, two] = [fresh("one"), fresh("two")];
  await client.objectClient(Counter, one).add(1, opts);
  await client.objectClient(Counter, two).add(2, opts);
  assert.equal(await counted(one), 1);
  assert.equal(await counted(two), 2);
});

test("a delay is taken as milliseconds and as a duration", async () => {
  for (const delay of [300, { milliseconds: 300 }]) {
    const key = fresh("counter");
    const began = performance.now();
    const sent = await client.objectSendClient(Counter, key).add(1, rpc.sendOpts({ delay }));
    assert.equal(sent.status, "Accepted");
    assert.ok(sent.executionTime, "a delayed send says when it will run");
    await eventually("the delayed addition", async () => (await counted(key)) === 1);
    assert.ok(performance.now() - began >= 300, "it ran before its time");
  }
});

test("a delay of days is accepted and does not hold the key", async () => {
  const key = fresh("counter");
  await client.objectSendClient(Counter, key).add(100, rpc.sendOpts({ delay: { days: 30, hours: 1 } }));
  assert.deepEqual(await client.objectClient(Counter, key).add(1), { oldValue: 0, newValue: 1 });
});

test("a call with the key of a delayed send waits for that", async () => {
  const key = fresh("counter");
  const idempotencyKey = fresh("k");
  const sent = await client.objectSendClient(Counter, key).add(5, rpc.sendOpts({ idempotencyKey, delay: 300 }));
  assert.deepEqual(await client.objectClient(Counter, key).add(6, rpc.opts({ idempotencyKey })), { oldValue: 0, newValue: 5 });
  assert.deepEqual(await client.result(sent), { oldValue: 0, newValue: 5 });
});

test("bytes are sent, and their result is fetched as bytes", async () => {
  const bytes = Uint8Array.of(0, 1, 254, 255);
  const sent = await client.serviceSendClient(Utils).rawEcho(bytes, rpc.sendOpts({ input: serde.binary, idempotencyKey: fresh("k") }));
  assert.deepEqual(await client.result(sent, serde.binary), bytes);
});

test("a send without a definition names service, key and handler", async () => {
  const key = fresh("counter");
  const sent = await client.send({
    service: "Counter", key, handler: "add", parameter: 3,
    opts: rpc.sendOpts({ input: serde.json, idempotencyKey: fresh("k") }),
  });
  assert.deepEqual(await client.result(sent), { oldValue: 0, newValue: 3 });
});
