/** What a user may do in the admin API; each is a list of permissions, see `admin/permissions.ts`. */
export const ROLES = ["owner", "admin", "auditor", "member"] as const;

export type Role = (typeof ROLES)[number];
