import {
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from "@simplewebauthn/browser";
import { call } from "../api.ts";

/** Lets the user show a passkey. @param path Takes the answer; `/options` behind it gives what to ask the device. */
export async function askPasskey<T>(path: string): Promise<T> {
  const { options, ...rest } = await call<{ options: PublicKeyCredentialRequestOptionsJSON }>(
    "POST",
    `${path}/options`,
    { body: {} },
  );
  const response = await inWords(startAuthentication({ optionsJSON: options }));
  return call<T>("POST", path, { body: { ...rest, response } });
}

/** Makes a passkey on this device. */
export async function makePasskey<T>(path: string, name: string): Promise<T> {
  const { options, ...rest } = await call<{ options: PublicKeyCredentialCreationOptionsJSON }>(
    "POST",
    `${path}/options`,
    { body: {} },
  );
  const response = await inWords(startRegistration({ optionsJSON: options }));
  return call<T>("POST", path, { body: { ...rest, name, response } });
}

/** What a browser says where its user pressed Cancel is of no use to anybody. */
async function inWords<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Error && /NotAllowedError|AbortError/.test(error.name))
      throw new Error(
        "No passkey was given: it was cancelled, took too long, or there is none for this address.",
      );
    throw error;
  }
}
