/** Of the reference; its own file, because the page allows no style inside. */
export const docsStyle = `:root { color-scheme: light dark; --line: light-dark(#d9dde3, #3a3f47); --soft: light-dark(#f5f6f8, #1d2025);
  --text: light-dark(#1a1d21, #e7e9ec); --dim: light-dark(#566070, #a4adba); --link: light-dark(#1750b8, #8fb8ff); }
* { box-sizing: border-box; }
body { margin: 0; display: grid; grid-template-columns: 14rem minmax(0, 1fr); font: 1rem/1.55 system-ui, sans-serif;
  color: var(--text); background: light-dark(#fff, #14161a); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem; background: var(--soft);
  border-right: 1px solid var(--line); }
nav ul { list-style: none; margin: 0; padding: 0; } nav li { margin: .3rem 0; } .brand { margin: 0 0 1rem; font-weight: 700; }
main { padding: 2rem clamp(1rem, 4vw, 4rem); max-width: 66rem; } h1 small { font-size: 1rem; color: var(--dim); }
h2 { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; } h3 a { color: inherit; text-decoration: none; }
a { color: var(--link); } article { margin: 1.25rem 0; padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .5rem; }
article:target { outline: 2px solid var(--link); } article p { margin: .5rem 0; }
code { font: .9em ui-monospace, monospace; } .method { font-weight: 700; color: var(--link); }
.delete { color: light-dark(#a11b1b, #ff9c9c); } .post { color: light-dark(#17652b, #86d69a); }
.put, .patch { color: light-dark(#7a4a00, #f0bd6d); } .need, .problems { color: var(--dim); font-size: .875rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .875rem; }
caption { text-align: left; color: var(--dim); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); font-weight: 400; }
summary { cursor: pointer; } pre { overflow: auto; max-height: 24rem; padding: 1rem; background: var(--soft); border-radius: .375rem; }
@media (max-width: 48rem) { body { display: block; } nav { position: static; height: auto; } nav ul { columns: 2; } }
`;
