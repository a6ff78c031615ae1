import { runProgram } from "./commands/program.ts";
import { demo } from "./serve/demo.ts";
import { cleanEnvironment, followParent } from "./serve/process.ts";
import { serve } from "./serve/serve.ts";
import { verify } from "./serve/verify.ts";
import { version } from "./version.ts";

const args = process.argv.slice(2);

/** What a server does before anything else; a command does without. */
function prepare(): void {
  cleanEnvironment(args);
  followParent();
}

const code = await runProgram(args, {
  version,
  serve: (settings) => {
    prepare();
    return serve({ ...process.env, ...settings }, process.cwd());
  },
  demo: (settings) => {
    prepare();
    return demo(settings);
  },
  verify: (settings, heads) => verify({ ...process.env, ...settings }, process.cwd(), heads),
});
process.exit(code);
