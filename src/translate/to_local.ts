/**
 * Portable form to local form: the way in.
 *
 * @module
 */
import { byteText } from "./bytes.ts";
import { type PathExtent, TextContext } from "./context.ts";
import { Rewriter } from "./rewriter.ts";
import { parseForm } from "./spelling.ts";
import { readToken, type Token, TOKEN_OPEN } from "./token.ts";
import type { Expansion, Translator } from "./translator.ts";

/**
 * Returns the local form of portable content: tokens become this machine's paths, and the rest of a path
 * gets this machine's separators up to its end. A token that this machine cannot expand stays (T6). Where
 * there is no token the very same array is returned.
 *
 * @param unmapped Receives the names of placeholders without a path here
 */
export function toLocal(
  translator: Translator,
  bytes: Uint8Array,
  unmapped?: Set<string>,
): Uint8Array {
  return new Decoder(translator, bytes, unmapped).run();
}

class Decoder {
  readonly #translator: Translator;
  readonly #unmapped: Set<string> | undefined;
  readonly #text: string;
  readonly #context: TextContext;
  readonly #rewriter: Rewriter;

  constructor(translator: Translator, bytes: Uint8Array, unmapped: Set<string> | undefined) {
    this.#translator = translator;
    this.#unmapped = unmapped;
    this.#text = byteText(bytes);
    this.#context = new TextContext(this.#text, translator.codec);
    this.#rewriter = new Rewriter(bytes, this.#text);
  }

  run(): Uint8Array {
    const text = this.#text;
    for (let at = text.indexOf(TOKEN_OPEN); at !== -1;) {
      const token = readToken(text, at);
      if (token !== undefined) this.#apply(token);
      at = text.indexOf(TOKEN_OPEN, token?.end ?? at + 1);
    }
    return this.#rewriter.finish();
  }

  #apply(token: Token): void {
    if (token.tildes > 0) this.#unescape(token);
    else {
      const expansion = this.#translator.expand(token.name, token.form);
      if (expansion === undefined) this.#keep(token);
      else this.#expand(token, expansion);
    }
  }

  #unescape({ start }: Token): void {
    const tilde = start + TOKEN_OPEN.length;
    this.#rewriter.replace(tilde, tilde + 1, "");
  }

  #keep({ name, form, start }: Token): void {
    if (!this.#translator.knows(name)) this.#unmapped?.add(name);
    if (parseForm(form)?.kind !== "dir") this.#rewriter.leave(start);
  }

  #expand(token: Token, expansion: Expansion): void {
    // A directory name stands inside another path; any other root begins its own.
    const isDir = expansion.spelling.kind === "dir";
    if (!isDir) this.#rewriter.leave(token.start);
    this.#rewriter.replace(token.start, token.end, expansion.text);
    if (!isDir && this.#translator.profile.style === "windows") this.#follow(token, expansion);
  }

  /** Makes the slashes of the rest of a path this machine's separators. */
  #follow({ start, end }: Token, { spelling, separator, isDrive }: Expansion): void {
    const { kind, separators } = spelling;
    const isNative = kind === "native" || kind === "ext";
    if (!isNative && separators === undefined) return;
    if (separators === undefined && isDrive && !this.#text.startsWith("/", end)) {
      this.#rewriter.replace(end, end, separator);
    }
    const rule = { unit: separator.length, backslashSeparates: false };
    const extent: PathExtent = separators === undefined
      ? this.#context.extentOf(start, end, rule)
      : { kind: "quoted", end: this.#context.lineEnd(start) };
    let count = 0;
    this.#rewriter.follow({
      extent,
      rule,
      convert() {
        if (separators === undefined) return separator;
        const letter = separators.charAt(count++);
        return letter === "f" ? "/" : letter === "b" ? separator : undefined;
      },
    });
  }
}
