import type { SqlRow } from "./sql.ts";

export function lifetime(row: SqlRow) {
  return {
    createdAt: number(row, "created_at"),
    revokedAt: numberOrNull(row, "revoked_at"),
    expiresAt: numberOrNull(row, "expires_at"),
  };
}

export function text(row: SqlRow, column: string): string {
  return String(row[column]);
}

export function textOrNull(row: SqlRow, column: string): string | null {
  return row[column] == null ? null : String(row[column]);
}

export function number(row: SqlRow, column: string): number {
  return Number(row[column]);
}

export function numberOrNull(row: SqlRow, column: string): number | null {
  return row[column] == null ? null : Number(row[column]);
}

export function bytes(row: SqlRow, column: string): Uint8Array {
  return row[column] as Uint8Array;
}
