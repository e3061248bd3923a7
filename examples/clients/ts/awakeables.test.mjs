import test from "node:test";
import assert from "node:assert/strict";
import { rpc, serde } from "@restatedev/restate-sdk-clients";
import { awaiting, awakeableOf, client, fresh, Interpreter, refusal } from "./setup.mjs";

/** Starts a handler that waits, and returns its send and its awakeable. */
async function waiting() {
  const sent = await client.objectSendClient(Interpreter, fresh("wait")).interpretCommands(
    awaiting("a"), rpc.sendOpts({ idempotencyKey: fresh("k") }));
  return { sent, id: await awakeableOf(sent.invocationId, "a") };
}

test("an awakeable is resolved with JSON", async () => {
  const { sent, id } = await waiting();
  assert.match(id, /^sign_1/);
  assert.equal(await client.resolveAwakeable(id, "answer"), undefined);
  assert.equal(await client.result(sent), "answer");
});

test("an awakeable is resolved with bytes of another serde", async () => {
  const { sent, id } = await waiting();
  await client.resolveAwakeable(id, new TextEncoder().encode('"bytes"'), serde.binary);
  assert.equal(await client.result(sent), "bytes");
});

test("an awakeable is rejected with a reason", async () => {
  const { sent, id } = await waiting();
  await client.rejectAwakeable(id, 'no, {"really"} ä');
  const error = await refusal(client.result(sent));
  assert.equal(error.status, 500);
  assert.equal(error.json.code, 500);
  assert.equal(error.json.message, 'no, {"really"} ä');
  assert.equal(error.json.source, "invocation");
});

test("the first of several answers wins, and all are accepted", async () => {
  const { sent, id } = await waiting();
  await client.resolveAwakeable(id, "first");
  await client.resolveAwakeable(id, "second");
  await client.rejectAwakeable(id, "third");
  assert.equal(await client.result(sent), "first");
  await client.resolveAwakeable(id, "after the end");
});

test("an answer that the handler cannot decode ends its wait", async () => {
  const { sent, id } = await waiting();
  await client.resolveAwakeable(id); // no bytes at all
  const error = await refusal(client.result(sent));
  assert.equal(error.status, 400);
  assert.equal(error.json.source, "invocation");
});

test("an id that nobody has issued is not found, a malformed one is refused", async () => {
  const unknown = "sign_1AAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAEQ";
  assert.equal((await refusal(client.resolveAwakeable(unknown, "x"))).status, 404);
  assert.equal((await refusal(client.rejectAwakeable(unknown, "x"))).status, 404);
  const malformed = await refusal(client.resolveAwakeable("sign_1nonsense", "x"));
  assert.equal(malformed.status, 400);
  assert.equal(malformed.json.source, "ingress");
});
