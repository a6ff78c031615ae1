/** Colours and measures are those of the console: `web/styles.css` and `web/theme.ts`. */
export const style = `:root {
  color-scheme: light dark;
  --paper: #faf9f6;
  --card: #ffffff;
  --line: #dcd8cf;
  --ink: #1f1c18;
  --soft: #6f695e;
  --field: #f4f2ed;
  --brand: #12704f;
  --on-brand: #ffffff;
  --brand-pressed: #0d5a40;
  --warn: #7a5408;
  --bad: #9a321f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #151310;
    --card: #1b1916;
    --line: #38342e;
    --ink: #ebe8e1;
    --soft: #b0aba0;
    --field: #211e1a;
    --brand: #5bb68f;
    --on-brand: #0e0d0b;
    --brand-pressed: #83c9aa;
    --warn: #ecc152;
    --bad: #e28c7a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 15px/1.55 Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif;
  -webkit-font-smoothing: antialiased;
}
header, main { width: min(44rem, 100%); margin: 0 auto; padding: 0 1rem; }
header { padding-top: clamp(1.25rem, 6vh, 4rem); }
.name { margin: 0 0 1rem; font-weight: 650; color: var(--brand); }
main { display: grid; gap: 1rem; padding-bottom: 4rem; }
.card { min-width: 0; padding: 1.25rem 1.5rem 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
[hidden] { display: none !important; }
h1, h2 { margin: 0 0 0.5rem; line-height: 1.25; font-weight: 650; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.0625rem; }
h1:focus { outline: none; }
p { margin: 0 0 0.75rem; }
.card > :last-child { margin-bottom: 0; }
.bad { color: var(--bad); }
.warn { color: var(--warn); }
button {
  font: inherit;
  font-weight: 550;
  color: var(--ink);
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 8px;
  padding: 0.35rem 0.8rem;
  min-height: 2.25rem;
  cursor: pointer;
}
button:hover { border-color: var(--soft); }
button:disabled { opacity: 0.6; cursor: default; }
button.main { min-height: 2.75rem; padding: 0.5rem 1.25rem; color: var(--on-brand); background: var(--brand); border-color: var(--brand); }
button.main:hover:enabled { background: var(--brand-pressed); border-color: var(--brand-pressed); }
:focus-visible { outline: 2px solid var(--brand); outline-offset: 2px; }
.code { position: relative; margin: 0 0 0.75rem; }
pre {
  margin: 0;
  padding: 0.75rem 5.5rem 0.75rem 0.9rem;
  min-height: 3.75rem;
  background: var(--field);
  border: 1px solid var(--line);
  border-radius: 8px;
  font: 13px/1.55 ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre-wrap;
  overflow-wrap: anywhere;
}
.copy { position: absolute; top: 0.6rem; right: 0.6rem; min-width: 4.4rem; }
.choice { display: flex; flex-wrap: wrap; gap: 0.4rem; margin: 0 0 1rem; padding: 0; border: 0; }
.choice label { position: relative; }
.choice input { position: absolute; inset: 0; margin: 0; opacity: 0; cursor: pointer; }
.choice span { display: block; padding: 0.3rem 0.8rem; border: 1px solid var(--line); border-radius: 8px; color: var(--soft); }
.choice input:checked + span { color: var(--ink); border-color: var(--brand); box-shadow: inset 0 0 0 1px var(--brand); font-weight: 550; }
.choice input:focus-visible + span { outline: 2px solid var(--brand); outline-offset: 2px; }
.steps > :last-child { margin-bottom: 0; }
.steps p { margin-bottom: 0.4rem; color: var(--soft); }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; border: 0; }
@media (max-width: 30rem) {
  .card { padding: 1rem; }
  button.main { width: 100%; }
  pre { padding-right: 0.9rem; padding-bottom: 3.4rem; }
  .copy { top: auto; bottom: 0.6rem; }
}
`;
