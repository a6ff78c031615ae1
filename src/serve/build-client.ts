import { fileURLToPath } from "node:url";

/** For Node a bundler takes this package's other form, which requires files in a way that no bundler follows. */
const modules: Bun.BunPlugin = {
  name: "modules",
  setup: (build) => {
    build.onResolve({ filter: /^jsonc-parser$/ }, () => ({
      path: fileURLToPath(import.meta.resolve("jsonc-parser/lib/esm/main.js")),
    }));
  },
};

/** The client in one file for Node, made of the sources beside this one. */
export async function buildClient(): Promise<string> {
  const built = await Bun.build({
    entrypoints: [fileURLToPath(new URL("../client-main.ts", import.meta.url))],
    target: "node",
    minify: true,
    banner: "#!/usr/bin/env node",
    plugins: [modules],
  });
  const [output] = built.outputs;
  if (!built.success || output === undefined)
    throw new AggregateError(built.logs, "The client could not be built.");
  return output.text();
}
