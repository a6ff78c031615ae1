/** A server that speaks OpenAI's API, or a dedicated Inference Endpoint of Hugging Face's. */
export type NamedKind = "server" | "huggingface_endpoint";

/** A provider that an administrator has named while the gateway ran, beside those of the configuration. */
export interface NamedProvider {
  /** What its paths begin with. */
  readonly id: string;
  readonly kind: NamedKind;
  /** For people. */
  readonly name: string;
  /** Without a trailing slash. */
  readonly upstream: string;
  /** It may be in a network of one's own, and without TLS. */
  readonly allowPrivate: boolean;
  readonly createdAt: number;
}
