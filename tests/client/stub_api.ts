/**
 * A scriptable stand-in for the Anthropic Messages API, for tests with the real Claude Code client.
 *
 * It listens on the loopback interface only. Point a client at it with
 * `ANTHROPIC_BASE_URL=http://127.0.0.1:<port>` and any API key that is not empty.
 *
 * @module
 */
import {
  type Block,
  chooseReply,
  type MessagesRequest,
  parseRequest,
  type Reply,
  type Rule,
} from "./stub_script.ts";

/** One request as it arrived. */
export interface StubRequest {
  /** Number of the request, from 1. */
  readonly n: number;
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  /** Session that the client says it is in. */
  readonly session: string | undefined;
  /** The body, byte for byte as UTF-8 text. */
  readonly raw: string;
  /** The body of a `POST /v1/messages`, `undefined` for every other request. */
  readonly body: MessagesRequest | undefined;
}

/** A request of a conversation. */
export type StubMessagesRequest = StubRequest & { readonly body: MessagesRequest };

/** Options of {@linkcode startStubApi}. */
export interface StubApiOptions {
  /** Replies by prompt; the first rule that matches is taken. @default none */
  readonly rules?: readonly Rule[];
}

interface Waiter {
  readonly accepts: (request: StubMessagesRequest) => boolean;
  readonly resolve: (request: StubMessagesRequest) => void;
  readonly reject: (reason: Error) => void;
}

/** A finished message in the API's form. */
interface ApiMessage {
  readonly content: readonly Block[];
  readonly usage: Readonly<Record<string, number>>;
  readonly stop_reason: string;
  readonly [field: string]: unknown;
}

const ORDINARY_USAGE = {
  input_tokens: 100,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 20,
};

/** Largest piece of text in one streamed event, in UTF-16 units. */
const TEXT_DELTA_LENGTH = 4000;

/** A running stand-in. Dispose of it to close it and all its connections. */
export class StubApi implements AsyncDisposable {
  readonly #requests: StubRequest[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #closing = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #rules: readonly Rule[];
  #lastId = 0;

  constructor({ rules = [] }: StubApiOptions = {}) {
    this.#rules = rules;
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      signal: this.#closing.signal,
      onListen: () => {},
    }, (request) => this.#handle(request));
  }

  /** The port on 127.0.0.1. */
  get port(): number {
    return this.#server.addr.port;
  }

  /** The address for `ANTHROPIC_BASE_URL`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Every request so far, in the order of arrival. */
  get requests(): readonly StubRequest[] {
    return this.#requests;
  }

  /** The requests of conversations so far, in the order of arrival. */
  get conversation(): StubMessagesRequest[] {
    return this.#requests.filter(isConversation);
  }

  /** Replaces the rules; requests that have arrived are not affected. */
  setRules(rules: readonly Rule[]): void {
    this.#rules = rules;
  }

  /** Forgets the requests so far and numbers the next one 1. */
  clearRequests(): void {
    this.#requests.length = 0;
  }

  /**
   * Waits for a request of a conversation; one that has arrived already counts.
   *
   * @param timeoutMs milliseconds after which waiting fails
   * @throws {Error} when none came in time, or the stand-in was closed
   */
  async waitFor(
    accepts: (request: StubMessagesRequest) => boolean,
    timeoutMs = 30_000,
  ): Promise<StubMessagesRequest> {
    const known = this.conversation.find(accepts);
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers<StubMessagesRequest>();
    const waiter = { accepts, resolve, reject };
    const timer = setTimeout(
      () => reject(new Error(`no such request arrived within ${timeoutMs} ms`)),
      timeoutMs,
    );
    this.#waiters.add(waiter);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const { reject } of this.#waiters) reject(new Error("the stub API was closed"));
    await this.#server.finished;
  }

  async #handle(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const raw = await request.text();
    const isMessages = request.method === "POST" && path === "/v1/messages";
    const logged: StubRequest = {
      n: this.#requests.length + 1,
      method: request.method,
      path,
      session: request.headers.get("x-claude-code-session-id") ?? undefined,
      raw,
      body: isMessages ? parseRequest(raw) : undefined,
    };
    this.#log(logged);
    if (isConversation(logged)) return await this.#answer(logged);
    if (isMessages) return this.#error(400, "not a request of the Messages API");
    const isCount = path === "/v1/messages/count_tokens";
    // Whatever else a client asks on its way (`HEAD /`, ...) is granted.
    return this.#json(200, isCount ? { input_tokens: Math.ceil(raw.length / 4) } : {});
  }

  #log(request: StubRequest): void {
    this.#requests.push(request);
    if (!isConversation(request)) return;
    for (const waiter of this.#waiters) {
      if (waiter.accepts(request)) waiter.resolve(request);
    }
  }

  async #answer({ body, n }: StubMessagesRequest): Promise<Response> {
    const reply = chooseReply(body, this.#rules, n);
    const { delayMs = 0, error, dropAfter } = reply.step;
    if (delayMs > 0) await pause(delayMs, this.#closing.signal);
    if (error !== undefined) return this.#error(error.status, error.message);
    const message = this.#message(body.model, reply);
    return body.stream ? this.#stream(message, dropAfter) : this.#json(200, message);
  }

  #message(model: string, { step, content }: Reply): ApiMessage {
    const ordinaryReason = content.some(isToolUse) ? "tool_use" : "end_turn";
    return {
      id: this.#id("msg"),
      type: "message",
      role: "assistant",
      model,
      content: content.map((block) =>
        isToolUse(block) ? { ...block, id: this.#id("toolu") } : block
      ),
      stop_reason: step.stopReason ?? ordinaryReason,
      stop_sequence: null,
      usage: { ...ORDINARY_USAGE, ...step.usage },
    };
  }

  #stream(message: ApiMessage, dropAfter: number | undefined): Response {
    const headers = {
      "content-type": "text/event-stream",
      "cache-control": "no-cache",
      "request-id": this.#id("req"),
    };
    if (dropAfter === undefined) {
      return new Response(ReadableStream.from(serverSentEvents(message)), { headers });
    }
    const sent = [...eventsUntilDrop(message, dropAfter)];
    // The server cuts the connection when a body ends before its announced length.
    const announced = sent.reduce((sum, { length }) => sum + length, 1);
    return new Response(ReadableStream.from(sent), {
      headers: { ...headers, "content-length": String(announced) },
    });
  }

  #error(status: number, message: string): Response {
    return this.#json(status, { type: "error", error: { type: "api_error", message } });
  }

  #json(status: number, body: unknown): Response {
    return Response.json(body, { status, headers: { "request-id": this.#id("req") } });
  }

  /** Makes ids that no other stand-in has made: conversations of several runs may meet in one file. */
  #id(kind: "msg" | "toolu" | "req"): string {
    this.#lastId++;
    return `${kind}_01stub${crypto.randomUUID().slice(0, 8)}${
      String(this.#lastId).padStart(8, "0")
    }`;
  }
}

