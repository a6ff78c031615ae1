import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { ChartProps } from "./charts.tsx";

const Charts = lazy(() => import("./charts.tsx"));

/** A chart, and for those who do not see it the sentence that it amounts to. */
export function Chart({
  summary,
  height = 260,
  ...props
}: Omit<ChartProps, "height"> & { summary: string; height?: number }) {
  return (
    <figure role="img" aria-label={summary} style={{ margin: 0, height }}>
      <div aria-hidden="true">
        <Suspense fallback={<Skeleton height={height} />}>
          <Charts {...props} height={height} />
        </Suspense>
      </div>
    </figure>
  );
}
