import "@mantine/core/styles.css";
import "@mantine/charts/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./styles.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { type Query, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { Problem, whenChanged } from "./api.ts";
import { App } from "./parts/app.tsx";
import { colourScheme, theme } from "./theme.ts";

const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";
// What libraries of the console that make style elements of their own look for.
(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = nonce;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the gateway has refused it refuses again; what did not reach it may next time.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof Problem && error.status > 0 && error.status < 500),
    },
  },
});

// One change may show on many pages, and in many parts of one: none of them shows what it knew before. An answer that is on
// its way may be from before the change, too.
whenChanged(async () => {
  const others = { predicate: ({ queryKey }: Query) => queryKey[0] !== "session" };
  await queries.cancelQueries(others);
  await queries.invalidateQueries(others);
});

const place = document.getElementById("console");
if (place !== null) {
  createRoot(place).render(
    <MantineProvider
      theme={theme}
      colorSchemeManager={colourScheme}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queries}>
        <Router base="/console">
          <App />
        </Router>
        <Notifications position="bottom-right" limit={4} />
      </QueryClientProvider>
    </MantineProvider>,
  );
}
