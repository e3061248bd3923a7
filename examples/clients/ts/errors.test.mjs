import test from "node:test";
import assert from "node:assert/strict";
import { connect, HttpCallError, rpc, serde } from "@restatedev/restate-sdk-clients";
import { client, Counter, Failing, fresh, ingressURL, keeping, refusal, Utils } from "./setup.mjs";

test("a terminal error carries code, message, metadata and source", async () => {
  const error = await refusal(client.objectClient(Failing, fresh("f")).terminallyFailingCall({
    errorMessage: "it broke: <ä> \"&\"", metadata: { order: "17" },
  }));
  assert.ok(error instanceof HttpCallError);
  assert.equal(error.status, 500);
  assert.deepEqual(error.json, { code: 500, message: "it broke: <ä> \"&\"", metadata: { order: "17" }, source: "invocation" });
});

test("a terminal error reaches those who attach", async () => {
  const sent = await client.objectSendClient(Failing, fresh("f")).terminallyFailingCall(
    { errorMessage: "sent" }, rpc.sendOpts({ idempotencyKey: fresh("k") }));
  const error = await refusal(client.result(sent));
  assert.equal(error.status, 500);
  assert.equal(error.json.message, "sent");
});

test("a terminal error is not repeated by the client, whatever its status", async () => {
  const responses = [];
  const patient = connect({ url: ingressURL, retry: { initialInterval: 1 }, fetch: keeping(responses) });
  const key = fresh("counter");
  const error = await refusal(patient.objectClient(Counter, key).addThenFail(3, rpc.opts({ idempotencyKey: fresh("k") })));
  assert.equal(error.status, 500);
  assert.equal(responses.length, 1);
  assert.equal(responses[0].headers.get("x-restate-error-source"), "invocation");
  assert.match(responses[0].headers.get("x-restate-id"), /^inv_1/);
  assert.equal(await client.objectClient(Counter, key).get(), 3, "what was written before the failure stays");
});

test("an attempt that fails is repeated by the server, not by the client", async () => {
  assert.equal(await client.objectClient(Failing, fresh("f")).failingCallWithEventualSuccess(), 4);
});

test("what the ingress refuses says so", async () => {
  const rows = [
    ["an unknown service", 404, () => client.serviceClient({ name: "Nobody" }).greet("x")],
    ["an unknown handler", 404, () => client.serviceClient(Utils).greet("x")],
    ["an object without its key", 400, () => client.serviceClient(Counter).add(1)],
    ["a key for a service", 400, () => client.objectClient(Utils, "k").greet("x")],
    ["no input for a handler that takes some", 400, () => client.serviceClient(Utils).echo()],
    ["another content type", 400, () => client.serviceClient(Utils).echo(new Uint8Array(1), rpc.opts({ input: serde.binary }))],
    ["a scope", 400, () => client.scope("tenant").serviceClient(Utils).echo("x")],
    ["a scoped send", 400, () => client.scope("tenant").objectSendClient(Counter, "k").add(1)],
    ["a limit key", 400, () => client.serviceClient(Utils).echo("x", rpc.opts({ limitKey: "l" }))],
    ["an idempotency key that is too long", 400, () => client.serviceClient(Utils).echo("x", rpc.opts({ idempotencyKey: "k".repeat(1025) }))],
    ["a negative delay", 400, () => client.serviceSendClient(Utils).echo("x", rpc.sendOpts({ delay: -5 }))],
  ];
  for (const [what, status, request] of rows) {
    const error = await refusal(request());
    assert.equal(error.status, status, what);
    assert.equal(error.json.source, "ingress", what);
    assert.equal(error.json.code, status, what);
    assert.ok(error.json.message, what);
  }
});

test("input of another shape is a failure of the invocation", async () => {
  const error = await refusal(client.objectClient(Counter, fresh("counter")).add("seven"));
  assert.equal(error.status, 400);
  assert.equal(error.json.source, "invocation");
});

test("a body over the limit is refused with JSON", async () => {
  const error = await refusal(client.serviceClient(Utils).rawEcho(new Uint8Array((32 << 20) + 1), rpc.opts({ input: serde.binary, output: serde.binary })));
  assert.equal(error.status, 413);
  assert.equal(error.json.source, "ingress");
});

test("a result that nobody keeps is not found", async () => {
  const error = await refusal(client.result({ invocationId: "inv_105k1wlNFHb201SZwviYzes2mjOamuMJWw", attachable: true }));
  assert.equal(error.status, 404);
});
