/** A few lines that make a library use the gateway. They run as they are where `LMK_URL` and `LMK_KEY` are set. */
export interface Snippet {
  /** What `lmk snippet` calls it. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly language: "python" | "typescript" | "sh";
  /** How to get what it needs; undefined where the system has it. */
  readonly install?: string;
  /** The provider that it calls. */
  readonly provider: string;
  readonly code: string;
}
