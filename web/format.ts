const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** Dollars as people read them: cents, and as many digits below one cent as it takes to see that it is not nothing. */
export function dollars(amount: string | number | null | undefined): string {
  if (amount === null || amount === undefined || amount === "") return "–";
  const value = Number(amount);
  if (value === 0) return "$0.00";
  const size = Math.abs(value);
  if (size < 0.0001) return "<$0.0001";
  const digits = size >= 0.995 ? 2 : size >= 0.01 ? 3 : Math.min(9, 2 - Math.floor(Math.log10(size)));
  const text = size.toLocaleString("en", {
    minimumFractionDigits: Math.min(2, digits),
    maximumFractionDigits: digits,
  });
  return `${value < 0 ? "−" : ""}$${text}`;
}

/** Every digit of it, for where a cost is worked out. @param nanos Nano-dollars, a whole number. */
export function exactDollars(nanos: string | null): string {
  if (nanos === null) return "not priced";
  const padded = nanos.replace("-", "").padStart(10, "0");
  const fraction = padded.slice(-9).replace(/0{1,7}$/, "");
  return `${nanos.startsWith("-") ? "−" : ""}$${whole.format(BigInt(padded.slice(0, -9)))}.${fraction}`;
}

export function nanosToDollars(nanos: string | null): number | null {
  return nanos === null ? null : Number(nanos) / 1e9;
}

export function count(value: number): string {
  return whole.format(value);
}

export function short(value: number): string {
  return value < 10_000 ? whole.format(value) : compact.format(value);
}

export function percent(part: number): string {
  return `${(part * 100).toFixed(part > 0 && part < 0.01 ? 2 : part < 0.1 ? 1 : 0)}%`;
}

export function duration(ms: number | null): string {
  if (ms === null) return "–";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  if (value < 1024 ** 2) return `${(value / 1024).toFixed(1)} KiB`;
  return `${(value / 1024 ** 2).toFixed(1)} MiB`;
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });

/** "3 hours ago", "in 2 days". */
export function ago(time: string | null, now = Date.now()): string {
  if (time === null) return "–";
  const difference = Date.parse(time) - now;
  for (const [unit, size] of UNITS) {
    if (Math.abs(difference) >= size) return relative.format(Math.trunc(difference / size), unit);
  }
  return difference > 0 ? "in a moment" : "just now";
}

export function dateTime(time: string | null): string {
  if (time === null) return "–";
  return new Date(time).toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

export function day(time: string | null): string {
  if (time === null) return "–";
  return new Date(time).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

export function clock(time: string): string {
  return new Date(time).toLocaleTimeString("en-GB");
}

/** `input_tokens` as words. */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}

/** "month" of a budget as words: "a month", "in total", "every 5 hours". */
export function period(per: string): string {
  if (per === "total") return "in total";
  const hours = /^(\d+)h$/.exec(per)?.[1];
  return hours === undefined ? `a ${per}` : `every ${hours} hours`;
}

/** "user:ann" as words. */
export function scopeName(scope: string): string {
  const colon = scope.indexOf(":");
  if (colon === -1) return "Whole organisation";
  const [kind, name] = [scope.slice(0, colon), scope.slice(colon + 1)];
  return `${kind[0]?.toUpperCase()}${kind.slice(1)} ${name}`;
}
