import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/gateway.ts";

interface Locked {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const read = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"));
const locked: Record<string, Locked> = read("package-lock.json").packages;

test("every dependency is one exact version", () => {
  const { dependencies, devDependencies, optionalDependencies } = read("package.json");
  const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([]);
  expect(versions).not.toBeEmpty();
});

test("no package has an install script, but for one of the tests' that only prints a warning", () => {
  const scripted = Object.entries(locked).filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(scripted.map(([path, { dev }]) => [path, dev])).toEqual([["node_modules/protobufjs", true]]);
});
