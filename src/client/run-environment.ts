import type { Provider } from "../providers/provider.ts";
import { renderAdc } from "./adc.ts";
import { type ExportSettings, exportVariables } from "./exports.ts";

/** What one process is started with, so that all its SDKs come to the gateway. */
export interface RunEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** Keys that their SDKs send to the provider itself, unless a proxy or the code says otherwise. */
  readonly unguided: Readonly<Record<string, string>>;
  /** To be written where only this process reads them; the variable is then set to the path. */
  readonly files: readonly RunFile[];
}

export interface RunFile {
  readonly variable: string;
  readonly name: string;
  readonly text: string;
}

const ADC_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS";

/** Also the variables that exports write down commented out: of a single process, none reads what is not meant for it. */
export function runEnvironment(settings: Omit<ExportSettings, "userName">): RunEnvironment {
  const { key, providers } = settings;
  const variables = Object.fromEntries(exportVariables(settings));
  const unguided: Record<string, string> = {};
  const files: RunFile[] = [];
  for (const variable of providers.flatMap(keyVariables)) {
    const { name, prefix = "", value = prefix + key } = variable;
    if (name === ADC_VARIABLE) files.push({ variable: name, name: "adc.json", text: renderAdc(settings) });
    else if (name in variables) continue;
    else if (variable.unguided === true) unguided[name] = value;
    else variables[name] = value;
  }
  return { variables, unguided, files };
}

function keyVariables({ client }: Provider) {
  return client.keys.flatMap((variable) => (typeof variable === "string" ? [] : [variable]));
}
