import { AreaChart, BarChart } from "@mantine/charts";

export interface ChartProps {
  readonly data: Record<string, string | number | null>[];
  readonly series: readonly { readonly name: string; readonly label: string; readonly color: string }[];
  readonly kind: "area" | "bar" | "line";
  readonly format: (value: number) => string;
  readonly height: number;
}

/** The figure around it has its summary; keyboards have nothing to do inside. */
const NO_FOCUS = { accessibilityLayer: false };

/** The one part of the console that brings a drawing library; loaded when a chart is first shown. */
export default function Charts({ data, series, kind, format, height }: ChartProps) {
  const shared = {
    h: height,
    data,
    dataKey: "label",
    series: series.map((one) => ({ ...one })),
    valueFormatter: format,
    gridAxis: "x" as const,
    tickLine: "none" as const,
    strokeDasharray: "2 4",
    withLegend: series.length > 1,
    legendProps: { verticalAlign: "bottom" as const },
    yAxisProps: { width: 62, tickCount: 4 },
    xAxisProps: { minTickGap: 36, interval: "preserveStartEnd" as const },
    tooltipAnimationDuration: 0,
  };
  if (kind === "bar")
    return (
      <BarChart
        {...shared}
        type="stacked"
        maxBarWidth={26}
        barChartProps={NO_FOCUS}
        barProps={{ isAnimationActive: false, radius: 2 }}
      />
    );
  return (
    <AreaChart
      {...shared}
      type={kind === "line" ? "default" : "stacked"}
      curveType="monotone"
      withGradient={kind === "area"}
      fillOpacity={kind === "line" ? 0 : 0.5}
      withDots={false}
      strokeWidth={2}
      connectNulls={kind === "line"}
      areaChartProps={NO_FOCUS}
      areaProps={{ isAnimationActive: false }}
    />
  );
}
