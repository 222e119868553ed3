import { type CommandContext, onInstallation } from './command-context.ts';
import { answer } from './output.ts';
import { routesOf } from './routes.ts';

type Options = {
  json?: boolean;
  kind: string;
  part: string;
  length?: string;
  symbols?: boolean;
  bytes?: string;
  encoding?: string;
  algorithm?: string;
  commonName?: string;
  dnsName: string[];
  days?: string;
  cas?: string;
  ttl?: string;
};

/** The options of the generated parts. */
const optionNames = { path: '<path>', ttl_seconds: '--ttl', generate: '--kind' };

export const generate = onInstallation(async (place: CommandContext, path: string, options: Options) => {
  const { part, cas, ttl } = options;
  const body = {
    generate: { [part]: wantedBy(options) },
    ...(cas !== undefined && { cas: Number(cas) }),
    ...(ttl !== undefined && { ttl_seconds: Number(ttl) }),
  };
  const made = await routesOf(place).call('POST /secrets/{path}/versions', { params: { path }, body: body as never });
  const shown = Object.entries(made.public ?? {}).map(([name, text]) => `${name}:\n${text}`.trimEnd());
  answer(options, made, [`Wrote version ${made.number} of ${path}.`, ...shown]);
}, optionNames);

function wantedBy({ kind, length, symbols, bytes, encoding, algorithm, commonName, dnsName, days }: Options) {
  return {
    kind,
    ...(length !== undefined && { length: Number(length) }),
    ...(symbols && { symbols }),
    ...(bytes !== undefined && { bytes: Number(bytes) }),
    ...(encoding !== undefined && { encoding }),
    ...(algorithm !== undefined && { algorithm }),
    ...(commonName !== undefined && { common_name: commonName }),
    ...(dnsName.length > 0 && { dns_names: dnsName }),
    ...(days !== undefined && { days: Number(days) }),
  };
}
