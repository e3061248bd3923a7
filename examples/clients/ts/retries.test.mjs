import test from "node:test";
import assert from "node:assert/strict";
import { connect, defaultShouldRetry, rpc } from "@restatedev/restate-sdk-clients";
import { awaiting, awakeableOf, client, controlled, Counter, eventually, fresh, ingressURL, Interpreter, kill, refusal, refusing, Utils, Workflow } from "./setup.mjs";

const keyed = (more) => rpc.opts({ idempotencyKey: fresh("k"), ...more });

/** A connection that repeats, and notes why. */
function repeating(url, failures = []) {
  const shouldRetry = (failure, attempt) => {
    failures.push(failure);
    return defaultShouldRetry(failure, attempt);
  };
  return connect({ url, retry: { initialInterval: 20, maxInterval: 200, maxAttempts: 100, shouldRetry } });
}

test("a 503 of a runtime that stops is repeated after the time that it names", controlled, async () => {
  const failures = [];
  const began = performance.now();
  const seen = await repeating(await refusing(2), failures).serviceClient(Utils).echoHeaders(keyed());
  assert.equal(seen["x-restateclient-retry-attempt"], "3");
  assert.deepEqual(failures.map((f) => f.status), [503, 503]);
  for (const f of failures) {
    assert.equal(f.headers.get("x-restate-error-source"), "ingress");
    assert.equal(f.headers.get("retry-after"), "1");
    assert.equal(JSON.parse(f.body).source, "ingress");
  }
  assert.ok(performance.now() - began >= 2000, "the client has not waited for Retry-After");
});

test("nothing is repeated without a policy, or without an idempotency key", controlled, async () => {
  const plain = await refusal(connect({ url: await refusing(1) }).serviceClient(Utils).echo("x", keyed()));
  assert.equal(plain.status, 503);
  assert.equal(plain.json.source, "ingress");
  const keyless = await refusal(repeating(await refusing(1)).serviceClient(Utils).echo("x"));
  assert.equal(keyless.status, 503);
});

test("a refused submission of a workflow is repeated by itself", controlled, async () => {
  const flow = repeating(await refusing(1)).workflowClient(Workflow, fresh("wf"));
  assert.equal((await flow.workflowSubmit("x")).status, "Accepted");
  await flow.unblock("y");
  assert.equal(await flow.workflowAttach(), "y");
});

test("a call that loses its connection in a kill is repeated and gets the one answer", controlled, async () => {
  const failures = [];
  const patient = repeating(ingressURL, failures);
  const [key, idempotencyKey] = [fresh("wait"), fresh("k")];
  const call = patient.objectClient(Interpreter, key).interpretCommands(awaiting("a"), rpc.opts({ idempotencyKey }));
  const sent = await eventually("the call", async () => {
    const s = await client.objectSendClient(Interpreter, key).interpretCommands(awaiting("a"), rpc.sendOpts({ idempotencyKey }));
    return s.status === "PreviouslyAccepted" && s;
  });
  const attached = patient.result(sent);
  const id = await awakeableOf(sent.invocationId, "a");
  await kill();
  await client.resolveAwakeable(id, "after the kill");
  assert.equal(await call, "after the kill");
  assert.equal(await attached, "after the kill");
  assert.ok(failures.some((f) => f.kind === "network"), "no request has lost its connection");
  assert.deepEqual(await client.objectClient(Interpreter, key).getResults(), ["after the kill"]);
});

test("a workflow outlives a kill for those who attach and ask", controlled, async () => {
  const flow = repeating(ingressURL).workflowClient(Workflow, fresh("wf"));
  const first = await flow.workflowSubmit("x");
  const attached = flow.workflowAttach();
  await kill();
  assert.equal((await flow.workflowOutput()).ready, false);
  const second = await flow.workflowSubmit("x");
  assert.deepEqual([second.status, second.invocationId], ["PreviouslyAccepted", first.invocationId]);
  await flow.unblock("y");
  assert.equal(await attached, "y");
});

test("additions that are repeated through kills are done once", controlled, async () => {
  const patient = repeating(ingressURL);
  const key = fresh("counter");
  let going = true;
  const killing = (async () => {
    for (let n = 0; n < 3; n++) await kill();
    going = false;
  })();
  let added = 0;
  const adder = async () => {
    for (; going; added++) await patient.objectClient(Counter, key).add(1, keyed());
  };
  await Promise.all([killing, ...Array.from({ length: 4 }, adder)]);
  assert.equal(await client.objectClient(Counter, key).get(), added);
});
