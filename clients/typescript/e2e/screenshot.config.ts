import base from "./playwright.config";

/** `npm run screenshot` makes the pictures of the README. */
export default { ...base, testDir: "screenshots", reporter: "list" as const };
