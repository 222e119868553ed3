import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { programFile } from '../../../platform/program/index.ts';
import { pagePaths } from '../page-data.ts';

/** Files beside the docs that they link to. */
const besides: Readonly<Record<string, string>> = { readme: 'README.md', settings: '.env.example' };

const images = new Map([
  ['.png', 'image/png' as const],
  ['.webp', 'image/webp' as const],
]);

/** A file of the docs, and the address that it is served at. Only files that exist at the start are served. */
export type DocFile = { path: string; file: string; type: 'page' | 'image/png' | 'image/webp' };

/** All of them, by their address. */
export function docFiles(): ReadonlyMap<string, DocFile> {
  const inDocs = readdirSync(programFile('docs'), { recursive: true, encoding: 'utf8' }).map((name) =>
    posix.join('docs', name.replaceAll('\\', '/')),
  );
  const besideDocs = Object.entries(besides).map(([name, file]) => [`${pagePaths.docs}/${name}`, file] as const);
  const found = [...inDocs.map((file) => [addressOf(file), file] as const), ...besideDocs];
  return new Map(
    found.flatMap(([path, file]): [string, DocFile][] => {
      const type = file.endsWith('.md') || file === besides.settings ? 'page' : images.get(posix.extname(file));
      return type === undefined ? [] : [[path, { path, file, type }]];
    }),
  );
}

/** `docs/web-app.md` is at `/docs/web-app`, the README of a folder at the folder's address. */
function addressOf(file: string): string {
  return `/${file.replace(/(\/README)?\.md$/, '')}`;
}

/** The target of a link: another page of the docs, or undefined if it is not served. */
export function linkedAddress(
  files: ReadonlyMap<string, DocFile>,
  { file }: DocFile,
  href: string,
): string | undefined {
  const [target = '', anchor] = href.split('#');
  const linked = target === '' ? file : posix.join(posix.dirname(file), target);
  const found = [...files.values()].find((each) => each.file === linked);
  return found && (anchor === undefined ? found.path : `${found.path}#${anchor}`);
}

/** The content of a file, with the address of this installation in place of that of the examples. */
export async function readDoc({ file }: DocFile, issuer: string): Promise<string> {
  const text = await readFile(programFile(file), 'utf8');
  const page = file === besides.settings ? `# Settings\n\nEnvironment variables.\n\n\`\`\`sh\n${text}\`\`\`\n` : text;
  // The README sets the width of its picture in HTML, because Markdown cannot.
  return page.replaceAll(exampleIssuer, issuer).replaceAll(/<img src="([^"]+)"[^>]* alt="([^"]*)">/g, '![$2]($1)');
}

/** The bytes of an image. */
export const readImage = ({ file }: DocFile): Promise<Buffer> => readFile(programFile(file));

const exampleIssuer = 'http://localhost:3000';
