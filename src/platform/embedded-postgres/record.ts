import { open, readFile, rename } from 'node:fs/promises';
import { z } from 'zod';
import { EmbeddedPostgresError, ignoring } from './embedded-postgres-error.ts';

const Pid = z.int().positive();

const ClusterRecord = z.object({
  password: z.string().min(1),
  /** Absent after an orderly stop; may be out of date after a crash. */
  running: z.object({ port: z.int(), postmaster_pid: Pid, owner_pid: Pid }).optional(),
  /** The Latchkey server on this data folder; may be out of date after a crash. */
  server: z.object({ pid: Pid, born: z.string() }).optional(),
});

/** Facts about a cluster that are not in its files: how to sign in, and which account runs it. */
export type ClusterRecord = z.output<typeof ClusterRecord>;

/** @throws EmbeddedPostgresError when the file is not ours */
export async function readRecord(file: string): Promise<ClusterRecord | undefined> {
  const text = await readFile(file, 'utf8').catch(ignoring('ENOENT'));
  if (text === undefined) return undefined;
  try {
    return ClusterRecord.parse(JSON.parse(text));
  } catch {
    throw new EmbeddedPostgresError(
      `${file} is damaged: restore it, or remove it and the folder beside it to start with an empty database.`,
    );
  }
}

/** Replaces the record atomically and durably: without its password no one can connect to the cluster. */
export async function writeRecord(file: string, record: ClusterRecord): Promise<void> {
  const draft = `${file}.new`;
  const handle = await open(draft, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(record, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
