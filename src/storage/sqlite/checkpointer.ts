import { Database } from "bun:sqlite";

/** Between looks, milliseconds: what the writer adds meanwhile is little. */
const EVERY_MS = 100;

/**
 * Brings what the log of writes (WAL) holds into the database file, from a connection and a thread of its own: where the
 * writer did it, every so many commits one would wait for all of it, and the holds of calls with it.
 */
export class Checkpointer {
  private readonly database: Database;
  private readonly timer: Timer;

  /** @param path Of a database that is open for writing elsewhere in this process. */
  constructor(path: string) {
    this.database = new Database(path, { readwrite: true, create: false });
    this.database.run("PRAGMA wal_autocheckpoint = 0");
    const look = this.database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
    this.timer = setInterval(() => {
      try {
        look.all();
      } catch {
        // A disk that is full or fails is the writer's to report: it does this too, where it was not done here.
      }
    }, EVERY_MS);
  }

  close(): void {
    clearInterval(this.timer);
    this.database.close();
  }
}
