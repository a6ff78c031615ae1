import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import type { Passkey, SignedUser } from "../../domain/sign-in.ts";
import type { AdminParts } from "../parts.ts";
import { CodedProblem, forbidden } from "../problem.ts";
import type { Place } from "./origin.ts";

/** A signature for signing in, or for confirming who one is. */
const ASSERT = "assert";

/** Loaded by the first passkey: it is a third of what a start would take. */
const webAuthn = () => import("@simplewebauthn/server");

type Parts = Pick<AdminParts, "store" | "challenges" | "clock">;

/** The domain that passkeys of a page belong to; undefined where browsers would make none. */
export function relyingParty(origin: string): string | undefined {
  const { hostname } = new URL(origin);
  return hostname.startsWith("[") || /^\d+(?:\.\d+){3}$/.test(hostname) ? undefined : hostname;
}

/** For `navigator.credentials.get`: whichever passkey of this page the user picks. */
export async function assertionOptions({ challenges }: Parts, place: Place) {
  return (await webAuthn()).generateAuthenticationOptions({
    rpID: pageOf(place).rpID,
    challenge: challenges.create(ASSERT),
    userVerification: "required",
    allowCredentials: [],
  });
}

/** Whose passkey has signed this; null where it is nobody's, or not what was asked for. */
export async function whoSigned(
  { store, challenges, clock }: Parts,
  place: Place,
  response: AuthenticationResponseJSON,
): Promise<(SignedUser & { passkey: Passkey }) | null> {
  const { rpID, origin } = pageOf(place);
  const found = await store.readPasskey(response.id);
  if (found === null) return null;
  const { passkey, user } = found;
  const handle = response.response.userHandle;
  if (handle !== undefined && handle !== Buffer.from(user.id).toString("base64url")) return null;
  const challenge = challengeIn(response.response.clientDataJSON);
  const { verified, authenticationInfo } = await (await webAuthn())
    .verifyAuthenticationResponse({
      response,
      expectedChallenge: (text) => text === challenge && challenges.isOpen(ASSERT, text),
      expectedOrigin: origin,
      expectedRPID: rpID,
      requireUserVerification: true,
      credential: {
        id: passkey.id,
        publicKey: new Uint8Array(passkey.publicKey),
        counter: passkey.counter,
      },
      // The library throws for whatever does not fit: to us it is one and the same answer.
    })
    .catch(() => NOT_VERIFIED);
  if (!verified || !challenges.spend(ASSERT, challenge)) return null;
  await store.touchPasskey(passkey.id, authenticationInfo.newCounter, clock.now());
  return found;
}

/** For `navigator.credentials.create`. */
export async function creationOptions({ store, challenges }: Parts, place: Place, user: SignedUser["user"]) {
  const known = await store.listPasskeys(user.id);
  return (await webAuthn()).generateRegistrationOptions({
    rpName: "LlaMaKey",
    rpID: pageOf(place).rpID,
    userID: new Uint8Array(Buffer.from(user.id)),
    userName: user.name,
    challenge: challenges.create(registration(user)),
    attestationType: "none",
    excludeCredentials: known.map(({ id, transports }) => ({ id, transports: [...transports] })),
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
  });
}

/** @throws CodedProblem 422 where this is no new passkey of this user's, for this page. */
export async function registered(
  { challenges, clock }: Parts,
  place: Place,
  user: SignedUser["user"],
  name: string,
  response: RegistrationResponseJSON,
): Promise<Passkey> {
  const { rpID, origin } = pageOf(place);
  const purpose = registration(user);
  const challenge = challengeIn(response.response.clientDataJSON);
  const { verified, registrationInfo } = await (await webAuthn())
    .verifyRegistrationResponse({
      response,
      expectedChallenge: (text) => text === challenge && challenges.isOpen(purpose, text),
      expectedOrigin: origin,
      expectedRPID: rpID,
      requireUserVerification: true,
    })
    .catch(() => ({ verified: false, registrationInfo: undefined }));
  if (!verified || registrationInfo === undefined || !challenges.spend(purpose, challenge)) {
    throw new CodedProblem(422, "This is no answer to what was asked for; begin anew.", "passkey_invalid");
  }
  const { credential } = registrationInfo;
  return {
    id: credential.id,
    userId: user.id,
    name,
    publicKey: credential.publicKey,
    counter: credential.counter,
    transports: response.response.transports ?? [],
    createdAt: clock.now(),
    lastUsedAt: null,
  };
}

const NOT_VERIFIED = { verified: false, authenticationInfo: { newCounter: 0 } } as const;

function registration({ id }: SignedUser["user"]): string {
  return `register:${id}`;
}

function pageOf(place: Place): { rpID: string; origin: string } {
  if ("refusal" in place) throw forbidden(place.refusal, "insecure");
  const rpID = relyingParty(place.origin);
  if (rpID === undefined)
    throw forbidden("Browsers make no passkeys for a bare address; open the console by a name.", "insecure");
  return { rpID, origin: place.origin };
}

/** What a browser says that was signed; empty where it says nothing. */
function challengeIn(clientDataJSON: string): string {
  try {
    const data: unknown = JSON.parse(Buffer.from(clientDataJSON, "base64url").toString("utf8"));
    const { challenge } = data as { challenge?: unknown };
    return typeof challenge === "string" ? challenge : "";
  } catch {
    return "";
  }
}
