// Bundles what runs in a browser: `node build.mjs` writes the bundles, `--check` compares them with a fresh build.

import { readFile, readdir, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const TEACH = new URL("../../teach/", import.meta.url);

/** Each bundle: where it goes, its entry, and the most bytes it may have, as its text is sent with every widget. */
const bundles = [{ target: new URL("../browser.js", import.meta.url), entry: new URL("./index.js", import.meta.url), limit: 150_000 }];
for (const name of (await readdir(new URL("js/", TEACH))).filter((one) => one.endsWith(".js")).sort()) {
  bundles.push({ target: new URL(`bundles/${name}`, TEACH), entry: new URL(`js/${name}`, TEACH), limit: 60_000 });
}

for (const { target, entry, limit } of bundles) {
  const path = fileURLToPath(target);
  const result = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    banner: { js: `// Made from ${entry.pathname.split("/dicomlab/").at(-1)} and what it imports by \`npm run build\`; do not edit.` },
    write: false,
  });
  const text = result.outputFiles[0].text;
  if (text.length > limit) throw new Error(`${basename(path)} has ${text.length} bytes; at most ${limit} are allowed.`);
  if (process.argv.includes("--check")) {
    const committed = await readFile(target, "utf8").catch(() => "");
    if (committed !== text) {
      console.error(`${basename(path)} is not what its sources make: run \`npm run build\` and commit the result.`);
      process.exit(1);
    }
  } else {
    await writeFile(target, text);
  }
  console.log(`${basename(path)}: ${(text.length / 1000).toFixed(1)} kB`);
}
