import type { ConsoleBundle } from "./console-bundle.ts";

/** The console inside the executable: `scripts/build.ts` puts it in this file's place. A checkout has none. */
export const bundledConsole: ConsoleBundle | undefined = undefined;
