/** Before the first paint: light or dark, so that nothing flashes. A script of its own, for inline ones do not run. */
(() => {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem("llamakey-colours");
  } catch {
    // A browser that keeps nothing follows the system.
  }
  const dark = kept === "dark" || (kept !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
