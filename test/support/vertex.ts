/** Vertex AI and Google's token server, and the environment that points a gateway at them. */
import { serveRecorded } from "./record.ts";
import { serviceAccountFile, startTokenServer } from "./token-server.ts";

export interface Vertex {
  /** The `authorization` of each call. */
  authorizations: (string | null)[];
  env: Record<string, string>;
}

export async function startVertex(): Promise<Vertex> {
  const authorizations: (string | null)[] = [];
  const { origin } = await serveRecorded({
    fetch(request) {
      authorizations.push(request.headers.get("authorization"));
      return Response.json({ candidates: [{ content: { role: "model", parts: [{ text: "Hello." }] } }] });
    },
  });
  const { file } = serviceAccountFile(`${(await startTokenServer()).url}/token`);
  const env = { GOOGLE_APPLICATION_CREDENTIALS: file, LMK_VERTEX_UPSTREAM: origin };
  return { authorizations, env };
}
