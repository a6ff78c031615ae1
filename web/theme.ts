import {
  ActionIcon,
  Alert,
  Anchor,
  Badge,
  Button,
  Card,
  createTheme,
  localStorageColorSchemeManager,
  type MantineColorsTuple,
  Menu,
  Modal,
  NumberInput,
  PasswordInput,
  Select,
  Table,
  Textarea,
  TextInput,
  Tooltip,
} from "@mantine/core";

/** What can be pressed, and what is well. */
const spruce: MantineColorsTuple = [
  "#edf7f2",
  "#d9eee4",
  "#b0dcc8",
  "#83c9aa",
  "#5bb68f",
  "#3ba67b",
  "#1b8059",
  "#12704f",
  "#0d5a40",
  "#07402d",
];
/** What wants a look. */
const saffron: MantineColorsTuple = [
  "#fdf6e3",
  "#faebc4",
  "#f3d68a",
  "#ecc152",
  "#e4ad2b",
  "#d49a17",
  "#b07c0c",
  "#8a6009",
  "#6b4a08",
  "#4a3305",
];
/** What went wrong, and what cannot be taken back. */
const madder: MantineColorsTuple = [
  "#fbefec",
  "#f6dad4",
  "#edb4a8",
  "#e28c7a",
  "#d96a54",
  "#cf513a",
  "#b83e28",
  "#9a321f",
  "#7c2818",
  "#571b10",
];
/** Warm neutrals in place of the usual greys. */
const gray: MantineColorsTuple = [
  "#faf9f6",
  "#f4f2ed",
  "#eae7e0",
  "#dcd8cf",
  "#c3beb3",
  "#9d978b",
  "#6f695e",
  "#544f46",
  "#36322c",
  "#1f1c18",
];
const dark: MantineColorsTuple = [
  "#ebe8e1",
  "#d2cec5",
  "#b0aba0",
  "#98938a",
  "#4d4840",
  "#38342e",
  "#2a2722",
  "#1b1916",
  "#151310",
  "#0e0d0b",
];

/** Of lines and bars: apart from one another for all kinds of eyes, in both lights. */
export const SERIES = [
  "#1f8a63",
  "#d49a17",
  "#5a6fb5",
  "#b8563f",
  "#4fa3b3",
  "#8a5a9e",
  "#87923a",
  "#9d978b",
] as const;

const small = { defaultProps: { size: "sm" } };

export const theme = createTheme({
  colors: { spruce, saffron, madder, gray, dark },
  primaryColor: "spruce",
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  luminanceThreshold: 0.28,
  black: "#1f1c18",
  white: "#ffffff",
  cursorType: "pointer",
  respectReducedMotion: true,
  defaultRadius: "md",
  radius: { xs: "3px", sm: "5px", md: "8px", lg: "12px", xl: "18px" },
  fontFamily:
    'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8438rem", md: "0.9375rem", lg: "1.0625rem", xl: "1.25rem" },
  headings: {
    fontFamily:
      'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif',
    fontWeight: "650",
    sizes: {
      h1: { fontSize: "1.5rem", lineHeight: "1.25" },
      h2: { fontSize: "1.0625rem", lineHeight: "1.35" },
      h3: { fontSize: "0.9375rem", lineHeight: "1.4" },
    },
  },
  shadows: {
    xs: "0 1px 2px rgb(31 28 24 / 0.05)",
    sm: "0 1px 3px rgb(31 28 24 / 0.07)",
    md: "0 6px 20px rgb(31 28 24 / 0.10)",
    xl: "0 18px 50px rgb(31 28 24 / 0.18)",
  },
  components: {
    Button: Button.extend(small),
    TextInput: TextInput.extend(small),
    PasswordInput: PasswordInput.extend(small),
    NumberInput: NumberInput.extend(small),
    Textarea: Textarea.extend(small),
    Select: Select.extend({
      // A dialog that begins with a menu would open with it over everything.
      defaultProps: { size: "sm", checkIconPosition: "right", allowDeselect: false, openOnFocus: false },
    }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray" } }),
    Anchor: Anchor.extend({ defaultProps: { underline: "hover" } }),
    Badge: Badge.extend({
      defaultProps: { variant: "light", radius: "sm", size: "md", tt: "none", fw: 550 },
    }),
    Card: Card.extend({ defaultProps: { withBorder: true, radius: "lg", padding: "lg" } }),
    Alert: Alert.extend({ defaultProps: { radius: "md" } }),
    Modal: Modal.extend({
      defaultProps: {
        radius: "lg",
        centered: true,
        overlayProps: { backgroundOpacity: 0.35, blur: 2 },
        closeButtonProps: { "aria-label": "Close" },
        // The window's own header is the page's only banner.
        attributes: { header: { role: "presentation" } },
      },
    }),
    Menu: Menu.extend({ defaultProps: { position: "bottom-end", shadow: "md", radius: "md" } }),
    // Inside of the page's main part: what stands beside all landmarks is found by nobody.
    Tooltip: Tooltip.extend({
      defaultProps: { withArrow: true, openDelay: 300, portalProps: { target: "#main" } },
    }),
    Table: Table.extend({ defaultProps: { verticalSpacing: "sm", horizontalSpacing: "md" } }),
  },
});

export const colourScheme = localStorageColorSchemeManager({ key: "llamakey-colours" });
