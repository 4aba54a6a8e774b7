import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["../../testing/globalSetup.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    reporters: ["default", ["junit", { outputFile: "test-results/junit.xml" }]],
    // The server takes its share of the machine, too.
    maxWorkers: 2,
  },
});
