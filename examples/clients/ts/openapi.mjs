// Checks an OpenAPI 3.1 document, and requests and answers against it. Each check
// returns what is wrong, as texts; none when all is well.
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";

const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/** Words that OpenAPI 3.1 adds to those of JSON Schema 2020-12. */
const vocabulary = ["discriminator", "example", "externalDocs", "xml"];

/** A document that a server has made, and what is known of its schemas. */
export class Document {
  constructor(plain) {
    this.plain = plain;
    this.ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true });
    formats.default(this.ajv);
    // References in schemas begin at the root of the document, which therefore has to
    // pass for a schema. Those in it are each checked by itself, in problems.
    this.ajv.addVocabulary([...vocabulary, ...Object.keys(plain)]);
    this.ajv.addSchema(plain, "document", undefined, true);
  }

  /** What is wrong with the document itself. */
  async problems() {
    const { valid, errors } = await new Validator().validate(structuredClone(this.plain));
    if (!valid) return [`not OpenAPI 3.1: ${typeof errors === "string" ? errors : JSON.stringify(errors)}`];
    return [...this.#badSchemas(), ...this.#badOperations()];
  }

  #badSchemas() {
    return pointersToSchemas(this.plain).flatMap((pointer) => {
      try {
        this.ajv.validateSchema(this.#at(pointer), true);
        this.#compiled(pointer);
        return [];
      } catch (error) {
        return [`${pointer}: ${error.message}`];
      }
    });
  }

  #badOperations() {
    const seen = new Set();
    return this.operations().flatMap(({ id, path, parameters }) => {
      const found = [];
      if (!id || seen.has(id)) found.push(`${path}: the operationId ${id} is missing or used twice`);
      seen.add(id);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
      const declared = parameters.filter((p) => p.in === "path").map((p) => p.name).sort();
      if (`${inPath}` !== `${declared}`) found.push(`${id}: the path ${path} has other parameters than ${declared}`);
      return found;
    });
  }

  /** All operations; each part of one is a pair of its pointer and its value. */
  operations() {
    return Object.entries(this.plain.paths).flatMap(([path, item]) => methods.filter((m) => item[m]).map((method) => {
      const pointer = `#/paths/${escaped(path)}`;
      const shared = (item.parameters ?? []).map((p, i) => ({ ...p, pointer: `${pointer}/parameters/${i}` }));
      const own = (item[method].parameters ?? []).map((p, i) => ({ ...p, pointer: `${pointer}/${method}/parameters/${i}` }));
      return { id: item[method].operationId, method, path, pointer: `${pointer}/${method}`, parameters: [...shared, ...own],
        secured: (item[method].security ?? this.plain.security ?? []).length > 0, ...pick(item[method]) };
    }));
  }

  /** What does not fit in a request: values by names of parameters, content type, body as bytes. */
  request(operation, { values, type, body }) {
    const found = operation.parameters.flatMap((p) => {
      const value = values[p.name];
      if (value === undefined) return p.required ? [`the parameter ${p.name} is missing`] : [];
      return this.#mismatch(p.pointer + "/schema", value, `the parameter ${p.name}`);
    });
    const unknown = Object.keys(values).filter((name) => !operation.parameters.some((p) => p.name === name));
    found.push(...unknown.map((name) => `the parameter ${name} is not described`));
    if (!operation.requestBody) return body.length > 0 ? [...found, "a body is not described"] : found;
    if (body.length === 0) return operation.requestBody.required ? [...found, "the body is missing"] : found;
    return [...found, ...this.#content(`${operation.pointer}/requestBody`, type, body)];
  }

  /** What does not fit in an answer: status, Headers, body as bytes. */
  answer(operation, { status, headers, body }) {
    const responses = operation.responses;
    const which = [String(status), `${String(status)[0]}XX`, "default"].find((name) => responses[name]);
    if (!which) return [`the status ${status} is not described`];
    const [pointer, response] = this.#follow(`${operation.pointer}/responses/${which}`);
    const found = Object.keys(response.headers ?? {}).flatMap((name) => {
      const at = `${pointer}/headers/${escaped(name)}`;
      if (!headers.has(name)) return response.headers[name].required ? [`the header ${name} is missing`] : [];
      return this.#mismatch(at + "/schema", asDeclared(response.headers[name].schema, headers.get(name)), `the header ${name}`);
    });
    if (!response.content) return body.length > 0 ? [...found, "a body is not described"] : found;
    return [...found, ...this.#content(pointer, headers.get("content-type") ?? "", body)];
  }

  #content(pointer, type, body) {
    const [plainType] = type.split(";");
    const content = this.#at(pointer).content;
    const range = [plainType, `${plainType.split("/")[0]}/*`, "*/*"].find((name) => content[name]);
    if (!range) return [`the content type ${type} is not described`];
    const at = `${pointer}/content/${escaped(range)}`;
    if (!("schema" in content[range])) return [];
    const text = new TextDecoder().decode(body);
    if (plainType !== "application/json") return this.#mismatch(`${at}/schema`, text, "the body");
    try {
      return this.#mismatch(`${at}/schema`, JSON.parse(text), "the body");
    } catch (error) {
      return [`the body is no JSON: ${error.message}`];
    }
  }

  #mismatch(pointer, value, what) {
    const validate = this.#compiled(pointer);
    if (validate(value)) return [];
    return validate.errors.map((e) => `${what}${e.instancePath} ${e.message} (${e.schemaPath})`);
  }

  #compiled(pointer) {
    return this.ajv.getSchema(`document${uri(pointer)}`) ?? this.ajv.compile({ $ref: `document${uri(pointer)}` });
  }

  #at(pointer) {
    const steps = pointer.split("/").slice(1).map((s) => s.replaceAll("~1", "/").replaceAll("~0", "~"));
    return steps.reduce((at, step) => at[step], this.plain);
  }

  /** The pointer and the value that a value or its reference leads to. */
  #follow(pointer) {
    const value = this.#at(pointer);
    return value.$ref ? this.#follow(value.$ref) : [pointer, value];
  }
}

const pick = ({ requestBody, responses }) => ({ requestBody, responses });

const escaped = (step) => step.replaceAll("~", "~0").replaceAll("/", "~1");

const uri = (pointer) => pointer.split("/").map(encodeURIComponent).join("/").replace("%23", "#");

/** What a header says: text, or the number that its schema wants. */
const asDeclared = (schema, text) => (["integer", "number"].includes(schema?.type) && text !== "" ? Number(text) : text);

/** Where schemas stand: the components, and whatever is called schema outside of one. */
function pointersToSchemas(plain) {
  const found = Object.keys(plain.components?.schemas ?? {}).map((name) => `#/components/schemas/${escaped(name)}`);
  const walk = (value, pointer) => {
    if (typeof value !== "object" || value === null || pointer === "#/components/schemas") return;
    for (const [name, member] of Object.entries(value)) {
      const at = `${pointer}/${escaped(name)}`;
      if (name === "schema") found.push(at);
      else if (name !== "example" && name !== "examples") walk(member, at);
    }
  };
  walk(plain, "#");
  return found;
}
