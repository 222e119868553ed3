import { environmentFor } from '../../../config.ts';
import { action } from './command-context.ts';
import { note } from './output.ts';
import { type ValueFile, ValueFiles } from './run-files.ts';
import { Program } from './run-program.ts';
import { type Read, SecretReader } from './run-secrets.ts';
import { UsageError } from './usage.ts';

type Options = {
  secret: string[];
  url?: string;
  token?: string;
  role?: string;
  identity: string;
  auth: string;
  files?: string;
  filesOnDisk?: boolean;
  onChange: string;
};

const signals = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGINT'] as const;

/** Reads the secrets, and becomes the program: its signals, and how it ends. Where it is to follow changes, it waits for them. */
export const run = action(async ([program = '', ...given]: string[], options: Options) => {
  const { secret: paths, onChange, files: folder, filesOnDisk: mayBeOnDisk = false } = options;
  if (!['ignore', 'restart', ...signals].includes(onChange))
    throw new UsageError(`--on-change must be ignore, restart or one of ${signals.join(', ')}.`);
  const reader = readerFor(options);
  const files = folder === undefined ? undefined : await ValueFiles.open(folder, mayBeOnDisk);
  try {
    const read = await Promise.all(paths.map((path) => reader.read(path)));
    // From here on signals are the program's, so that no file stays behind.
    const child = new Program(program, given);
    await files?.write(partsOf(read));
    const environment = () => environmentFor(files ? {} : variablesOf(read));
    await child.start(environment());
    const changed = async () => {
      await files?.write(partsOf(read));
      if (onChange === 'restart') await child.restart(environment());
      else if (onChange !== 'ignore') child.signal(onChange as NodeJS.Signals);
    };
    const following = files || onChange !== 'ignore' ? paths.map((_, n) => n) : [];
    const how = { isOver: () => child.hasEnded, changed: inTurn(changed) };
    const followed = following.map((n) => follow(reader, read, n, how));
    process.exitCode = await child.ended;
    reader.close();
    await Promise.all(followed);
  } finally {
    await files?.remove();
  }
});

function readerFor({ url, token, role, identity, auth }: Options): SecretReader {
  if (!url || (!token && !role))
    throw new UsageError(
      'Set LATCHKEY_URL, and LATCHKEY_TOKEN (an API key or token) or --role (to log in with a token of the workload).',
    );
  if (!['kubernetes', 'jwt'].includes(auth)) throw new UsageError('--auth must be kubernetes or jwt.');
  return new SecretReader(url.replace(/\/$/, ''), role ? { role, identity, auth } : { token: token ?? '' });
}

type Following = { isOver: () => boolean; changed: () => Promise<void> };

/** Several secrets may change at once: what follows from each is done one after the other. */
function inTurn(act: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.catch(() => undefined).then(act);
    return last;
  };
}

/** Waits for versions of a secret, one after the other. What cannot be read meanwhile keeps the program as it is. */
async function follow(reader: SecretReader, read: Read[], n: number, { isOver, changed }: Following): Promise<void> {
  while (!isOver()) {
    const before = read[n];
    if (!before) return;
    try {
      const next = await reader.readAfter(before);
      if (!next || isOver()) continue;
      read[n] = next;
      await changed();
    } catch (error) {
      if (isOver()) return;
      // It is tried again with the next answer.
      read[n] = before;
      note(`latchkey: ${before.path} cannot be followed at the moment: ${(error as Error).message}`);
      await reader.pause();
    }
  }
}

/** The parts of secrets; of those with the same name the last one counts. A secret of one value is named by its path. */
function partsOf(read: readonly Read[]): ValueFile[] {
  const parts = read.flatMap(({ path, data }) =>
    Object.entries(data).map(([name, value]) => {
      const isOnly = name === 'value' && Object.keys(data).length === 1;
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return [isOnly ? (path.split('/').at(-1) ?? '') : name, text] as const;
    }),
  );
  return [...new Map(parts)].map(([name, text]) => ({ name, text }));
}

/** Each part of a secret is a variable of its name. */
function variablesOf(read: readonly Read[]): Record<string, string> {
  return Object.fromEntries(partsOf(read).map(({ name, text }) => [variableNamed(name), text]));
}

/** Names that no shell takes are written as is usual: `db-password` is `DB_PASSWORD`. */
function variableNamed(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name)
    ? name
    : name
        .toUpperCase()
        .replaceAll(/\W/g, '_')
        .replace(/^(?=\d)/, '_');
}
