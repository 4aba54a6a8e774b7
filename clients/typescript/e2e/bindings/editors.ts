/**
 * The script of a page with one editor on one document, over the client that its address names:
 * `?editor=quill|codemirror|tiptap&client=…&document=…&port=…`.
 */
import { CollabConnection, CollabProvider } from "@collab/client";
import { Editor } from "@tiptap/core";
import Collaboration from "@tiptap/extension-collaboration";
import StarterKit from "@tiptap/starter-kit";
import { EditorView, basicSetup } from "codemirror";
import { HocuspocusProvider as Hocuspocus2 } from "hocuspocus-provider-2";
import { HocuspocusProvider as Hocuspocus3 } from "hocuspocus-provider-3";
import { HocuspocusProvider as Hocuspocus4 } from "hocuspocus-provider-4";
import Quill from "quill";
import { yCollab } from "y-codemirror.next";
import { QuillBinding } from "y-quill";
import { WebsocketProvider as YWebSocket1 } from "y-websocket-1";
import { WebsocketProvider as YWebSocket2 } from "y-websocket-2";
import { WebsocketProvider as YWebSocket3 } from "y-websocket-3";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

/** What the tests ask of the page. */
export interface EditorWindow {
  readonly editor: {
    /** Whether all that was typed here is at the server, and all that the server had is here. */
    isSynced(): boolean;
    /** How much of each writer the page has, and the content: the same text on all pages that have the same document. */
    state(): string;
    /** What the editor shows: Quill's delta, CodeMirror's text or Tiptap's HTML. */
    shows(): string;
    /** The text alone. */
    text(): string;
    /** Makes a word bold. CodeMirror has no such thing. */
    embolden(word: string): void;
  };
}

interface Connected {
  readonly awareness: Awareness | null;
  isSynced(): boolean;
}

const parameters = new URLSearchParams(location.search);
const [documentId, port] = [parameters.get("document")!, parameters.get("port")!];
const doc = new Y.Doc();
const connected = connect(parameters.get("client")!);
(window as unknown as { editor: EditorWindow["editor"] }).editor = {
  isSynced: () => connected.isSynced(),
  state: () => {
    const clocks = [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => a - b);
    return JSON.stringify([clocks, doc.getText("text").toDelta(), doc.getXmlFragment("default").toString()]);
  },
  ...open(parameters.get("editor")!, connected.awareness),
};

function connect(client: string): Connected {
  switch (client) {
    case "collab": {
      const provider = new CollabProvider(
        new CollabConnection({ url: `http://127.0.0.1:${port}/hubs/collab`, backoff: { maximum: 500 } }), documentId, doc);
      return { awareness: provider.awareness, isSynced: () => provider.synced && provider.unacknowledged === 0 };
    }
    case "y-websocket 1":
      return yWebSocket(YWebSocket1);
    case "y-websocket 2":
      return yWebSocket(YWebSocket2);
    case "y-websocket 3":
      return yWebSocket(YWebSocket3);
    case "hocuspocus 2":
      return hocuspocus(Hocuspocus2 as unknown as typeof Hocuspocus3);
    case "hocuspocus 3":
      return hocuspocus(Hocuspocus3);
    case "hocuspocus 4":
      return hocuspocus(Hocuspocus4 as unknown as typeof Hocuspocus3);
    default:
      throw new Error(`There is no client ${client}.`);
  }
}

function yWebSocket(Client: typeof YWebSocket1 | typeof YWebSocket2 | typeof YWebSocket3): Connected {
  const provider = new Client(`ws://127.0.0.1:${port}/yjs`, documentId, doc, { disableBc: true, maxBackoffTime: 500 });
  return { awareness: provider.awareness as unknown as Awareness, isSynced: () => provider.synced };
}

function hocuspocus(Client: typeof Hocuspocus3): Connected {
  const provider = new Client({ url: `ws://127.0.0.1:${port}/hocuspocus`, name: documentId, document: doc });
  return { awareness: provider.awareness as unknown as Awareness, isSynced: () => provider.isSynced && !provider.hasUnsyncedChanges };
}

/** Opens the editor. Quill and CodeMirror have a text in common, Tiptap a fragment of its own. */
function open(editor: string, awareness: Awareness | null): Pick<EditorWindow["editor"], "shows" | "text" | "embolden"> {
  const parent = document.body.appendChild(document.createElement("div"));
  const shared = doc.getText("text");
  switch (editor) {
    case "quill": {
      const quill = new Quill(parent);
      new QuillBinding(shared, quill, awareness ?? undefined);
      return {
        shows: () => JSON.stringify(quill.getContents().ops),
        text: () => quill.getText(),
        embolden: (word) => quill.formatText(quill.getText().indexOf(word), word.length, "bold", true, "user"),
      };
    }
    case "codemirror": {
      const view = new EditorView({ doc: shared.toString(), extensions: [basicSetup, yCollab(shared, awareness)], parent });
      const text = () => view.state.doc.toString();
      return { shows: text, text, embolden: () => undefined };
    }
    case "tiptap": {
      const tiptap = new Editor({
        element: parent,
        extensions: [StarterKit.configure({ undoRedo: false }), Collaboration.configure({ document: doc, field: "default" })],
      });
      return {
        shows: () => tiptap.getHTML(),
        text: () => tiptap.getText(),
        embolden: (word) => {
          // All that is typed is one paragraph, whose text begins at 1.
          const from = 1 + tiptap.getText().indexOf(word);
          const caret = tiptap.state.selection.from;
          tiptap.chain().setTextSelection({ from, to: from + word.length }).setMark("bold").setTextSelection(caret).run();
        },
      };
    }
    default:
      throw new Error(`There is no editor ${editor}.`);
  }
}
