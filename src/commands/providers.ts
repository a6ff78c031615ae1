import type { Command } from "commander";
import { CredentialTest, Provider } from "./answers.ts";
import { connect, segment } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { list } from "./table.ts";

const path = "/api/v1/providers";

interface AddOptions {
  name?: string;
  huggingFace?: boolean;
  allowPrivate?: boolean;
  json?: boolean;
}

export function addProvidersVerb(program: Command, io: Io): void {
  const providers = program
    .command("providers")
    .description("providers that this gateway forwards to")
    .option("--json", "as JSON")
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const items = await connect(io, command).list(path, Provider);
      const rows = items.map(({ id, name, upstream, credentials, ready }) => [
        id,
        name,
        upstream,
        String(credentials),
        ready ? "yes" : "no: it has no credential",
      ]);
      const headings = ["ID", "NAME", "UPSTREAM", "CREDENTIALS", "READY"];
      await io.print(json ? jsonText(items) : list(headings, rows, "No providers."));
    });
  addAdd(providers, io);
  addTest(providers, io);
  addRemove(providers, io);
}

function addAdd(providers: Command, io: Io): void {
  providers
    .command("add")
    .description("name a server of your own that speaks OpenAI's API, or a Hugging Face endpoint")
    .argument("<id>", "what its paths begin with: lab is called at /lab/v1")
    .argument("<address>", "with the version of a server: https://models.example.com/v1")
    .option("--name <name>", "for people")
    .option("--hugging-face", "it is a dedicated Inference Endpoint of Hugging Face's: called at /hf-<id>")
    .option("--allow-private", "it may be in a network of your own, and without TLS")
    .option("--json", "as JSON")
    .action(async (id: string, upstream: string, options: AddOptions, command: Command) => {
      const { name, huggingFace = false, allowPrivate = false, json } = options;
      const body = {
        kind: huggingFace ? "huggingface_endpoint" : "server",
        id,
        upstream,
        allowPrivate,
        ...(name === undefined ? {} : { name }),
      };
      const added = await connect(io, command).post(path, body, Provider);
      if (json) await io.print(jsonText(added));
      io.note(
        `${added.name} can be called at /${added.id}. If it wants a key: lmk credential add ${added.id}. Try it: lmk providers test ${added.id}`,
      );
    });
}

function addTest(providers: Command, io: Io): void {
  providers
    .command("test")
    .description("ask a provider whether it answers; costs nothing")
    .argument("<id>", "see: lmk providers")
    .option("--json", "as JSON")
    .action(async (id: string, { json }: { json?: boolean }, command: Command) => {
      const result = await connect(io, command).post(
        `${path}/${segment(id)}/test`,
        undefined,
        CredentialTest,
      );
      if (json) await io.print(jsonText(result));
      if (!result.ok) throw new Failure(result.message);
      io.note(`${result.message} (${result.durationMs} ms)`);
    });
}

function addRemove(providers: Command, io: Io): void {
  providers
    .command("remove")
    .description("forget a provider that was added; those of the environment are removed there")
    .argument("<id>", "see: lmk providers")
    .action(async (id: string, _options: unknown, command: Command) => {
      await connect(io, command).delete(`${path}/${segment(id)}`);
      io.note(`Provider ${id} removed.`);
    });
}
