import { Argument, type Command } from "commander";
import { snippets } from "../client/snippets/catalogue.ts";
import type { Snippet } from "../client/snippets/snippet.ts";
import type { Io } from "./io.ts";

export function addSnippetVerb(program: Command, io: Io): void {
  program
    .command("snippet")
    .description("a few lines that make a library use the gateway, with LMK_URL and LMK_KEY; asks no gateway")
    .addArgument(new Argument("<library>", "which one").choices(snippets.map(({ id }) => id)))
    .action(async (library: string) => {
      const { install, code } = snippets.find(({ id }) => id === library) as Snippet;
      if (install !== undefined) io.note(install);
      await io.print(code);
    });
}
