/** Vertex AI and Google's token server, and the environment that points a gateway at them. */
import { AiMock, INNER } from "./aimock.ts";
import { atEnd } from "./cleanup.ts";
import { serviceAccountFile, startTokenServer } from "./token-server.ts";

export interface Vertex {
  readonly mock: AiMock;
  /** The only credential that it takes: what the service account gets from the token server. */
  readonly token: string;
  /** For the gateway's administrator, not for its users. */
  readonly env: Record<string, string>;
}

const MODEL = "/v1/projects/a-project/locations/[^/]+/publishers";

export async function startVertex(): Promise<Vertex> {
  const token = "ya29.test-fake-vertex-0123456789abcdef";
  const mock = new AiMock({
    key: token,
    requestIdHeader: "x-request-id",
    // What Google's SDKs ask for.
    aliases: [[/^\/v1beta1(?=\/projects\/)/, "/v1"]],
    endpoints: (mock) => [
      {
        method: "POST",
        path: new RegExp(`^${MODEL}/anthropic/models/([^/:]+):(rawPredict|streamRawPredict)$`),
        // Anthropic's own endpoint but for the model, which stands in the path.
        async answer(request, [, model]) {
          const headers = new Headers(request.headers);
          headers.set(INNER, "1");
          headers.delete("content-length");
          const { anthropic_version, ...body } = (await request.json()) as Record<string, unknown>;
          if (typeof anthropic_version !== "string") return Response.json({}, { status: 400 });
          return fetch(`${mock.within}/v1/messages`, {
            method: "POST",
            headers,
            body: JSON.stringify({ ...body, model }),
          });
        },
      },
    ],
  });
  await mock.start();
  atEnd(() => mock.stop());
  const tokens = await startTokenServer();
  tokens.token = token;
  const { file } = serviceAccountFile(`${tokens.url}/token`);
  return { mock, token, env: { GOOGLE_APPLICATION_CREDENTIALS: file, LMK_VERTEX_UPSTREAM: mock.url } };
}
