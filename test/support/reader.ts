import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.ts';
import { hostOfThisWorker } from './hosted-server.ts';

const root = path.join(import.meta.dirname, '../..');
const issuerInPages = 'http://localhost:3000';

/** An action of a reader in addition to pasting: it waits for this text, and acts on it. */
export type Step = {
  page: string;
  when: RegExp;
  act: (found: RegExpExecArray, address: (port: number) => string) => Promise<void>;
};

type Block = { language: string; code: string };
type Ran = { code: string; output: string; expected: Block | undefined };
export type ReadPage = { code: number | null; output: string; ran: Ran[] };

/**
 * Follows a page from an empty folder: saves its files, pastes its `sh` blocks one after the other into one shell, and compares their
 * output with the `text` or `json` block that follows. It replaces ports with free ones, and the server with the one under test, and
 * nothing else on the page. `console` blocks are for reading only.
 */
export async function readPage(
  page: string,
  { issuer, env, steps }: { issuer: string; env: Record<string, string>; steps: readonly Step[] },
): Promise<ReadPage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-reader-'));
  try {
    const { text, address } = await portsIn(await readFile(path.join(root, page), 'utf8'), issuer);
    for (const [name, content] of filesIn(text)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), content);
    }
    const programs = await programsOfReader(folder);
    const blocks = blocksIn(text);
    const PATH = [programs, path.join(root, 'bin'), path.dirname(process.execPath), process.env.PATH].join(':');
    const { code, output } = await runScript(scriptOf(blocks), {
      ...{ folder, steps, address },
      env: { HOME: folder, CHECKOUT: root, PATH, ...hostIn(page), ...env },
    });
    return { code, output, ran: ranOf(blocks, output) };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ports on pages: those of the server, and of the shown programs. */
async function portsIn(page: string, issuer: string) {
  const ports = new Map<string, number>();
  for (const [port] of page.matchAll(/(?<=\D)(40\d\d|5173)(?=\D)/g))
    if (!ports.has(port)) ports.set(port, await freePort());
  const replaced = page.replaceAll(/(?<=\D)(40\d\d|5173)(?=\D)/g, (port) => String(ports.get(port)));
  return {
    text: replaced.replaceAll(issuerInPages, issuer),
    address: (port: number) => `http://localhost:${ports.get(String(port))}`,
  };
}

const filesIn = (page: string): [string, string][] =>
  [...page.matchAll(/save this as\s+`([^`]+)`[^\n]*\n\n```\w*\n([\s\S]*?)^```/gim)].map(
    ([, name = '', content = '']) => [name, content],
  );

const blocksIn = (page: string): Block[] =>
  [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(([, language = '', code = '']) => ({ language, code }));

/** A failing command ends the script, because a reader would stop there. */
function scriptOf(blocks: readonly Block[]): string {
  const pasted = blocks.map(({ language, code }, n) => (language === 'sh' ? `echo; echo "@@ ${n}"\n${code}` : ''));
  const atEnd = `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT`;
  return [
    'exec 2>&1 9<&0 </dev/null',
    'set -meo pipefail',
    atEnd,
    ...pasted,
    'echo; echo "@@ end"',
    'read -r _ <&9 || true',
  ].join('\n');
}

type Run = { folder: string; env: Record<string, string>; steps: readonly Step[]; address: (port: number) => string };

async function runScript(script: string, { folder, env, steps, address }: Run) {
  const file = path.join(folder, '.pasted.sh');
  await writeFile(file, script);
  const shell = spawn('bash', [file], { cwd: folder, env });
  let output = '';
  let acted: Promise<void> = Promise.resolve();
  const waiting = new Set(steps);
  const failed: Error[] = [];
  const see = (chunk: Buffer) => {
    output += chunk;
    for (const step of waiting) {
      const found = step.when.exec(output);
      if (!found) continue;
      waiting.delete(step);
      acted = acted
        .then(() => step.act(found, address))
        .catch((error: Error) => {
          failed.push(error);
          // Otherwise the program would wait for the reader.
          spawn('pkill', ['-P', String(shell.pid)]);
        });
    }
    if (waiting.size === 0 && output.includes('\n@@ end')) void acted.then(() => shell.stdin.end());
  };
  shell.stdout.on('data', see);
  const code = await new Promise<number | null>((resolve) => shell.once('close', resolve));
  for (const { when } of waiting) failed.push(new Error(`The page never printed ${when}.`));
  if (failed[0]) throw new Error(`${failed[0].message}\n${output}`, { cause: failed[0] });
  return { code, output };
}

function ranOf(blocks: readonly Block[], output: string): Ran[] {
  return blocks.flatMap(({ language, code }, n) => {
    if (language !== 'sh') return [];
    const [, after = ''] = output.split(`@@ ${n}\n`);
    const next = blocks[n + 1];
    return [{ code, output: after.split('\n@@ ')[0] ?? '', expected: next?.language === 'text' ? next : undefined }];
  });
}

/** The expected lines that were not printed in this order; `…` matches anything. */
export function missingLines({ output, expected }: Ran): string[] {
  let rest = output;
  return (expected?.code ?? '').split('\n').filter((line) => {
    if (line.trim() === '') return false;
    const pattern = line.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const found = new RegExp(pattern.join('.*')).exec(rest);
    if (found) rest = rest.slice(found.index + found[0].length);
    return !found;
  });
}

/** The command host for a page; the commands of the first page are separate processes, like those of its reader. */
function hostIn(page: string): Record<string, string> {
  const host = page === 'README.md' ? undefined : hostOfThisWorker('second');
  return host ? { COMMAND_HOST: host } : {};
}

/** The programs of a reader in addition to those of this machine. */
async function programsOfReader(folder: string): Promise<string> {
  const bin = path.join(folder, '.bin');
  await mkdir(bin);
  for (const [name, script] of Object.entries({ npm, latchkey, sleep })) {
    await writeFile(path.join(bin, name), script);
    await chmod(path.join(bin, name), 0o755);
  }
  return bin;
}

/** Commands that start programs, run until they are stopped, or store a profile in the user's home are separate processes. */
const latchkey = `#!/bin/sh
case "\${COMMAND_HOST:-none} $* " in
  none*|*' serve '*|*' run '*|*' login '*|*' logout '*|*' api '*|*' --follow '*) exec "$CHECKOUT/bin/latchkey" "$@" ;;
esac
exec node --no-warnings "$CHECKOUT/test/support/hosted-command.ts" "$@"
`;

/** A busy machine takes longer to do what the reader waits for. */
const sleep = `#!/bin/sh
exec /bin/sleep $(($1 * 5))
`;

/** An `npm` that installs from this checkout, so that no registry is needed. */
const npm = `#!/bin/sh
set -e
case "$1" in
  init) echo '{}' > package.json ;;
  install)
    shift
    for name in "$@"; do
      case "$name" in
        *.tgz)
          mkdir -p node_modules/@latchkey/guard
          tar -xzf "$name" -C node_modules/@latchkey/guard --strip-components 1
          ln -sfn "$CHECKOUT/node_modules/jose" node_modules/jose ;;
        *)
          test -d "$CHECKOUT/node_modules/$name"
          mkdir -p "$(dirname "node_modules/$name")"
          ln -sfn "$CHECKOUT/node_modules/$name" "node_modules/$name" ;;
      esac
    done ;;
  *) PATH="\${PATH#*:}" exec npm "$@" ;;
esac
`;
