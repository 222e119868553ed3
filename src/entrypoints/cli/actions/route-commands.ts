import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { JsonLines, wireSchema, wordsOf } from '../../../platform/http/index.ts';
import { type AdminClient, type AdminRoute, adminRoutes } from '../../admin/index.ts';
import { withUsageCode } from '../usage-code.ts';
import { action } from './command-context.ts';
import { readSecret } from './input.ts';
import { sayJson } from './output.ts';
import { UsageError } from './usage.ts';

type Member = { type?: string; description?: string; enum?: string[]; items?: object };
type Members = Record<string, Member>;

/** A tree of commands, one for each route of the admin API, named after its path: `clients list`, `clients secrets rotate`. */
export function routeCommands(client: AdminClient): Command {
  const root = new Command('latchkey api').description('the admin API of a server, also of a remote one');
  for (const route of adminRoutes) {
    const words = wordsOf(route, adminRoutes);
    const noun = words.slice(0, -1).reduce(descend, root);
    noun.addCommand(commandFor(route, words.at(-1) ?? '', client));
  }
  return withUsageCode(root);
}

function descend(parent: Command, word: string): Command {
  const known = parent.commands.find((command) => command.name() === word);
  if (known) return known;
  const made = new Command(word);
  parent.addCommand(made);
  return made;
}

function commandFor(route: AdminRoute, name: string, client: AdminClient): Command {
  const command = new Command(name).description(`${route.summary} (needs ${route.permission})`);
  const params = membersOf(route.params);
  for (const [param, { description = '' }] of Object.entries(params))
    command.argument(`<${dashed(param)}>`, description);
  const query = membersOf(route.query);
  const body = route.body ? membersOf(route.body) : {};
  for (const [member, schema] of Object.entries({ ...query, ...body })) command.addOption(optionFor(member, schema));
  if (route.body) command.option('--body <json>', 'the whole body as JSON; "-" reads it from standard input');
  return command.action(
    action(async (...given: unknown[]) => {
      const options = given.at(-2) as Record<string, unknown>;
      const answer = await client.send(route, {
        params: Object.fromEntries(Object.keys(params).map((param, n) => [param, String(given[n])])),
        query: pick(options, query),
        body: route.body && { ...(await wholeBody(options.body)), ...pick(options, body) },
      });
      if (route.response === JsonLines) await pipeline(JsonLines.parse(answer), process.stdout, { end: false });
      else if (answer !== undefined) sayJson(answer);
    }),
  );
}

function membersOf(schema: z.ZodType): Members {
  const { properties = {} } = wireSchema(schema) as {
    properties?: Members;
  };
  return properties;
}

const dashed = (name: string) => name.replaceAll('_', '-');
const camelCased = (name: string) => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

function optionFor(name: string, { type, description = '', enum: choices }: Member): Option {
  const flag = `--${dashed(name)}`;
  if (type === 'boolean') return new Option(`${flag} <yes|no>`, description).argParser(yesOrNo);
  const isJson = type !== 'string' && type !== 'integer' && type !== 'number';
  const option = new Option(`${flag} <${isJson ? 'json' : 'value'}>`, description);
  if (choices) return option.choices(choices);
  if (type === 'integer' || type === 'number') return option.argParser(Number);
  // A value that may have several types need not be JSON: a text needs no quotes.
  if (type === undefined) return option.argParser((text) => (/^[[{"]|^null$/.test(text) ? json(text) : text));
  return isJson ? option.argParser(json) : option;
}

function yesOrNo(text: string): boolean {
  if (text !== 'yes' && text !== 'no') throw new InvalidArgumentError('Say "yes" or "no".');
  return text === 'yes';
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError(`This is not JSON: ${text.slice(0, 40)}`);
  }
}

async function wholeBody(given: unknown): Promise<Record<string, unknown>> {
  if (given === undefined) return {};
  const text = given === '-' ? await readSecret('Body: ') : String(given);
  try {
    return json(text ?? '{}') as Record<string, unknown>;
  } catch (error) {
    throw error instanceof InvalidArgumentError ? new UsageError(`--body: ${error.message}`) : error;
  }
}

function pick(options: Record<string, unknown>, members: Members): Record<string, unknown> {
  const given = Object.keys(members).map((name) => [name, options[camelCased(name)]]);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}
