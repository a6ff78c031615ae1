/** The id of a request: unique over restarts and replicas by the random middle, within a process by the count. */
export function nextId(): string {
  idCount++;
  return idPrefix + idCount.toString(36);
}

const idPrefix = `lmkreq-${crypto.randomUUID().slice(0, 13)}-`;
let idCount = 0;
