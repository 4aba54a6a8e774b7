import { defineConfig } from "vite";
import type { Plugin } from "vite";

/** The page holds itself to a strict policy, whatever headers the server sends. Only in builds: Vite's dev server injects styles. */
const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: {
        "http-equiv": "Content-Security-Policy",
        content: "default-src 'self'; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'none'",
      },
      injectTo: "head-prepend",
    },
  ],
};

const host = process.env["COLLAB_URL"] ?? "http://127.0.0.1:5000";

export default defineConfig({
  plugins: [contentSecurityPolicy],
  build: {
    outDir: "../../../src/Collab.Host/wwwroot",
    emptyOutDir: true,
    rollupOptions: { input: { index: "index.html", admin: "admin.html" } },
    target: "es2022",
    // Fonts and images stay files: the policy allows no data: addresses.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  server: {
    proxy: {
      "/hubs": { target: host, ws: true },
      "/documents": { target: host },
      "/channels": { target: host },
      "/events": { target: host },
      "/tickets": { target: host },
      "/admin/": { target: host },
    },
  },
});
