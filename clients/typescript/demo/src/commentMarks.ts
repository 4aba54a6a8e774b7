import { Extension } from "@tiptap/core";
import type { Editor } from "@tiptap/core";
import { Plugin, PluginKey } from "@tiptap/pm/state";
import type { EditorState } from "@tiptap/pm/state";
import { Decoration, DecorationSet } from "@tiptap/pm/view";
import { absolutePositionToRelativePosition, relativePositionToAbsolutePosition, ySyncPluginKey } from "@tiptap/y-tiptap";
import type { Comment, Comments, NewComment } from "@collab/client";
import type * as Y from "yjs";

/** A part of the editor's document, in its positions. */
export interface EditorRange {
  readonly from: number;
  readonly to: number;
}

interface SyncState {
  readonly doc: Y.Doc;
  readonly type: Y.XmlFragment;
  readonly binding: { readonly mapping: never } | null;
}

const KEY = new PluginKey<DecorationSet>("commentMarks");

/** Marks the parts of the document that have open comments. */
export function commentMarks(comments: Comments): Extension {
  return Extension.create({
    name: "commentMarks",
    addProseMirrorPlugins: () => [
      new Plugin<DecorationSet>({
        key: KEY,
        state: {
          init: () => DecorationSet.empty,
          apply: (transaction, marks, _, state) => (transaction.docChanged || transaction.getMeta(KEY) ? decorate(state, comments) : marks),
        },
        props: { decorations: (state) => KEY.getState(state) },
        // Where comments stand is known once the editor shows the shared document.
        view: (view) => {
          const refresh = (): void => view.dispatch(view.state.tr.setMeta(KEY, true).setMeta("addToHistory", false));
          comments.on("change", refresh);
          return { destroy: () => comments.off("change", refresh) };
        },
      }),
    ],
  });
}

/** Where a comment stands now; undefined when nothing is left of it. */
export function rangeOf(state: EditorState, { start, end }: Comment): EditorRange | undefined {
  const sync = ySyncPluginKey.getState(state) as SyncState | undefined;
  if (!sync?.binding) return undefined;
  const [from, to] = [start, end].map((position) => relativePositionToAbsolutePosition(sync.doc, sync.type, position, sync.binding!.mapping));
  return from != null && to != null && from < to && to <= state.doc.content.size ? { from, to } : undefined;
}

/** The selected part of the document, as a new comment needs it; undefined when nothing is selected. */
export function selectedPlace(editor: Editor): Pick<NewComment, "start" | "end"> | undefined {
  const { from, to, empty } = editor.state.selection;
  const sync = ySyncPluginKey.getState(editor.state) as SyncState | undefined;
  if (empty || !sync?.binding) return undefined;
  const [start, end] = [from, to].map((position) => absolutePositionToRelativePosition(position, sync.type, sync.binding!.mapping) as Y.RelativePosition);
  return { start: start!, end: end! };
}

function decorate(state: EditorState, comments: Comments): DecorationSet {
  const decorations = comments.all().flatMap((comment) => {
    const range = comment.isResolved ? undefined : rangeOf(state, comment);
    return range ? [Decoration.inline(range.from, range.to, { class: "comment-mark", "data-comment": comment.id, "data-testid": "comment-mark" })] : [];
  });
  return DecorationSet.create(state.doc, decorations);
}
