// What the tests share. INGRESS_URL and ADMIN_URL say where examples/testservices
// serves; CONTROL_URL is a server of the Go test that can kill and refuse.
import { setTimeout as pause } from "node:timers/promises";
import { randomUUID } from "node:crypto";
import { connect } from "@restatedev/restate-sdk-clients";

export const ingressURL = process.env.INGRESS_URL ?? "http://127.0.0.1:8080";
export const adminURL = process.env.ADMIN_URL ?? "http://127.0.0.1:9070";
const controlURL = process.env.CONTROL_URL;

/** The client of most tests: as it comes, without repetitions. */
export const client = connect({ url: ingressURL });

/** Services of examples/testservices, as the client wants them named. */
export const Counter = { name: "Counter" };
export const Failing = { name: "Failing" };
export const Utils = { name: "TestUtilsService" };
export const Workflow = { name: "BlockAndWaitWorkflow" };
export const Interpreter = { name: "VirtualObjectCommandInterpreter" };

/** A key that no other test uses. */
export const fresh = (name) => `${name}-${randomUUID()}`;

/** For tests that the Go test alone can run: it has to kill or to refuse. */
export const controlled = controlURL ? {} : { skip: "CONTROL_URL is not set: run it by go test ./examples/testservices" };

/** Kills the server like a power cut, and waits until the next one serves. */
export const kill = () => control("/kill");

/**
 * Lets the next n requests to the returned URL be refused by a runtime that is
 * stopping; later ones reach the server.
 */
export const refusing = (n) => control(`/refuse?n=${n}`);

async function control(path) {
  const response = await fetch(controlURL + path, { method: "POST" });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return text;
}

/** Waits until found returns something, and returns it. */
export async function eventually(what, found) {
  for (const end = Date.now() + 30_000; Date.now() < end; await pause(10)) {
    const value = await found();
    if (value !== undefined && value !== false) return value;
  }
  throw new Error(`in vain: ${what}`);
}

/** The id of the awakeable that an invocation of the interpreter has created. */
export function awakeableOf(invocationId, name) {
  return eventually(`awakeable ${name}`, async () => {
    const response = await fetch(`${adminURL}/introspection/invocations/${invocationId}`);
    if (!response.ok) return undefined;
    const { journal } = await response.json();
    return journal.entries.find((e) => e.state_key === `awk-${name}`)?.value?.json;
  });
}

/** What the interpreter does to wait for an awakeable. */
export const awaiting = (name) => ({
  commands: [{ type: "awaitOne", command: { type: "createAwakeable", awakeableKey: name } }],
});

/** A fetch that keeps the responses which the client itself hides. */
export function keeping(responses) {
  return async (...request) => {
    const response = await fetch(...request);
    responses.push(response);
    return response;
  };
}

/** The refusal of a promise that has to fail, with its body read as JSON. */
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    if (error.responseText) error.json = JSON.parse(error.responseText);
    return error;
  }
  throw new Error("it has not failed");
}
