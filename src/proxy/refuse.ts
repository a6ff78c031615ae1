import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Refusal } from "../domain/refusal.ts";

/** What clients show of a failed CONNECT is its status line, so that is where the reason is. */
export function refuseConnect(socket: Socket, refusal: Refusal, id: string): void {
  const body = bodyOf(refusal, id);
  const headers = { ...headersOf(refusal, id), "content-length": String(Buffer.byteLength(body)) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const reason = `${STATUS_CODES[refusal.status] ?? "Refused"}: ${refusal.message}`;
  socket.end(`HTTP/1.1 ${refusal.status} ${reason}\r\n${lines.join("")}\r\n${body}`);
}

export function refuseRequest(response: ServerResponse, refusal: Refusal, id: string): void {
  response.writeHead(refusal.status, headersOf(refusal, id)).end(bodyOf(refusal, id));
}

/** The password of `Proxy-Authorization: Basic`, or what stands behind `Bearer`. */
export function proxyToken(request: IncomingMessage): string | undefined {
  const [, scheme = "", value = ""] =
    /^(basic|bearer) +(\S+)$/i.exec(request.headers["proxy-authorization"] ?? "") ?? [];
  if (value === "") return undefined;
  if (scheme.toLowerCase() === "bearer") return value;
  const login = Buffer.from(value, "base64").toString("latin1");
  return login.slice(login.indexOf(":") + 1);
}

function headersOf(refusal: Refusal, id: string): Record<string, string> {
  return {
    "content-type": "application/json",
    connection: "close",
    "x-llamakey-request-id": id,
    "x-llamakey-refusal": refusal.code,
    ...refusal.headers,
  };
}

function bodyOf(refusal: Refusal, id: string): string {
  return `${JSON.stringify({ error: { message: refusal.message, type: refusal.code, code: refusal.code, request_id: id } })}\n`;
}
