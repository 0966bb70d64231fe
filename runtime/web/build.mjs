// Builds the page's files into asr_export/web/page, where `asr-export web` takes them from.
//
//   npm ci && npm run check && npm run build      (--out DIR for another folder)
//
// The result is committed, so that who installs with pip needs no npm. It depends on nothing but
// the sources and the versions in package-lock.json.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const asked = process.argv.indexOf("--out");
const out = asked > 0 ? process.argv[asked + 1] : join(here, "../../asr_export/web/page");
mkdirSync(out, { recursive: true });

const options = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "inline",
  minify: true,
};
await build({
  ...options,
  entryPoints: {
    app: "src/page/app.ts",
    worker: "src/page/worker.ts",
    recorder_worklet: "src/page/recorder_worklet.ts",
  },
  // ONNX Runtime's WebAssembly lies beside the page as files of its own.
  conditions: ["onnxruntime-web-use-extern-wasm"],
  outdir: out,
});
await build({
  ...options,
  entryPoints: { service_worker: "src/page/service_worker.ts" },
  format: "iife", // a classic script
  outdir: out,
});
await build({
  ...options,
  entryPoints: { recognizer: "src/index.ts" },
  minify: false,
  outdir: out,
});
for (const name of readdirSync(join(here, "static"))) {
  copyFileSync(join(here, "static", name), join(out, name));
}

const runtime = join(here, "node_modules/onnxruntime-web");
const { version } = JSON.parse(readFileSync(join(runtime, "package.json"), "utf8"));
const sha256 = {};
for (const name of ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"]) {
  const bytes = readFileSync(join(runtime, "dist", name));
  sha256[name] = createHash("sha256").update(bytes).digest("hex");
}
writeFileSync(
  join(out, "onnxruntime-web.json"),
  `${JSON.stringify({ version, sha256 }, null, 2)}\n`,
);