/**
 * Starts a stand-in for the Messages API on a free port of 127.0.0.1.
 *
 * @example
 * ```ts ignore
 * await using stub = startStubApi({ rules: [{ match: "^hello", steps: [{ text: "hi" }] }] });
 * ```
 */
export function startStubApi(options: StubApiOptions = {}): StubApi {
  return new StubApi(options);
}

function isConversation(request: StubRequest): request is StubMessagesRequest {
  return request.body !== undefined;
}

function isToolUse(block: Block): boolean {
  return block.type === "tool_use";
}

/** Waits, or returns at once when the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}

function* serverSentEvents(message: ApiMessage): Generator<Uint8Array> {
  const { content, usage, stop_reason } = message;
  yield* eventsUntilDrop(message, content.length);
  yield event("message_delta", {
    delta: { stop_reason, stop_sequence: null },
    usage: { output_tokens: usage["output_tokens"] },
  });
  yield event("message_stop", {});
}

function* eventsUntilDrop(message: ApiMessage, blocks: number): Generator<Uint8Array> {
  const usage = { ...message.usage, output_tokens: 1 };
  yield event("message_start", {
    message: { ...message, content: [], stop_reason: null, usage },
  });
  for (const [index, block] of message.content.slice(0, blocks).entries()) {
    yield* blockEvents(index, block);
  }
}

function* blockEvents(index: number, block: Block): Generator<Uint8Array> {
  yield event("content_block_start", { index, content_block: emptied(block) });
  for (const delta of deltas(block)) yield event("content_block_delta", { index, delta });
  yield event("content_block_stop", { index });
}

/** Returns the block as it is announced, before its content. */
function emptied(block: Block): Block {
  if (block.type === "text") return { type: "text", text: "" };
  if (block.type === "thinking") return { type: "thinking", thinking: "", signature: "" };
  return { ...block, input: {} };
}

function* deltas(block: Block): Generator<Readonly<Record<string, unknown>>> {
  if (block.type === "text") {
    const text = block.text ?? "";
    for (let at = 0; at < text.length; at += TEXT_DELTA_LENGTH) {
      yield { type: "text_delta", text: text.slice(at, at + TEXT_DELTA_LENGTH) };
    }
  } else if (block.type === "thinking") {
    yield { type: "thinking_delta", thinking: block.thinking };
    yield { type: "signature_delta", signature: block.signature };
  } else {
    yield { type: "input_json_delta", partial_json: JSON.stringify(block.input) };
  }
}

function event(type: string, data: Readonly<Record<string, unknown>>): Uint8Array {
  return new TextEncoder().encode(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
}
