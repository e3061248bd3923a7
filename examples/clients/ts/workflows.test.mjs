import test from "node:test";
import assert from "node:assert/strict";
import { HttpCallError, rpc } from "@restatedev/restate-sdk-clients";
import { client, eventually, fresh, refusal, Workflow } from "./setup.mjs";

test("a workflow is submitted, watched, told and read", async () => {
  const flow = client.workflowClient(Workflow, fresh("wf/ä"));
  const submitted = await flow.workflowSubmit("input");
  assert.equal(submitted.status, "Accepted");
  await eventually("the state of the run", async () => (await flow.getState()) === "input");

  const early = await flow.workflowOutput();
  assert.equal(early.ready, false);
  assert.throws(() => early.result);

  const attached = flow.workflowAttach();
  assert.equal(await flow.unblock("told"), undefined);
  assert.equal(await attached, "told");
  assert.deepEqual(await flow.workflowOutput(), { ready: true, result: "told" });
  assert.equal(await client.result(submitted), "told");
});

test("a second submission is accepted previously, under the same id", async () => {
  const flow = client.workflowClient(Workflow, fresh("wf"));
  const first = await flow.workflowSubmit("one");
  const second = await flow.workflowSubmit("two");
  assert.equal(second.status, "PreviouslyAccepted");
  assert.equal(second.invocationId, first.invocationId);
  await flow.unblock("done");
  assert.equal(await flow.workflowAttach(), "done");
  assert.equal(await flow.getState(), "one");
});

test("a workflow is submitted for later", async () => {
  const flow = client.workflowClient(Workflow, fresh("wf"));
  const began = performance.now();
  await flow.workflowSubmit("later", rpc.sendOpts({ delay: 300 }));
  assert.equal((await flow.workflowOutput()).ready, false);
  await flow.unblock("early");
  assert.equal(await flow.workflowAttach(), "early");
  assert.ok(performance.now() - began >= 300, "it ran before its time");
});

test("a shared handler that is called before the run is heard by it", async () => {
  const flow = client.workflowClient(Workflow, fresh("wf"));
  assert.equal(await flow.getState(), null);
  await flow.unblock("first");
  await flow.workflowSubmit("then");
  assert.equal(await flow.workflowAttach(), "first");
});

test("completing a promise twice is a conflict of the invocation", async () => {
  const flow = client.workflowClient(Workflow, fresh("wf"));
  await flow.unblock("one");
  const error = await refusal(flow.unblock("two"));
  assert.ok(error instanceof HttpCallError);
  assert.equal(error.status, 409);
  assert.equal(error.json.source, "invocation");
});

test("a second call of the run handler is a conflict of the invocation", async () => {
  const flow = client.workflowClient(Workflow, fresh("wf"));
  await flow.workflowSubmit("one");
  const error = await refusal(flow.run("two"));
  assert.equal(error.status, 409);
  assert.equal(error.json.source, "invocation");
  await flow.unblock("x");
});

test("a workflow that nobody has started is not found", async () => {
  const flow = client.workflowClient(Workflow, fresh("wf"));
  assert.equal((await refusal(flow.workflowAttach())).status, 404);
  assert.equal((await refusal(flow.workflowOutput())).status, 404);
});

test("a shared handler takes an idempotency key, the run handler does not", async () => {
  const flow = client.workflowClient(Workflow, fresh("wf"));
  const opts = rpc.opts({ idempotencyKey: fresh("k") });
  await flow.unblock("once", opts);
  await flow.unblock("once", opts);
  assert.equal((await refusal(flow.workflowSubmit("x", rpc.sendOpts({ idempotencyKey: fresh("k") })))).status, 400);
});
