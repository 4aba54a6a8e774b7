import * as Y from "yjs";

/** One change that was made here. */
export type Step = Y.UndoManager["undoStack"][number];

/** All that is changed here counts, whoever changes it. */
class AnyOrigin extends Set<unknown> {
  override has(): boolean {
    return true;
  }
}

/** Remembers what was changed here, so that it can be taken back as long as the server may refuse it. */
export class Steps {
  readonly #undo: Y.UndoManager;

  /** @param remote the origin of what comes from the server. */
  constructor(doc: Y.Doc, remote: unknown) {
    this.#undo = new Y.UndoManager(doc, {
      captureTimeout: 0,
      trackedOrigins: new AnyOrigin(),
      captureTransaction: (transaction) => transaction.local && transaction.origin !== remote && transaction.origin !== this.#undo,
    });
  }

  /** The step that a transaction made, in the `update` event of it; undefined when it made none. */
  of(transaction: Y.Transaction): Step | undefined {
    return transaction.local && transaction.origin !== this.#undo ? this.#undo.undoStack.at(-1) : undefined;
  }

  /** These are safe: they need not be taken back any more. */
  forget(steps: ReadonlySet<Step | undefined>): void {
    this.#undo.undoStack = this.#undo.undoStack.filter((step) => !steps.has(step));
  }

  /** Undoes steps, wherever they stand, the last one first; what was changed since stays. */
  takeBack(steps: readonly Step[]): void {
    const kept = this.#undo.undoStack.filter((step) => !steps.includes(step));
    for (const step of [...steps].reverse()) {
      this.#undo.undoStack = [step];
      this.#undo.undo();
    }
    this.#undo.undoStack = kept;
    this.#undo.redoStack = [];
  }

  destroy(): void {
    this.#undo.destroy();
  }
}
