/// <reference lib="webworker" />
/**
 * Keeps the page's files, so that it works without a network after the first visit, and gives them
 * the headers that the page needs whatever server it came from: a policy that lets nothing leave
 * its origin, the isolation that threads need, and the types of files.
 *
 * `asr-export web` puts a line before this script that sets PAGE.
 */
declare const self: ServiceWorkerGlobalScope & {
  readonly PAGE: {
    /** Changes with the content of any file. */
    readonly version: string;
    /** What the page itself consists of; models and ONNX Runtime are kept when they are loaded. */
    readonly shell: readonly string[];
    readonly headers: Readonly<Record<string, string>>;
  };
};

const PREFIX = `asr-web ${self.registration.scope} `;
const CACHE = PREFIX + self.PAGE.version;

/** What some servers do not know. Browsers keep compiled WebAssembly only of what is declared so. */
const TYPES: Readonly<Record<string, string>> = {
  mjs: "text/javascript",
  wasm: "application/wasm",
};

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await Promise.all(
        self.PAGE.shell.map(async (name) => {
          const response = await fetch(new Request(name, { cache: "reload" }));
          if (!response.ok) throw new TypeError(`${name}: ${response.status}`);
          await cache.put(name, withHeaders(name, response));
        }),
      );
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (!url.href.startsWith(self.registration.scope)) return;
  event.respondWith(respond(url));
});

async function respond(url: URL): Promise<Response> {
  const cache = await caches.open(CACHE);
  // The page has settings behind its question mark, which are no other file.
  const key = url.origin + url.pathname.replace(/\/index\.html$/, "/");
  const kept = await cache.match(key);
  // As it was put there: of a copy, browsers would not keep the compiled WebAssembly.
  if (kept !== undefined) return kept;
  const response = await fetch(key);
  if (!response.ok) return response;
  const answer = withHeaders(key, response);
  const copy = answer.clone();
  // A cache that is full is no reason not to answer.
  const put = cache.put(key, answer).catch(() => {});
  if (!key.endsWith(".wasm")) return copy;
  // Browsers keep the compiled code of an answer out of the cache alone, so the first visit gets it
  // from there as well; else the second visit would compile everything again.
  await put;
  return (await cache.match(key)) ?? copy;
}

function withHeaders(name: string, response: Response): Response {
  const headers = new Headers(response.headers);
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
  if (type !== undefined) headers.set("Content-Type", type);
  for (const [name, value] of Object.entries(self.PAGE.headers)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

export {};
