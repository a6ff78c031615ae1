/** Names and paths as administrators write them: `*` for any characters, nothing else is special. Case does not matter. */
export type Matcher = (text: string) => boolean;

/** A pattern that cannot be used, with the reason for whoever wrote it. */
export class BadPattern extends Error {
  override name = "BadPattern";
}

const MAX_PATTERN = 300;
const MAX_STARS = 20;

/**
 * A model's name: `gpt-5*`. A pattern with a slash is also compared with the name that has its provider in front:
 * `openai/gpt-5*`. (Others are not: `o*` would be all of OpenAI.)
 * @returns tells for a provider and a model whether the pattern is of it, by either name.
 * @throws BadPattern
 */
export function compileModelPattern(pattern: string): (provider: string, model: string) => boolean {
  const text = checked(pattern);
  const matches = compileWildcards(text);
  if (!text.includes("/")) return (_, model) => matches(model.toLowerCase());
  return (provider, model) => {
    const name = model.toLowerCase();
    return matches(name) || matches(`${provider}/${name}`);
  };
}

/**
 * `*` stands for any characters. Pieces between stars are searched for one after another: however the pattern and the
 * text are chosen, this takes no longer than reading the text once for each piece.
 * @param pattern Lower-case.
 */
export function compileWildcards(pattern: string): Matcher {
  const pieces = pattern.split("*");
  const first = pieces[0] ?? "";
  if (pieces.length === 1) return (text) => text === first;
  const last = pieces.at(-1) ?? "";
  const middle = pieces.slice(1, -1).filter((piece) => piece !== "");
  return (text) => {
    if (text.length < first.length + last.length) return false;
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    for (const piece of middle) {
      const found = text.indexOf(piece, at);
      if (found === -1 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

/** Whether a call of this method to this path of the provider is one of the pattern's. */
export interface EndpointMatcher {
  /** `*` for any provider. */
  readonly provider: string;
  /** Undefined for any. */
  readonly methods: ReadonlySet<string> | undefined;
  readonly path: Matcher;
}

/** How a provider's path is spelt for rules: lower-case, without its version. */
export type PathReader = (provider: string, path: string) => string;

const ENDPOINT = /^(?:(\*|[A-Za-z]+(?:,[A-Za-z]+)*) )?(\/\S*)$/;

/**
 * `GET,POST /openai/v1/files/**`: `*` stands for any characters of one segment, `**` for any segments, also none; before
 * the path, methods, or `*` or nothing for any; the provider may be `*`. A path's version may be left out.
 * @throws BadPattern
 */
export function compileEndpointPattern(pattern: string, read: PathReader): readonly EndpointMatcher[] {
  const match = ENDPOINT.exec(checked(pattern.replace(/ +/g, " "), false));
  if (match === null)
    throw new BadPattern('it must be methods and a path, for example "POST /openai/v1/responses"');
  const [, methods, target = ""] = match;
  if (/[%;?#\\]/.test(target) || /\/\.{1,2}(?:\/|$)/.test(target)) {
    throw new BadPattern("its path must be plain: no query, percent-encoding, parameters or dot segments");
  }
  if (/[^/]\*\*|\*\*[^/]/.test(target)) throw new BadPattern('"**" must stand alone between slashes');
  const slash = target.indexOf("/", 1);
  const provider = (slash === -1 ? target.slice(1) : target.slice(1, slash)).toLowerCase();
  if (provider !== "*" && provider !== "**" && !/^[a-z0-9-]+$/.test(provider)) {
    throw new BadPattern("its path must begin with a provider, or with * for all of them");
  }
  const rest = slash === -1 ? "/" : target.slice(slash);
  const asked =
    methods === undefined || methods === "*" ? undefined : new Set(methods.toUpperCase().split(","));
  // HEAD asks for the same as GET, without the answer's body.
  if (asked?.has("GET")) asked.add("HEAD");
  const matcher = (path: string): EndpointMatcher => ({
    provider: provider === "**" ? "*" : provider,
    methods: asked,
    path: compilePath(path),
  });
  if (provider === "**") return [matcher("/**")];
  // For all providers at once no single version is meant: whatever looks like one is left out.
  const plain =
    provider === "*"
      ? rest.toLowerCase().replace(/^\/v\d+(?:alpha|beta)?\d*(?=\/|$)/, "")
      : read(provider, rest);
  return [matcher(plain)];
}

/** @param pattern Lower-case; `*` within a segment, `**` as one. */
function compilePath(pattern: string): Matcher {
  const wanted = segments(pattern).map((segment) => (segment === "**" ? null : compileWildcards(segment)));
  if (!pattern.includes("*")) {
    const whole = `/${segments(pattern).join("/")}`;
    return (path) => path === whole || withoutLastSlash(path) === whole;
  }
  return (path) => matchSegments(segments(path), wanted);
}

/** Null in `wanted` stands for any number of segments; going back to the last one of them is enough. */
function matchSegments(path: readonly string[], wanted: readonly (Matcher | null)[]): boolean {
  let at = 0;
  let rule = 0;
  let any = -1;
  let anyAt = 0;
  while (at < path.length) {
    const matcher = wanted[rule];
    if (matcher === null) {
      any = rule++;
      anyAt = at;
    } else if (matcher?.(path[at] ?? "")) {
      at++;
      rule++;
    } else if (any !== -1) {
      rule = any + 1;
      at = ++anyAt;
    } else return false;
  }
  while (wanted[rule] === null) rule++;
  return rule === wanted.length;
}

function segments(path: string): string[] {
  const bare = withoutLastSlash(path).slice(1);
  return bare === "" ? [] : bare.split("/");
}

function withoutLastSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

function checked(pattern: string, noSpace = true): string {
  const text = pattern.trim();
  if (text === "") throw new BadPattern("it is empty");
  if (text.length > MAX_PATTERN) throw new BadPattern(`it is longer than ${MAX_PATTERN} characters`);
  if (text.split("*").length - 1 > MAX_STARS) throw new BadPattern(`it has more than ${MAX_STARS} stars`);
  if (/[\p{Cc}\p{Cf}]/u.test(text) || (noSpace && /\s/.test(text)))
    throw new BadPattern("it contains a space or a control character");
  return noSpace ? text.toLowerCase() : text;
}
