import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect } from "react";
import { call, Problem, type Session, setCsrf, whenSignedOut } from "../api.ts";

const Current = createContext<Session | undefined>(undefined);

/** Who is signed in: undefined while that is asked, null where it is nobody. */
export function useSignedIn() {
  const queries = useQueryClient();
  const session = useQuery({
    queryKey: ["session"],
    queryFn: async () => {
      try {
        const found = await call<Session>("GET", "/session");
        setCsrf(found.csrf);
        return found;
      } catch (error) {
        if (error instanceof Problem && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  useEffect(() => whenSignedOut(() => startSession(queries, null)), [queries]);
  return session;
}

/** @param session Null where somebody has signed out: nothing that they saw stays. */
export function startSession(queries: QueryClient, session: Session | null): void {
  setCsrf(session?.csrf ?? "");
  queries.setQueryData(["session"], session);
  queries.removeQueries({
    predicate: ({ queryKey }) => queryKey[0] !== "session" && queryKey[0] !== "sign-in",
  });
}

export function SessionProvider({ session, children }: { session: Session; children: ReactNode }) {
  return <Current value={session}>{children}</Current>;
}

/** Of a page that only those see who are signed in. */
export function useSession(): Session {
  const session = use(Current);
  if (session === undefined) throw new Error("This part stands outside of what needs a session.");
  return session;
}

/** Whether whoever is signed in may do what this permission names. */
export function useMay(): (permission: string) => boolean {
  const { permissions } = useSession();
  return (permission) => permissions.includes(permission);
}
