/**
 * `npm run build:packages`: what package registries take, into dist/. The same sources make the same bytes.
 *
 *   llamakey-<version>.tgz        for npm: the client, on Node alone (`npx llamakey run -- ...`)
 *   llamakey-<version>-*.whl      for PyPI: the executable, `lmk` and `llamakey`, one for each platform
 *
 *   npm run build:packages                   with the wheel for this machine
 *   npm run build:packages -- --all          with those for every platform that Bun has a package for
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { packClient } from "../src/serve/client-package.ts";
import { version } from "../src/version.ts";
import { buildFor, buildHere, ownTarget, root, targets } from "./executable.ts";
import { wheelFor } from "./wheel.ts";

const wanted = process.argv.includes("--all") ? targets : [ownTarget];
const dist = `${root}dist`;
await mkdir(dist, { recursive: true });
for (const file of await readdir(dist))
  if (/^llamakey-.*\.(?:whl|tgz)$/.test(file)) await rm(`${dist}/${file}`);

const [readme, license] = [await readFile(`${root}README.md`), await readFile(`${root}LICENSE`)];
await put(`llamakey-${version}.tgz`, await packClient({ "README.md": readme, LICENSE: license }));
for (const target of wanted) {
  const executable = await readFile(
    root + (target === ownTarget ? await buildHere() : await buildFor(target)),
  );
  const { name, bytes } = wheelFor(target, { version, executable, readme, license });
  await put(name, bytes);
}

async function put(name: string, bytes: Uint8Array): Promise<void> {
  await writeFile(`${dist}/${name}`, bytes);
  console.log(`dist/${name}: ${(bytes.length / 1e6).toFixed(1)} MB`);
}
