// Applies the chosen theme before the first paint. See src/theme.ts.
(() => {
  try {
    const theme = localStorage.getItem("collab.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; then the system's theme it is.
  }
})();
