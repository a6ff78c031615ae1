import { useSearchParams } from "wouter";

/** The page's filters, kept in its address so that a link shows the same. An empty value is taken out of it. */
export function useSearchState(): [
  get: (name: string) => string,
  set: (values: Readonly<Record<string, string | null>>) => void,
] {
  const [params, setParams] = useSearchParams();
  return [
    (name) => params.get(name) ?? "",
    (values) =>
      setParams(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(values)) {
            if (value === null || value === "") next.delete(name);
            else next.set(name, value);
          }
          return next;
        },
        { replace: true },
      ),
  ];
}
