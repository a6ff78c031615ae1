import type { ReactNode } from "react";

/** Drawn on a grid of 24, in lines of the text's colour. */
const DRAWINGS = {
  home: <path d="M4 11.5 12 5l8 6.5V19a1 1 0 0 1-1 1h-4.5v-5.5h-5V20H5a1 1 0 0 1-1-1z" />,
  requests: <path d="M4 7h11m-3-3 3 3-3 3M20 17H9m3 3-3-3 3-3" />,
  users: (
    <path d="M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6 8.5c0-3 2.7-5 6-5s6 2 6 5M16 4.5a3.5 3.5 0 0 1 0 6M18 15c2 .6 3 2.2 3 4.5" />
  ),
  key: (
    <path d="M14.5 9.5a4.5 4.5 0 1 0-4 4.47L12.5 16H15v2.5h2.5V21H21v-3.5l-6.9-6.9c.26-.5.4-.8.4-1.1ZM9.5 9h.01" />
  ),
  cloud: <path d="M7 18.5a4 4 0 0 1-.6-7.96A6 6 0 0 1 18 9.5a4.5 4.5 0 0 1-.5 9z" />,
  shield: <path d="M12 3.5 5 6v5.5c0 4.3 2.9 7.4 7 9 4.1-1.6 7-4.7 7-9V6zM9 12l2.2 2.2L15.3 10" />,
  price: (
    <path d="M12 4v16m4-12.5C15.5 6.5 14 6 12 6c-2.3 0-4 1-4 2.9 0 4.3 8.3 2 8.3 6.2C16.3 17 14.5 18 12 18c-2.2 0-3.9-.7-4.4-2" />
  ),
  audit: (
    <path d="M7 3.5h7l4 4V20a.5.5 0 0 1-.5.5h-10.5a.5.5 0 0 1-.5-.5V4a.5.5 0 0 1 .5-.5ZM13.5 3.5V8H18M9 12.5h6M9 16h6" />
  ),
  settings: (
    <path d="M4 7h9m4 0h3M4 17h3m4 0h9M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z" />
  ),
  me: <path d="M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8c0-3.3 3.1-5.5 7-5.5s7 2.2 7 5.5" />,
  search: <path d="M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4 4" />,
  plus: <path d="M12 5v14M5 12h14" />,
  copy: (
    <path d="M9 9V5a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-4M5 9h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1Z" />
  ),
  check: <path d="m5 12.5 4.5 4.5L19 7.5" />,
  dots: <path d="M5.5 12h.01M12 12h.01M18.5 12h.01" strokeWidth={2.6} />,
  warning: <path d="M12 4.5 2.8 20h18.4zM12 10.5v4M12 17.2h.01" />,
  sun: (
    <path d="M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2.5V5m0 14v2.5M2.5 12H5m14 0h2.5M5.3 5.3 7 7m10 10 1.7 1.7M5.3 18.7 7 17M17 7l1.7-1.7" />
  ),
  moon: <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z" />,
  leave: (
    <path d="M14 5V4a1 1 0 0 0-1-1H5a1 1 0 0 0-1 1v16a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1v-1M10 12h10.5m-3-3 3 3-3 3" />
  ),
  chevron: <path d="m9 6 6 6-6 6" />,
  down: <path d="m6 9 6 6 6-6" />,
  pulse: <path d="M3 12h4l2.5-6.5 5 13L17 12h4" />,
  snow: <path d="M12 3v18M4.2 7.5l15.6 9M19.8 7.5l-15.6 9M9.5 4.5 12 7l2.5-2.5M9.5 19.5 12 17l2.5 2.5" />,
  link: (
    <path d="M10 14a4.5 4.5 0 0 0 6.5.3l3-3a4.5 4.5 0 0 0-6.4-6.4L12 6M14 10a4.5 4.5 0 0 0-6.5-.3l-3 3a4.5 4.5 0 0 0 6.4 6.4L12 18" />
  ),
  rotate: <path d="M20 12a8 8 0 0 1-14.3 4.9M4 12a8 8 0 0 1 14.3-4.9M18.5 3v4.5H14M5.5 21v-4.5H10" />,
  trash: <path d="M4 6.5h16M9.5 6V4h5v2M6 6.5 7 20h10l1-13.5M10 10.5v6m4-6v6" />,
  play: <path d="M7 4.5v15l12-7.5z" />,
  hand: (
    <path d="M8 12V5.5a1.5 1.5 0 0 1 3 0V11V4a1.5 1.5 0 0 1 3 0v7V5.5a1.5 1.5 0 0 1 3 0V14c0 4-2.5 6.5-6 6.5-3 0-4.5-1.5-6-4.5l-1.8-3.6a1.45 1.45 0 0 1 2.5-1.5z" />
  ),
  pencil: <path d="m4 20 1-4.5L16 4.5a1.8 1.8 0 0 1 2.5 0l1 1a1.8 1.8 0 0 1 0 2.5l-11 11zM14.5 6 18 9.5" />,
  fingerprint: (
    <path d="M7 19c1-2 1.5-4 1.5-7a3.5 3.5 0 0 1 7 0c0 1 0 2-.2 3M12 12c0 4-.7 6.5-2 9M15 18.5c-.2.9-.5 1.7-.8 2.5M4.5 15c.3-1 .5-2 .5-3a7 7 0 0 1 12-4.9M18.7 10c.2.7.3 1.3.3 2 0 1.5-.1 3-.4 4.5" />
  ),
  close: <path d="M6 6l12 12M18 6 6 18" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof DRAWINGS;

/** An icon beside words; where it stands alone, its button has the label. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {DRAWINGS[name]}
    </svg>
  );
}

/** The product's mark: a key whose bow is a llama's head. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#0f6a4e" />
      <path
        d="M9.5 6.5c1.6.5 2.4 1.7 2.5 3.2h2c.1-1.5.9-2.7 2.5-3.2.2 1.9-.1 3.2-.7 4.2.8 1 1.2 2.3 1.2 3.8 0 .9-.1 1.7-.4 2.4l7.4 7.4v2.7h-3.5V24.5h-2.5V22h-2.3l-1.9-1.9c-.3 0-.5.1-.8.1-2.6 0-4.5-2.3-4.5-5.7 0-1.5.4-2.8 1.2-3.8-.6-1-.9-2.3-.7-4.2Z"
        fill="#fff"
      />
      <circle cx="11.2" cy="14" r="1" fill="#0f6a4e" />
      <circle cx="14.8" cy="14" r="1" fill="#0f6a4e" />
    </svg>
  );
}
