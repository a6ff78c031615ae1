/** Vertex AI and Google's token server, and the environment that points a gateway at them. */
import { AiMock } from "./aimock.ts";
import { atEnd } from "./cleanup.ts";
import { serviceAccountFile, startTokenServer } from "./token-server.ts";

export interface Vertex {
  readonly mock: AiMock;
  /** The only credential that it takes: what the service account gets from the token server. */
  readonly token: string;
  /** For the gateway's administrator, not for its users. */
  readonly env: Record<string, string>;
}

export async function startVertex(): Promise<Vertex> {
  const token = "ya29.test-fake-vertex-0123456789abcdef";
  const mock = new AiMock({
    key: token,
    endpoints: [],
    requestIdHeader: "x-request-id",
    // What Google's SDKs ask for.
    aliases: [[/^\/v1beta1(?=\/projects\/)/, "/v1"]],
  });
  await mock.start();
  atEnd(() => mock.stop());
  const tokens = startTokenServer();
  tokens.token = token;
  const { file } = serviceAccountFile(`${tokens.url}/token`);
  return { mock, token, env: { GOOGLE_APPLICATION_CREDENTIALS: file, LMK_VERTEX_UPSTREAM: mock.url } };
}
