import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { once } from '../../platform/caching/index.ts';
import { programFile } from '../../platform/program/index.ts';

/** One file as it is sent. Its path changes with its content, so it may be cached for ever. */
export type Asset = { path: string; type: string; body: Record<AssetEncoding, () => Promise<Buffer>> };

export type AssetEncoding = 'br' | 'gzip' | 'identity';

export type AssetName =
  | 'latchkey.css'
  | 'console.css'
  | 'reference.css'
  | 'docs.css'
  | 'latchkey.js'
  | 'passkeys.js'
  | 'icon.svg';

const require = createRequire(import.meta.url);
const own = (name: string): string => readFileSync(programFile(`views/assets/${name}`), 'utf8');
const pico = readFileSync(require.resolve('@picocss/pico/css/pico.min.css'), 'utf8');

const assets: Readonly<Record<AssetName, Asset>> = {
  'latchkey.css': asset('latchkey.css', 'text/css; charset=utf-8', Buffer.from(adapted(pico) + own('latchkey.css'))),
  'console.css': asset('console.css', 'text/css; charset=utf-8', Buffer.from(own('console.css'))),
  'reference.css': asset('reference.css', 'text/css; charset=utf-8', Buffer.from(own('reference.css'))),
  'docs.css': asset('docs.css', 'text/css; charset=utf-8', Buffer.from(own('docs.css'))),
  'latchkey.js': asset('latchkey.js', 'text/javascript; charset=utf-8', Buffer.from(own('latchkey.js'))),
  'passkeys.js': asset('passkeys.js', 'text/javascript; charset=utf-8', Buffer.from(own('passkeys.js'))),
  'icon.svg': asset('icon.svg', 'image/svg+xml', Buffer.from(own('icon.svg'))),
};

const byPath: ReadonlyMap<string, Asset> = new Map(Object.values(assets).map((each) => [each.path, each]));

/** The file served at this path; undefined for any other path, outdated names included. */
export function findAsset(path: string): Asset | undefined {
  return byPath.get(path);
}

/** The path of this file for pages: `/assets/latchkey.<hash of its content>.css`. */
export function assetPath(name: AssetName): string {
  return assets[name].path;
}

/** A file to be served under a name with the hash of its content. */
export function asset(name: string, type: string, body: Buffer): Asset {
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16);
  const path = `/assets/${name.replace('.', `.${hash}.`)}`;
  return {
    path,
    type,
    body: {
      br: once(() => promisify(brotliCompress)(body)),
      gzip: once(() => promisify(gzip)(body, { level: 9 })),
      identity: async () => body,
    },
  };
}

// The content security policy (img-src 'self') refuses Pico's inline icons: each would be an error in the
// browser's console and an empty box on the page. latchkey.css draws the few that are needed.
// A link that looks like a button is `.button` here: the role promises that the space key activates it, which it does not for a link.
function adapted(css: string): string {
  return css.replaceAll(/url\("data:[^"]*"\)/g, 'none').replaceAll('[role=button]', '.button');
}
