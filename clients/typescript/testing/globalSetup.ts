import type { TestProject } from "vitest/node";
import { CollabHost } from "./CollabHost.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The port of the server that all test files share. */
    hostPort: number;
  }
}

/** Starts the real server once; tests use documents of their own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const host = await CollabHost.start();
  project.provide("hostPort", host.port);
  return () => host.dispose();
}
