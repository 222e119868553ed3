import { open } from 'node:fs/promises';
import path from 'node:path';
import { invalid, isReference, type SecretReference } from '../../platform/http/index.ts';
import { secretMembers } from './schemas.ts';

/** Reads an environment variable of this process. */
export type ReadEnvironment = (name: string) => string | undefined;

type Source = { path: string; env: ReadEnvironment };

const maxSecretBytes = 64 * 1024;

/**
 * Replaces references to secrets (`{ "env": "NAME" }`, `{ "file": "path" }`) by the secrets, in the members that hold secrets and
 * nowhere else. A relative path starts at the folder of the configuration file.
 *
 * @throws Problem `invalid` naming the member and the variable or file, without values
 */
export async function resolveReferences(source: Source, file: unknown): Promise<void> {
  for (const [list, members] of Object.entries(secretMembers)) {
    for (const [index, entry] of entriesIn(file, list).entries()) {
      for (const path of members) await resolveMember(source, entry, { path, pointer: `/${list}/${index}/${path}` });
    }
  }
}

async function resolveMember(
  source: Source,
  entry: Record<string, unknown>,
  { path, pointer }: { path: string; pointer: string },
): Promise<void> {
  const [member = '', ...outer] = path.split('/').reverse();
  const holder = outer.reverse().reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), entry);
  if (isRecord(holder) && isReference(holder[member]))
    holder[member] = await secretOf(source, holder[member] as SecretReference, pointer);
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function entriesIn(file: unknown, list: string): Record<string, unknown>[] {
  const entries = (file as Record<string, unknown> | null)?.[list];
  // The schema refuses all other values afterwards.
  return Array.isArray(entries) ? entries.map((entry) => (typeof entry === 'object' && entry ? entry : {})) : [];
}

async function secretOf(source: Source, reference: SecretReference, pointer: string): Promise<string> {
  const refuse = (reason: string) => invalid(pointer, `${source.path}: ${pointer} ${reason}.`);
  if ('env' in reference) {
    const value = source.env(reference.env);
    if (!value) throw refuse(`names the environment variable ${reference.env}, which is not set`);
    return value;
  }
  const named = path.resolve(path.dirname(source.path), reference.file);
  const text = await readSecretFile(named).catch((error: NodeJS.ErrnoException) => {
    throw refuse(`names ${named}, which cannot be read (${error.code ?? error.message})`);
  });
  if (!text) throw refuse(`names ${named}, which is empty`);
  return text;
}

/** The content without the line break that editors and `echo` leave at the end. */
async function readSecretFile(named: string): Promise<string> {
  const handle = await open(named);
  try {
    const buffer = Buffer.alloc(maxSecretBytes + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < buffer.length; length += read)
      read = (await handle.read(buffer, length, buffer.length - length, null)).bytesRead;
    if (length > maxSecretBytes) throw new Error('larger than 64 KiB');
    const text = new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
    return text.replace(/\r?\n$/, '');
  } finally {
    await handle.close();
  }
}
