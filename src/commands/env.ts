import { basename } from "node:path";
import { type Command, Option } from "commander";
import { type ExportFormat, exportFormats } from "../client/exports.ts";
import { exportedNames, renderUnset } from "../client/unset.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { connectAsUser } from "./master-key.ts";
import { trusted } from "./trusted.ts";

interface Options {
  format?: ExportFormat | "adc";
  unset?: boolean;
  proxy?: boolean;
  fingerprint?: string;
  trustFolder?: string;
}

export function addEnvVerb(program: Command, io: Io): void {
  program
    .command("env")
    .description('what makes programs use the gateway: eval "$(lmk env)"; in fish: lmk env | source')
    .addOption(
      new Option(
        "--format <format>",
        "for which shell, or file (default: your shell); adc: the file of Google's clients",
      ).choices([...exportFormats, "adc"]),
    )
    .option("--key <key>", "the master key (default: LMK_KEY, else from ./llamakey_local.env)")
    .option("--proxy", "lead programs that read no base address through the gateway as well, as their proxy")
    .option("--fingerprint <sha256>", "of the gateway's certificate, as your administrator told you")
    .option(
      "--trust-folder <folder>",
      "where to keep the certificates that programs must trust (default: ~/.config/llamakey)",
    )
    .option("--unset", "remove from this shell what lmk env has set; asks no gateway")
    .action(async (options: Options, command: Command) => {
      const format = options.format ?? usualFormat(io);
      if (options.unset && format === "adc")
        throw new Failure("A file of Google's clients sets nothing in this shell; remove the file.");
      if (options.unset && format !== "adc")
        return io.print(renderUnset(format, exportedNames(io.environment)));
      const { proxy } = options;
      const gateway = connectAsUser(io, command);
      const needsTrust = proxy || gateway.address.startsWith("https:");
      const { client, trust } = needsTrust
        ? await trusted(io, gateway, options)
        : { client: gateway, trust: undefined };
      if (proxy && trust === undefined)
        throw new Failure("This gateway is no proxy: its administrator has not set LMK_PROXY_LISTEN.");
      const direct = proxy ? (io.environment["NO_PROXY"] ?? io.environment["no_proxy"]) : undefined;
      await io.print(await client.text("/lmk/env", { format, trust, proxy: proxy ? "" : undefined, direct }));
    });
}

function usualFormat({ environment, platform }: Io): ExportFormat {
  if (basename(environment["SHELL"] ?? "") === "fish") return "fish";
  return platform === "win32" ? "powershell" : "sh";
}
