import { readFileSync } from 'node:fs';
import { unknownSettings, unsafeSettings } from './config/refused-settings.ts';
import { Environment, secrets, settings, toConfig } from './config/settings.ts';

/** The settings, read once at start. Durations are in the unit of their name; paths are absolute. */
export type Config = Readonly<ReturnType<typeof toConfig> & { settings: readonly SettingInForce[] }>;

/** A setting with its effective value. */
export type SettingInForce = {
  name: string;
  /** null: not set, or a secret. */
  value: string | null;
  is_secret: boolean;
  source: 'environment' | 'file' | 'default' | 'unset';
  description: string;
};

/** The settings are wrong: one line per problem, each with its variable, none with a value. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** The configuration of this process. @throws ConfigError */
export function loadConfig(): Config {
  return readConfig(process.env);
}

/**
 * Reads the environment, and the files in `NAME_FILE` variables. Empty means unset.
 *
 * @throws ConfigError with every problem found
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const problems = unknownSettings(env);
  const texts = Object.fromEntries(
    settings.map(({ name, default: fallback }) => [name, env[name] || fallback || undefined]),
  );
  for (const name of secrets.filter((secret) => env[`${secret}_FILE`])) {
    const read = readSecretFile(env, name);
    if ('problem' in read) problems.push(read.problem);
    else texts[name] = read.text;
  }

  const parsed = Environment.safeParse(texts);
  if (!parsed.success)
    problems.push(...parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}.`));
  problems.push(...unsafeSettings(texts, env));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems.join('\n'));
  return { ...toConfig(parsed.data), settings: settings.map((setting) => inForce(setting, texts[setting.name], env)) };
}

function inForce(
  { name, description, isSecret: is_secret }: (typeof settings)[number],
  text: string | undefined,
  env: NodeJS.ProcessEnv,
): SettingInForce {
  const value = is_secret || text === undefined ? null : withoutCredentials(text);
  return { name, value, is_secret, source: sourceOf(name, text, env), description };
}

function sourceOf(name: string, text: string | undefined, env: NodeJS.ProcessEnv): SettingInForce['source'] {
  if (text === undefined) return 'unset';
  if (env[name]) return 'environment';
  return env[`${name}_FILE`] ? 'file' : 'default';
}

/** A URL without its credentials and query. */
function withoutCredentials(text: string): string {
  const url = URL.parse(text);
  if (!url?.username && !url?.password && !url?.search) return text;
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function readSecretFile(env: NodeJS.ProcessEnv, name: string): { text: string } | { problem: string } {
  if (env[name]) return { problem: `${name} and ${name}_FILE are both set; unset one.` };
  try {
    const text = readFileSync(env[`${name}_FILE`] ?? '', 'utf8').replace(/[\r\n]+$/, '');
    return text ? { text } : { problem: `${name}_FILE names an empty file.` };
  } catch (error) {
    // Only the code: the message contains the path, and the variable may contain the secret itself by mistake.
    const code = typeof error === 'object' && error && 'code' in error ? error.code : 'unreadable';
    return { problem: `${name}_FILE must name a file that can be read (${code}).` };
  }
}

/** In development, outbound requests and clients may use this machine, and the demo is served. */
export const isDevelopment = ({ environment }: Pick<Config, 'environment'>): boolean => environment === 'development';

/** A variable of this process's environment that is not a setting: a configuration file names it for a secret. */
export const environmentVariable = (name: string): string | undefined => process.env[name];

/** The environment for a child process: that of this process with more variables, and without the credential that fetched them. */
export function environmentFor(more: Record<string, string>): NodeJS.ProcessEnv {
  const { LATCHKEY_TOKEN: _, LATCHKEY_TOKEN_FILE: __, ...inherited } = process.env;
  return { ...inherited, ...more };
}
