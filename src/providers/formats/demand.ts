import { type DemandBounds, defaultBounds } from "../../domain/demand.ts";

/**
 * How a kind of request says what it can cost: which members of its JSON to look at, and what they mean. Data, which
 * the gateway compiles at its first use.
 */
export interface DemandFormat {
  readonly bounds: DemandBounds;
  /** Of the whole object. All that is not here is skipped unread. */
  readonly members: Members;
  /** Where a cap on the output is written; absent where this kind of request takes none. */
  readonly cap?: CapRule;
}

/** By name; case does not matter, escapes neither: another spelling of such a name is refused. */
export type Members = Readonly<Record<string, Fact | MemberRule>>;

export interface MemberRule {
  readonly is?: Fact;
  /** Further spellings of the same member: it may be given once. */
  readonly also?: readonly string[];
  /** Members of its value, which is an object: of just that, at no other depth. */
  readonly members?: Members;
  /** What to count wherever in its value it stands. */
  readonly parts?: Parts;
  /** Its value is a list of tools. */
  readonly tools?: Tools;
}

/** What a member's value says. */
export type Fact =
  | "model"
  | "stream"
  | "streamOptions"
  /** The most tokens of output. Of several, the largest counts. */
  | "cap"
  /** The number of answers. Of several, the largest counts. */
  | "answers"
  | "tier"
  /** Anthropic's `fast` is a tier by another name. */
  | "speed"
  | "region"
  /** It goes on from what the provider keeps. */
  | "stored"
  | "background"
  /** The most calls of tools that the provider runs. */
  | "toolUses"
  /** With it the provider searches, or runs tools. */
  | "serverTool"
  /** Others models may answer. */
  | "otherModels"
  /** What the answer may be made of: `text`, `audio`, `image`. */
  | "modalities"
  | "predicts"
  | "caching"
  /** One prompt, or a list of them: texts, or lists of tokens. */
  | "prompts"
  /** A list: documents, inputs, pages. */
  | "items"
  /** A list of images. */
  | "images"
  | "query"
  /** A link to, or the id of, something whose length nobody here knows. */
  | "file";

export interface Parts {
  /** By the name of a member. */
  readonly names?: Readonly<Record<string, Part>>;
  /** By the beginning of a member `type`. */
  readonly types?: Readonly<Record<string, Part>>;
}

export type Part =
  /** One image. Where its value is one as text (`data:image/...`), that is no text to be read. */
  | "image"
  /** Holds the value of an image that was counted already. */
  | "link"
  | "audio"
  | "file"
  | "stored"
  | "serverTool"
  | "caching"
  /** How long what is cached is kept. */
  | "ttl"
  /** Something by value, of the type in a `mime` beside it. */
  | "inline"
  | "mime";

export interface Tools {
  /** Names (of each tool's `type`, or only member) of those that the client runs, in full or ending in `*`. */
  readonly clientRun: readonly string[];
  /** Whether a tool says what it is by its `type`, or by the names of its members. */
  readonly by: "type" | "member";
}

export interface CapRule {
  readonly member: string;
  /** The object that it stands in, with its other spellings, where it is not the request itself. */
  readonly within?: readonly string[];
}

export function bounds(those: Partial<DemandBounds>): DemandBounds {
  return { ...defaultBounds, ...those };
}

/** Where nothing is said of an endpoint: it may still name a model, and stream. */
export const unknownDemand: DemandFormat = {
  bounds: defaultBounds,
  members: { model: "model", stream: "stream", stream_options: "streamOptions", background: "background" },
};

/** Asks for what an earlier call has brought about. */
export const resultDemand: DemandFormat = {
  bounds: bounds({ kind: "result" }),
  members: unknownDemand.members,
};
