export interface AdminPaths {
  /** @param address Of the client. */
  readonly admin: (request: Request, address: string | null) => Response | Promise<Response>;
  readonly console: (request: Request) => Promise<Response>;
}

/** Answers the console's and the admin API's paths; undefined for all others. */
export function adminPaths({ admin, console }: AdminPaths) {
  return (
    request: Request,
    pathname: string,
    address: string | null,
  ): Response | Promise<Response> | undefined => {
    if (pathname.startsWith("/api/")) return admin(request, address);
    if (pathname === "/console" || pathname.startsWith("/console/")) return console(request);
    return undefined;
  };
}
