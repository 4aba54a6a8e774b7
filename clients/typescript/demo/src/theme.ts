import { remember, remembered } from "./storage";

/** `"system"` follows the system. */
export type Theme = "system" | "light" | "dark";

export const THEMES: readonly Theme[] = ["system", "light", "dark"];

export function currentTheme(): Theme {
  const theme = remembered("theme");
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** Applies and remembers a theme. `public/theme.js` applies it before the first paint of the next visit. */
export function setTheme(theme: Theme): void {
  remember("theme", theme === "system" ? undefined : theme);
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
