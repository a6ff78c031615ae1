import { createHash } from "node:crypto";
import { zip } from "./zip.ts";

interface Contents {
  /** As package.json has it. */
  readonly version: string;
  readonly executable: Uint8Array;
  readonly readme: Uint8Array;
  readonly license: Uint8Array;
}

/**
 * What installers match against their platform, by Bun's name of it. Its binaries ask for glibc 2.17 (2014's) and macOS
 * 13; those for musl need libstdc++ beside it, which is not in every image.
 */
export const wheelTags: Readonly<Record<string, string>> = {
  "linux-x64": "manylinux_2_17_x86_64.manylinux2014_x86_64",
  "linux-aarch64": "manylinux_2_17_aarch64.manylinux2014_aarch64",
  "linux-x64-musl": "musllinux_1_2_x86_64",
  "linux-aarch64-musl": "musllinux_1_2_aarch64",
  "darwin-x64": "macosx_13_0_x86_64",
  "darwin-aarch64": "macosx_13_0_arm64",
  "windows-x64": "win_amd64",
};

/** A Python wheel that holds the executable: it lands as `lmk` among the scripts, and `llamakey` starts it. */
export function wheelFor(target: string, contents: Contents): { name: string; bytes: Uint8Array } {
  const tags = wheelTags[target];
  if (tags === undefined) throw new Error(`No wheel tag is known for ${target}.`);
  const version = pythonVersion(contents.version);
  const [info, data] = [`llamakey-${version}.dist-info`, `llamakey-${version}.data`];
  const program = target.startsWith("windows") ? "lmk.exe" : "lmk";
  const files: [path: string, content: Uint8Array | string, mode: number][] = [
    ["llamakey/__init__.py", LAUNCHER, 0o644],
    ["llamakey/__main__.py", "from llamakey import main\n\nmain()\n", 0o644],
    [`${data}/scripts/${program}`, contents.executable, 0o755],
    [`${info}/METADATA`, metadata(version, contents.readme), 0o644],
    [`${info}/WHEEL`, wheelFile(tags), 0o644],
    [`${info}/entry_points.txt`, "[console_scripts]\nllamakey = llamakey:main\n", 0o644],
    [`${info}/licenses/LICENSE`, contents.license, 0o644],
  ];
  const entries = files.map(([path, content, mode]) => ({ path, mode, content: Buffer.from(content) }));
  const record = [...entries.map(({ path, content }) => recordLine(path, content)), `${info}/RECORD,,`, ""];
  const all = [...entries, { path: `${info}/RECORD`, mode: 0o644, content: Buffer.from(record.join("\n")) }];
  return { name: `llamakey-${version}-py3-none-${tags}.whl`, bytes: zip(all) };
}

/** `1.2.3-rc.4` is `1.2.3rc4` there. */
export function pythonVersion(version: string): string {
  const match = /^(\d+\.\d+\.\d+)(?:-(alpha|beta|rc)\.(\d+))?$/.exec(version);
  if (match === null) throw new Error(`Python has no way to write the version ${version}.`);
  const [, base = "", stage, number] = match;
  return stage === undefined ? base : `${base}${{ alpha: "a", beta: "b", rc: "rc" }[stage]}${number}`;
}

function metadata(version: string, readme: Uint8Array): string {
  return `Metadata-Version: 2.1
Name: llamakey
Version: ${version}
Summary: A self-hosted gateway in front of every LLM API: one key per user, real budgets, untouched traffic.
License: MIT
License-File: LICENSE
Requires-Python: >=3.8
Description-Content-Type: text/markdown

${Buffer.from(readme).toString("utf8")}`;
}

function wheelFile(tags: string): string {
  const each = tags.split(".").map((tag) => `Tag: py3-none-${tag}\n`);
  return `Wheel-Version: 1.0\nGenerator: llamakey\nRoot-Is-Purelib: false\n${each.join("")}`;
}

function recordLine(path: string, content: Uint8Array): string {
  return `${path},sha256=${createHash("sha256").update(content).digest("base64url")},${content.length}`;
}

/** Python's part: finds the executable that this package came with, and becomes it. */
const LAUNCHER = `"""LlaMaKey. The product is the executable lmk, which this package puts among the scripts."""
import os
import subprocess
import sys
from importlib import metadata


def find_lmk():
    """The path of lmk, wherever this package was installed to."""
    name = "lmk.exe" if os.name == "nt" else "lmk"
    files = metadata.files("llamakey") or []
    paths = [str(file.locate()) for file in files if file.name == name]
    # Installers that move scripts afterwards leave the list as it was (pip install --target).
    above = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    paths += [os.path.join(above, "bin", name), os.path.join(os.path.dirname(sys.argv[0]), name)]
    for path in paths:
        if os.path.isfile(path):
            return os.path.abspath(path)
    sys.exit("llamakey: " + name + " is not where it was installed to. Install the package again.")


def main():
    command = [find_lmk(), *sys.argv[1:]]
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)
`;
