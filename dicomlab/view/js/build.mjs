// Bundles the viewer: `node build.mjs` writes ../browser.js, `--check` compares it with a fresh build.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const LIMIT = 150_000; // bytes: the text is sent with every widget
const target = new URL("../browser.js", import.meta.url);
const result = await build({
  entryPoints: [fileURLToPath(new URL("./index.js", import.meta.url))],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  banner: { js: "// Made from dicomlab/view/js by `npm run build`; do not edit." },
  write: false,
});
const text = result.outputFiles[0].text;
if (text.length > LIMIT) throw new Error(`The bundle has ${text.length} bytes; at most ${LIMIT} are allowed.`);
if (process.argv.includes("--check")) {
  const committed = await readFile(target, "utf8").catch(() => "");
  if (committed !== text) {
    console.error("dicomlab/view/browser.js is not what its sources make: run `npm run build` and commit the result.");
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
console.log(`browser.js: ${(text.length / 1000).toFixed(1)} kB`);
