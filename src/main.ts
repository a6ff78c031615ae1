import { runProgram } from "./commands/program.ts";
import { cleanEnvironment, followParent } from "./serve/process.ts";
import { version } from "./version.ts";

const args = process.argv.slice(2);

/** What a server does before anything else; a command does without. */
function prepare(): void {
  cleanEnvironment(args);
  followParent();
}

// The gateway itself is loaded by whoever runs one: commands are quicker without, and a server starts over before it.
const code = await runProgram(args, {
  version,
  serve: async (settings) => {
    prepare();
    const { serve } = await import("./serve/serve.ts");
    return serve({ ...process.env, ...settings }, process.cwd());
  },
  demo: async (settings) => {
    prepare();
    const { demo } = await import("./serve/demo.ts");
    return demo(settings);
  },
  verify: async (settings, heads) => {
    const { verify } = await import("./serve/verify.ts");
    return verify({ ...process.env, ...settings }, process.cwd(), heads);
  },
});
process.exit(code);
