/** Ends something early, once: an `AbortController` that costs nothing where nobody asks for its signal. */
export class Abort {
  private isAborted = false;
  private why: unknown;
  private controller: AbortController | undefined;
  /** Called when it is aborted; one at a time. */
  onAbort: ((reason: unknown) => void) | undefined;

  get aborted(): boolean {
    return this.isAborted;
  }

  get reason(): unknown {
    return this.why;
  }

  /** For the platform's own functions. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.isAborted) this.controller.abort(this.why);
    }
    return this.controller.signal;
  }

  abort(reason: unknown = new DOMException("The operation was aborted.", "AbortError")): void {
    if (this.isAborted) return;
    this.isAborted = true;
    this.why = reason;
    this.onAbort?.(reason);
    this.controller?.abort(reason);
  }

  throwIfAborted(): void {
    if (this.isAborted) throw this.why;
  }
}
