import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { binaryPart, contentOf } from './binary-values.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { isConfirmed, isTerminal, jsonObject, readSecret } from './input.ts';
import { answer, answerPage, columns } from './output.ts';
import { routesOf } from './routes.ts';
import { type OptionNames, UsageError } from './usage.ts';

type Json = { json?: boolean };
type PutOptions = Json & { file?: string; object?: boolean; cas?: string; ttl?: string };
type GetOptions = Json & { version?: string; part?: string; reason?: string };
type ListOptions = Json & { prefix?: string; due?: boolean; limit: string; cursor?: string };
type VersionOptions = Json & { version?: string };
type Data = Record<string, unknown>;

const optionNames: OptionNames = { path: '<path>', ttl_seconds: '--ttl' };

export const put = onInstallation(async (place: CommandContext, path: string, options: PutOptions) => {
  const { cas, ttl } = options;
  const body = {
    data: dataIn(await valueGiven(options), options),
    ...(cas !== undefined && { cas: Number(cas) }),
    ...(ttl !== undefined && { ttl_seconds: Number(ttl) }),
  };
  const made = await routesOf(place).call('POST /secrets/{path}/versions', { params: { path }, body });
  answer(options, made, [`Wrote version ${made.number} of ${path}.`]);
}, optionNames);

/** @throws UsageError: the input is empty */
async function valueGiven({ file }: PutOptions): Promise<Buffer> {
  const given = file === undefined ? await fromInput() : await readFile(file);
  if (given.length === 0) throw new UsageError('Give the value on standard input, or in a file with --file.');
  return given;
}

/** A line end that a program or an editor adds is not part of a value from a pipe. */
async function fromInput(): Promise<Buffer> {
  if (isTerminal()) return Buffer.from((await readSecret('Value: ')) ?? '');
  const piped = await buffer(process.stdin);
  return isUtf8(piped) ? Buffer.from(piped.toString().replace(/\r?\n$/, '')) : piped;
}

/** One part for a text; other bytes are stored in base64. */
function dataIn(given: Buffer, { object }: PutOptions): Data {
  if (object) return jsonObject(given.toString(), '--object');
  return isUtf8(given) ? { value: given.toString() } : { [binaryPart]: given.toString('base64') };
}

export const get = onInstallation(async (place: CommandContext, path: string, options: GetOptions) => {
  const { version, part, reason, json } = options;
  const params = { path };
  const found = await routesOf(place).call('GET /secrets/{path}/value', { params, query: { version, reason } });
  if (json) return answer(options, found, []);
  return write(valueToPrint(found.data, part));
}, optionNames);

/** The only part, or the named one; several as JSON. */
function valueToPrint(data: Data, part: string | undefined): Buffer | string {
  if (part !== undefined && !Object.hasOwn(data, part)) throw new UsageError(`The secret has no part "${part}".`);
  const [only, ...others] = part === undefined ? Object.entries(data) : [[part, data[part]] as const];
  if (!only || others.length > 0) return JSON.stringify(data, undefined, 2);
  const [name = '', value] = only;
  return contentOf(name, value);
}

/** Bytes are printed unchanged, a text with a line end. */
function write(value: Buffer | string): void {
  process.stdout.write(typeof value === 'string' ? `${value}\n` : value);
}

export const list = onInstallation(async (place: CommandContext, options: ListOptions) => {
  const { prefix, due, limit, cursor } = options;
  const query = { prefix, limit, cursor, due: due ? 'true' : undefined };
  const page = await routesOf(place).call('GET /secrets', { query });
  answerPage(options, page, {
    row: ({ path, current_version, updated_at, due_at }) => [
      ...[path, `version ${current_version}`, updated_at.toISOString()],
      due_at ? `due ${due_at.toISOString()}` : '',
    ],
    none: due ? 'No secret is due for rotation.' : 'No secrets. Write one: latchkey secret put --help',
  });
});

