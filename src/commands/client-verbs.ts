import type { Command } from "commander";
import { addConfigureVerb } from "./configure.ts";
import { addDoctorVerb } from "./doctor.ts";
import { addEnvVerb } from "./env.ts";
import type { Io } from "./io.ts";
import { addMeVerb } from "./me.ts";
import { addRunVerb } from "./run.ts";
import type { Exit } from "./run-verbs.ts";
import { addSnippetVerb } from "./snippet.ts";

/** What a user does with a key of their own, wherever they are. These run on Node as well: nothing of Bun's here. */
export function addClientVerbs(program: Command, io: Io, exit: Exit): void {
  addEnvVerb(program, io);
  addConfigureVerb(program, io);
  addSnippetVerb(program, io);
  addRunVerb(program, io, exit);
  addDoctorVerb(program, io, exit);
  addMeVerb(program, io);
}
