import { expect, test } from "vitest";
import { Backoff } from "../src/Backoff.js";
import { serverError } from "../src/CollabError.js";

test("a_hub_error_is_read_as_code_and_text", () => {
  const error = serverError(
    new Error("An unexpected error occurred invoking 'PushUpdate' on the server. HubException: invalid_update: byte 3: no such struct"),
  );
  expect(error).toMatchObject({ code: "invalid_update", message: "byte 3: no such struct", isTransient: false });
});

test.each(["unavailable", "rate_limited"])("%s_is_worth_another_try", (code) => {
  expect(serverError(new Error(`An unexpected error occurred invoking 'X' on the server. HubException: ${code}: later`))?.isTransient).toBe(true);
});

test("a_server_error_without_a_code_is_internal", () => {
  expect(serverError(new Error("An unexpected error occurred invoking 'PushUpdate' on the server."))).toMatchObject({ code: "internal" });
});

test("an_error_of_the_connection_is_not_the_servers", () => {
  expect(serverError(new Error("Invocation canceled due to the underlying connection being closed."))).toBeUndefined();
  expect(serverError(new TypeError("fetch failed"))).toBeUndefined();
});

test("waits_grow_to_the_maximum_and_are_spread_below_it", () => {
  const waits = Array.from({ length: 200 }, () => {
    const backoff = new Backoff(100, 10_000);
    return Array.from({ length: 12 }, () => backoff.next());
  });
  const longest = (attempt: number): number => Math.max(...waits.map((series) => series[attempt]!));
  expect(longest(0)).toBeLessThanOrEqual(100);
  expect(longest(3)).toBeGreaterThan(400);
  expect(longest(11)).toBeLessThanOrEqual(10_000);
  expect(Math.min(...waits.map((series) => series[11]!))).toBeLessThan(2_000);
});
