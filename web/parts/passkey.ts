import {
  type AuthenticationResponseJSON,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from "@simplewebauthn/browser";
import { call } from "../api.ts";

/** Lets the user show a passkey, and gives what the device says to it, for the gateway to check. */
export async function askPasskey(): Promise<AuthenticationResponseJSON> {
  const optionsJSON = await call<PublicKeyCredentialRequestOptionsJSON>("POST", "/session/passkey/options");
  return inWords(startAuthentication({ optionsJSON }));
}

/** Makes a passkey on this device. */
export async function makePasskey(name: string): Promise<void> {
  const optionsJSON = await call<PublicKeyCredentialCreationOptionsJSON>("POST", "/me/passkeys/options");
  const response = await inWords(startRegistration({ optionsJSON }));
  await call("POST", "/me/passkeys", { body: { name, response } });
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
