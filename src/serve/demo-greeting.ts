import { type Greeting, whereConsoleIs } from "./greeting.ts";

interface DemoFacts extends Greeting {
  readonly dataDir: string;
  readonly hasTraffic: boolean;
  readonly people: readonly (readonly [name: string, group: string])[];
}

/** What a demo prints: that all of it is simulated, and two lines that answer when they are pasted into a shell. */
export function demoGreeting(facts: DemoFacts): string {
  const { version, publicUrl, dataDir, hasTraffic, people, exportsFile = "" } = facts;
  const exports = `. ${quoted(exportsFile)}`;
  const calls = hasTraffic
    ? "They call it a few times a second at first, then every few seconds."
    : "Nobody calls it yet.";
  const here = `LMK_DATA_DIR=${quoted(dataDir)} LMK_URL=${publicUrl} npm start --`;
  return `LlaMaKey ${version}, a demo, is listening on ${publicUrl}

All of this is simulated: openai and anthropic are stand-ins in this process, which call nobody, cost
nothing and take no real key. Real keys in the environment are ignored.

Users: ${people.map(([name, group]) => `${name} (${group})`).join(", ")}. ${calls}

A simulated answer with curl, as ${people[0]?.[0]}:

  ${exports} && ${CURL}

The same, simulated, in Python:

  ${exports} && ${PYTHON}

In another terminal, of these simulated calls:

  ${here} usage --by group,user,model
  ${here} logs --follow

${whereConsoleIs(facts)}

Everything is in ${dataDir}; delete that folder to begin anew.
`;
}

const BODY = '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}';

const CURL = [
  'curl -s "$OPENAI_BASE_URL/chat/completions" -H "authorization: Bearer $OPENAI_API_KEY"',
  `-H "content-type: application/json" -d '${BODY}'`,
].join(" ");

/** Without any package, so that it answers wherever there is Python. */
const PYTHON = [
  "python3 -c 'import json, os, urllib.request as u;",
  'r = u.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions",',
  `json.dumps(${BODY}).encode(),`,
  '{"authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "content-type": "application/json"});',
  'print(json.load(u.urlopen(r))["choices"][0]["message"]["content"])\'',
].join(" ");

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
