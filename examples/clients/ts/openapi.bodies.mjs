// What the operations of the documents are sent, and what they answer.

const order = JSON.stringify({
  id: "o-2",
  lines: [{ article: "tea", count: 2 }],
  at: "2026-01-02T03:04:05Z",
  parent: { id: "o-1", lines: [], at: "2026-01-02T03:04:05Z", options: { wrap: "yes" } },
});

const counter = { serviceName: "Counter", virtualObjectKey: "openapi", handlerName: "get", message: [] };

/** Well-formed ids that nobody has issued. */
export const unknown = { invocationId: "inv_10BnVMHtxjjO0HyUJWli0aN6NpK3xqX1zy", awakeableId: "sign_1AAECAwQFBgcICQoLDA0ODxAREhMUFRYXAAAAEQ" };

/** Bodies of handlers by their operationId; of others sampleOf makes one. */
export const bodies = {
  "Shop.buy": order,
  "Desk.note": order,
  "Desk.whatever": "[1]",
  "Desk.raw": new Uint8Array([0, 1, 255]),
  "Desk.proto": new Uint8Array([0x0a, 3, 0x74, 0x65, 0x61]),
  "Delivery.run": order,
  "ObjectInterpreterL0.interpret": JSON.stringify({ commands: [{ kind: 19, key: 1, program: { commands: [{ kind: 4 }] } }] }),
  "Proxy.call": JSON.stringify(counter),
  "Proxy.oneWayCall": JSON.stringify({ ...counter, delayMillis: 1, idempotencyKey: "openapi" }),
  "Proxy.manyCalls": JSON.stringify([{ proxyRequest: counter, oneWayCall: false, awaitAtTheEnd: true }]),
  "TestUtilsService.cancelInvocation": JSON.stringify(unknown.invocationId),
  "TestUtilsService.rejectSignal": JSON.stringify({ invocationId: unknown.invocationId, signalName: "s", reason: "too late" }),
  "TestUtilsService.resolveSignal": JSON.stringify({ invocationId: unknown.invocationId, signalName: "s", value: "done" }),
  "VirtualObjectCommandInterpreter.interpretCommands": JSON.stringify({ commands: [{ type: "getEnvVariable", envName: "NONE" }] }),
};

/** Handlers that do not end by themselves: they are killed. */
export const endless = new Set([
  "BlockAndWaitWorkflow.run",
  "CancelTestBlockingService.block",
  "CancelTestRunner.startTest",
  "KillTestRunner.startCallTree",
  "KillTestSingleton.recursiveCall",
  "UpgradeTest.executeComplex",
]);

/** Statuses of handlers that do not answer 200. */
export const statuses = {
  "AwakeableHolder.unlock": 404, // nothing is held
  "Counter.addThenFail": 500,
  "Failing.callTerminallyFailingCall": 500,
  "Failing.terminallyFailingCall": 500,
  "Failing.terminallyFailingSideEffect": 500,
  "NonDeterministic.backgroundInvokeWithDifferentTargets": 570,
  "NonDeterministic.callDifferentMethod": 570,
  "NonDeterministic.eitherSleepOrCall": 570,
  "NonDeterministic.setDifferentKey": 570,
  "ServiceInterpreterHelper.incrementViaAwakeableDance": 400, // the awakeable is none, as in the next two
  "ServiceInterpreterHelper.rejectAwakeable": 400,
  "ServiceInterpreterHelper.resolveAwakeable": 400,
  "ServiceInterpreterHelper.terminalFailure": 500,
  "Shop.refuse": 422,
  "VirtualObjectCommandInterpreter.rejectAwakeable": 404, // no awakeable has this name
  "VirtualObjectCommandInterpreter.resolveAwakeable": 404,
};

/**
 * What is not true yet, by operationId of the call: schemas of Go's pointers do not
 * say that the value may be null.
 */
export const untrue = {
  "BlockAndWaitWorkflow.getState": "answer: the body must be string",
};

/** A body that fits the schema of an operation, undefined without one. */
export function sampleOf({ plain }, operation) {
  const schema = operation.requestBody?.content["application/json"]?.schema;
  return schema && JSON.stringify(valueOf(plain, schema));
}

function valueOf(plain, schema) {
  if (schema.$ref) return valueOf(plain, schema.$ref.slice(2).split("/").reduce((at, step) => at[step], plain));
  switch (schema.type) {
    case "object":
      return Object.fromEntries((schema.required ?? []).map((name) => [name, valueOf(plain, schema.properties[name])]));
    case "array":
      return [valueOf(plain, schema.items)];
    case "integer":
      return 1;
    case "boolean":
      return true;
    case "string":
      return "text";
    default:
      throw new Error(`a body for ${JSON.stringify(schema)} has to be given`);
  }
}
