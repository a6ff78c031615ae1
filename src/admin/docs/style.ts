/** Of the reference; its own file, because the page allows no style inside. The colours are the console's. */
export const docsStyle = `:root { color-scheme: light dark; --line: light-dark(#eae7e0, #2e2a25); --soft: light-dark(#f4f2ed, #1b1916);
  --card: light-dark(#fff, #1b1916); --text: light-dark(#1f1c18, #ebe8e1); --dim: light-dark(#6f695e, #a39d92);
  --link: light-dark(#12704f, #5bb68f); }
* { box-sizing: border-box; } html { scroll-padding-top: 1rem; }
body { margin: 0; display: grid; grid-template-columns: 14.75rem minmax(0, 1fr); color: var(--text);
  font: .9375rem/1.6 Inter, ui-sans-serif, system-ui, sans-serif; background: light-dark(#faf9f6, #151310); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem 1rem; background: var(--soft);
  border-right: 1px solid var(--line); }
nav ul { list-style: none; margin: 0; padding: 0; } .brand { margin: 0 .625rem 1rem; font-weight: 700; font-size: 1.0625rem; }
nav a { display: block; white-space: nowrap; padding: .3rem .625rem; border-radius: .4375rem; color: var(--dim); text-decoration: none; font-weight: 500;
  font-size: .875rem; } nav a:hover { background: var(--line); color: var(--text); }
main { padding: 2rem clamp(1rem, 4vw, 4rem) 4rem; max-width: 66rem; min-width: 0; }
h1 { font-size: 1.75rem; letter-spacing: -.017em; margin: 0 0 1rem; } h1 small { font-size: .9375rem; color: var(--dim); font-weight: 500; }
h2 { margin: 3rem 0 0; font-size: 1.25rem; letter-spacing: -.01em; } h2::first-letter { text-transform: uppercase; } h2 + p { margin: .25rem 0 1rem; color: var(--dim); }
h3 { font-size: .9375rem; margin: 0; overflow-wrap: anywhere; } h3 a { color: inherit; text-decoration: none; }
a { color: var(--link); } article { margin: 1rem 0; padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .75rem;
  background: var(--card); } article:target { outline: 2px solid var(--link); } article p { margin: .5rem 0; }
code { font: .9em ui-monospace, monospace; } .method { font-weight: 700; color: var(--link); margin-right: .375rem; }
.delete { color: light-dark(#9a321f, #e28c7a); } .post { color: light-dark(#3d4f8f, #9fb0ea); }
.put, .patch { color: light-dark(#8a6009, #ecc152); } .need, .problems { color: var(--dim); font-size: .8125rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .8438rem; }
caption { text-align: left; color: var(--dim); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-top: 1px solid var(--line); font-weight: 400; }
summary { cursor: pointer; padding: .375rem 0; } pre { overflow: auto; max-height: 24rem; padding: 1rem; background: var(--soft);
  border: 1px solid var(--line); border-radius: .5rem; } :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 48rem) { html { scroll-padding-top: 3.5rem; } body { display: block; }
  nav { display: flex; align-items: center; height: auto; padding: .5rem 1rem; z-index: 1; border-right: 0; border-bottom: 1px solid var(--line); }
  nav ul { display: flex; } .brand { margin: 0 .5rem 0 0; } main { padding-top: 1.5rem; } article { padding: .875rem 1rem; } }
`;