export const versions = onInstallation(async (place: CommandContext, path: string, options: Json) => {
  const found = await routesOf(place).call('GET /secrets/{path}', { params: { path } });
  answerPage(
    options,
    { items: found.versions },
    {
      row: ({ number, state, size, created_at, created_by_kind, created_by_id }) => [
        String(number),
        state,
        `${size} bytes`,
        created_at.toISOString(),
        [created_by_kind, created_by_id].filter(Boolean).join(' '),
      ],
      none: `${path} has no version.`,
    },
  );
}, optionNames);

export const consumers = onInstallation(
  async (place: CommandContext, path: string, options: VersionOptions & { days: string }) => {
    const { version, days } = options;
    const found = await routesOf(place).call('GET /secrets/{path}/consumers', {
      params: { path },
      query: { days, version },
    });
    answerPage(options, found, {
      row: ({ version: number, kind, id, reads, last_read_at, address }) => [
        `version ${number}`,
        [kind, id].filter(Boolean).join(' '),
        `${reads} reads`,
        `last ${last_read_at.toISOString()}`,
        address ?? '',
      ],
      none: `No reads of ${path} in the last ${days} days.`,
    });
  },
  optionNames,
);

export const find = onInstallation(async (place: CommandContext, options: Json) => {
  const value = await readSecret('Value: ');
  if (value === undefined) throw new UsageError('Give the value on standard input.');
  const found = await routesOf(place).call('POST /secret-searches', { body: { value } });
  const rows = found.items.map(({ path, number, part, is_current, destroyed }) => [
    ...[path, `version ${number}`, part],
    ...(destroyed ? ['destroyed'] : []),
    ...(is_current && !destroyed ? ['current'] : []),
  ]);
  const none = ['No secret has this value.'];
  answer(options, found, [...(rows.length > 0 ? columns(rows) : none), `Its hash in audit events: ${found.hash}`]);
});

export const rollback = onInstallation(
  async (place: CommandContext, path: string, options: Json & { to: string }) => {
    const body = { version: Number(options.to) };
    const made = await routesOf(place).call('POST /secrets/{path}/rollback', { params: { path }, body });
    answer(options, made, [`Wrote version ${made.number} of ${path}, with the value of version ${options.to}.`]);
  },
  { ...optionNames, version: '--to' },
);

export const remove = onInstallation(async (place: CommandContext, path: string, options: VersionOptions) => {
  const number = await numberOf(place, path, options);
  const after = await routesOf(place).call('POST /secrets/{path}/versions/{number}/delete', {
    params: { path, number },
  });
  answer(options, after, [`Deleted version ${number} of ${path}. It can be undeleted.`]);
}, optionNames);

export const restore = onInstallation(async (place: CommandContext, path: string, options: VersionOptions) => {
  const number = await numberOf(place, path, options);
  const params = { path, number };
  const after = await routesOf(place).call('POST /secrets/{path}/versions/{number}/undelete', { params });
  answer(options, after, [`Version ${number} of ${path} can be read again.`]);
}, optionNames);

export const destroy = onInstallation(
  async (place: CommandContext, path: string, options: VersionOptions & { yes?: boolean }) => {
    const { version: number } = options;
    const what = number === undefined ? `${path} with all of its versions` : `version ${number} of ${path}`;
    const isDone = await isConfirmed(`Destroy ${what}? The value is lost permanently.`, {
      ...options,
      scripts: 'continue',
    });
    const routes = routesOf(place);
    if (!isDone) return answer(options, { destroyed: false }, ['Nothing changed.']);
    if (number === undefined) await routes.call('DELETE /secrets/{path}', { params: { path } });
    else await routes.call('POST /secrets/{path}/versions/{number}/destroy', { params: { path, number } });
    return answer(options, { destroyed: true }, [`Destroyed ${what}.`]);
  },
  optionNames,
);

async function numberOf(place: CommandContext, path: string, { version }: VersionOptions): Promise<string> {
  if (version !== undefined) return version;
  const { current_version } = await routesOf(place).call('GET /secrets/{path}', { params: { path } });
  return String(current_version);
}
