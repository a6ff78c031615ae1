/** The body of an answer, in the pieces in which it comes. */
export interface AnswerBody {
  /**
   * The next piece; null where it is over. A promise only where none is there yet; it rejects where the answer broke
   * off, with an `UpstreamFailure`, or with what the call was aborted with.
   */
  read(): Uint8Array<ArrayBuffer> | null | Promise<Uint8Array<ArrayBuffer> | null>;
  /** Nobody wants the rest. */
  cancel(): void;
}

/** What an upstream answered. */
export class Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Null where an answer of this kind has none. */
  readonly body: AnswerBody | null;

  constructor(status: number, headers: Headers, body: AnswerBody | null) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** The same answer with another body. */
  static withBytes({ status, headers }: Answer, bytes: Uint8Array<ArrayBuffer>): Answer {
    return new Answer(status, headers, new BytesBody(bytes));
  }

  /** What the platform's own client received. */
  static from({ status, headers, body }: Response): Answer {
    return new Answer(status, new Headers(headers), body === null ? null : new StreamBody(body));
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }
}

/** All pieces of a body. */
export async function* piecesOf(body: AnswerBody | null): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (body === null) return;
  let isOver = false;
  try {
    for (;;) {
      const piece = await body.read();
      if (piece === null) break;
      yield piece;
    }
    isOver = true;
  } finally {
    if (!isOver) body.cancel();
  }
}

class BytesBody implements AnswerBody {
  private bytes: Uint8Array<ArrayBuffer> | null;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }

  read(): Uint8Array<ArrayBuffer> | null {
    const { bytes } = this;
    this.bytes = null;
    return bytes;
  }

  cancel(): void {
    this.bytes = null;
  }
}

class StreamBody implements AnswerBody {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.reader = stream.getReader();
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    const { done, value } = await this.reader.read();
    return done ? null : value;
  }

  cancel(): void {
    // What breaks off in that moment is nobody's any more.
    this.reader.cancel().catch(() => {});
  }
}
