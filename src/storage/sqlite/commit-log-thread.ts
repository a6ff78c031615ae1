/**
 * A thread that does nothing but make commits durable: neither a checkpoint of the database nor somebody's long change is
 * in a hold's way here. It answers each text, in the order in which they came.
 */
import { CommitLog, type CommitPosition } from "./commit-log.ts";

/**
 * Open this log; append this text; the database has all up to this number; or, null, it has failed, and no room is to be
 * waited for.
 */
export type LogMessage =
  | { readonly path: string; readonly position: CommitPosition }
  | string
  | number
  | null;

/** The number of the commit, or of the last one of the log that was opened; otherwise, what went wrong. */
export type LogReply = number | { readonly error: string };

declare const self: Worker;

let log: CommitLog | undefined;
/** What found no room, and what came behind it. */
const waiting: string[] = [];

self.onmessage = ({ data }: MessageEvent<LogMessage>) => {
  if (typeof data === "string") {
    if (waiting.length > 0 || !append(data)) waiting.push(data);
  } else if (typeof data === "number") {
    log?.release(data);
    while (waiting[0] !== undefined && append(waiting[0])) waiting.shift();
  } else if (data === null) {
    for (const _ of waiting.splice(0))
      answer(() => {
        throw new Error("The ledger's log is full of what the database could not take.");
      });
  } else {
    answer(() => {
      log = CommitLog.open(data.path, data.position);
      return data.position.applied;
    });
  }
};

/** @returns false where it must wait. */
function append(text: string): boolean {
  return answer(() => {
    if (log === undefined) throw new Error("the log is not open");
    return log.append(text);
  });
}

/** Posts what this returns, if anything. */
function answer(work: () => number | undefined): boolean {
  let reply: LogReply | undefined;
  try {
    reply = work();
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) };
  }
  if (reply === undefined) return false;
  self.postMessage(reply);
  return true;
}
