import { type Command, InvalidArgumentError, Option } from "commander";
import type { Io } from "./io.ts";
import { readSettings } from "./settings.ts";

/** Settings that the command line gives, by their names in the environment; they go before both environment and `.env`. */
export type ServeSettings = Readonly<Record<string, string>>;

/** Runs the gateway until it is stopped; returns the exit code. */
export type Serve = (settings: ServeSettings) => Promise<number>;

interface Options {
  listen?: string;
  port?: string;
  dataDir?: string;
  tls?: string;
}

export function addServeVerb(program: Command, io: Io, serve: Serve, exit: (code: number) => void): void {
  program
    .command("serve")
    .description("run the gateway; what lmk does where no command is named")
    .option("--listen <host:port>", "where to listen (LMK_LISTEN; default: 127.0.0.1:8000)")
    .addOption(
      new Option("--port <port>", "another port on the same host").argParser(port).conflicts("listen"),
    )
    .option(
      "--data-dir <folder>",
      "where everything durable is kept (LMK_DATA_DIR; default: ./llamakey-data)",
    )
    .addOption(
      new Option(
        "--tls <kind>",
        "serve TLS with certificates of a local authority (LMK_TLS; with your own: LMK_TLS_CERT, LMK_TLS_KEY)",
      ).choices(["local"]),
    )
    .action(async (options: Options) => exit(await serve(serveSettings(options, io))));
}

function serveSettings({ listen, port, dataDir, tls }: Options, io: Io): ServeSettings {
  const settings: Record<string, string> = {};
  if (listen !== undefined) settings["LMK_LISTEN"] = listen;
  if (port !== undefined) {
    const host = readSettings(io)("LMK_LISTEN")?.replace(/:?\d*$/, "") || "127.0.0.1";
    settings["LMK_LISTEN"] = `${host}:${port}`;
  }
  if (dataDir !== undefined) settings["LMK_DATA_DIR"] = dataDir;
  if (tls !== undefined) settings["LMK_TLS"] = tls;
  return settings;
}

function port(text: string): string {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return text;
  throw new InvalidArgumentError("It must be a number from 0 to 65535; 0 takes any free one.");
}
