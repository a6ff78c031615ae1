import { Button } from "@mantine/core";
import { keepPreviousData, type UseQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Call, call, type Page } from "../api.ts";

/** Rows of a page. */
const LIMIT = 50;

/**
 * A list as far as it was asked for, a page at a time; what is searched is searched by the gateway.
 * @param key Begins the query's key, so that a change of what is listed can make it stale.
 */
export function usePages<T>(
  key: string,
  path: string,
  query: Call["query"] = {},
): { query: UseQueryResult<T[]>; footer: ReactNode } {
  const pages = useInfiniteQuery({
    queryKey: [key, "pages", query],
    queryFn: ({ pageParam, signal }) =>
      call<Page<T>>("GET", path, { query: { limit: LIMIT, ...query, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => (next == null ? undefined : String(next)),
    placeholderData: keepPreviousData,
  });
  const result = {
    ...pages,
    data: pages.data?.pages.flatMap(({ items }) => items),
  } as unknown as UseQueryResult<T[]>;
  const footer = pages.hasNextPage && (
    <div style={{ padding: 12, textAlign: "center", borderTop: "1px solid var(--lmk-line)" }}>
      <Button
        variant="default"
        size="xs"
        loading={pages.isFetchingNextPage}
        onClick={() => void pages.fetchNextPage()}
      >
        Show more
      </Button>
    </div>
  );
  return { query: result, footer };
}
