/** What a claim link opens. Everything that changes is filled in by `script.ts`. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>Your LlaMaKey key</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%230f6a4e'/%3E%3Cpath d='M12 7v4a6 6 0 1 0 4.6 11L19 24.500h3v-3h3v-3.500l-4.300-4.300A6 6 0 0 0 16 11.200V7l-2 2z' fill='%23fff'/%3E%3C/svg%3E">
<link rel="stylesheet" href="/claim/claim.css">
<script src="/claim/claim.js" defer></script>
</head>
<body>
<header><p class="name">LlaMaKey</p></header>
<main>
<section class="card" id="ask">
<h1 id="title" tabindex="-1">Your key</h1>
<p id="about" role="status">Looking at the link...</p>
<button type="button" class="main" id="make" hidden>Make my key</button>
<noscript><p>The key is made by a script of this page, so that a mere look at the link does not use it up. Please allow scripts here, or ask your administrator for a key.</p></noscript>
</section>
<section class="card" id="made" hidden aria-labelledby="made-title">
<h1 id="made-title" tabindex="-1">Your key</h1>
<p id="made-about"></p>
<div class="code"><pre id="key" tabindex="0" aria-label="Your key"></pre><button type="button" class="copy" data-copies="key">Copy</button></div>
<p class="warn"><strong>It is shown this once.</strong> Keep it where you keep passwords; whoever has it calls in your name.</p>
</section>
<section class="card" id="shells" hidden aria-labelledby="shells-title">
<h2 id="shells-title">Set your shell up</h2>
<fieldset class="choice"><legend class="unseen">Your shell</legend></fieldset>
<div class="steps"></div>
</section>
<section class="card" id="tools" hidden aria-labelledby="tools-title">
<h2 id="tools-title">Set a tool up</h2>
<fieldset class="choice"><legend class="unseen">Your tool</legend></fieldset>
<div class="steps"></div>
</section>
<p class="unseen" id="copied" role="status"></p>
</main>
</body>
</html>
`;
