import { lstat, opendir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import { action } from './command-context.ts';
import { credentialsIn } from './credentials-in-text.ts';
import { answer, inLine, note } from './output.ts';
import { UsageError } from './usage.ts';

// Folders of version control and package managers: they are not edited, and large.
const skippedFolders = new Set(['.git', '.hg', '.svn', 'node_modules']);
const mostBytes = 5 * 1024 * 1024;

type Found = { path: string; line: number; column: number; kind: string };
type Skipped = { path: string; reason: string };

/** Finds credentials in the files of a folder. Files that are too large, binary or unreadable are listed. */
export const scan = action(async (start: string, options: { json?: boolean }) => {
  if (!(await lstat(start).catch(() => undefined))) throw new UsageError(`There is no folder or file ${start}.`);
  const found: Found[] = [];
  const skipped: Skipped[] = [];
  let files = 0;
  for await (const file of filesBelow(start, skipped)) {
    const text = await textOf(file, skipped);
    if (text === undefined) continue;
    files += 1;
    for (const each of await credentialsIn(text, file)) found.push({ path: file, ...each });
  }
  for (const { path: file, reason } of skipped) note(`Skipped ${inLine(file)}: ${reason}`);
  const lines = found.map(({ path: file, line, column, kind }) => `${inLine(file)}:${line}:${column}  ${kind}`);
  answer(options, { items: found, files, skipped }, [...lines, ...summary(found, files)]);
  if (found.length > 0) process.exitCode = 1;
});

function summary(found: readonly Found[], files: number): string[] {
  const inFiles = counted(files, 'file');
  if (found.length === 0) return [`No credentials in ${inFiles}.`];
  return [
    `${counted(found.length, 'credential')} in ${counted(new Set(found.map((each) => each.path)).size, 'file')} of ${files}.`,
    'Revoke each of them: anyone who could read the file may have it. Store the new ones with `latchkey secret put`.',
  ];
}

const counted = (count: number, one: string) => `${count} ${count === 1 ? one : `${one}s`}`;

/** Regular files, in the order of their names; links are not followed, so that none is read twice. */
async function* filesBelow(start: string, skipped: Skipped[]): AsyncGenerator<string> {
  const entry = await lstat(start);
  if (entry.isFile()) yield start;
  if (!entry.isDirectory()) return;
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(start)) names.push(name);
  } catch (error) {
    skipped.push({ path: start, reason: reasonOf(error) });
  }
  for (const name of names.sort()) if (!skippedFolders.has(name)) yield* filesBelow(path.join(start, name), skipped);
}

/** The text of a file; undefined: it is binary. */
async function textOf(file: string, skipped: Skipped[]): Promise<string | undefined> {
  try {
    if ((await lstat(file)).size > mostBytes) {
      skipped.push({ path: file, reason: 'it is larger than 5 MiB' });
      return undefined;
    }
    const bytes = await readFile(file);
    return bytes.includes(0) ? undefined : bytes.toString();
  } catch (error) {
    skipped.push({ path: file, reason: reasonOf(error) });
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const { errno } = error as NodeJS.ErrnoException;
  return errno === undefined ? String(error) : getSystemErrorMessage(errno);
}
