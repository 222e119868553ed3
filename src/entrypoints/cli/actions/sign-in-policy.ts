import { type CommandContext, onInstallation } from './command-context.ts';
import { answer, columns } from './output.ts';
import { methodsIn } from './registration.ts';
import { routesOf } from './routes.ts';
import { type OptionNames, UsageError } from './usage.ts';

type Json = { json?: boolean };
type Options = Json & { everyone?: string; administrators?: string; allow?: string; rememberBrowsers?: string };

const names: OptionNames = { allowed_factors: '--allow', remember_browser_days: '--remember-browsers' };

const classes = { 'two-factor': 'urn:latchkey:acr:two-factor', phr: 'phr', any: null } as const;

/** The class of an option; undefined: it was not given. */
function classNamed(text: string | undefined, option: string) {
  if (text === undefined) return undefined;
  if (!Object.hasOwn(classes, text)) throw new UsageError(`${option} must be ${Object.keys(classes).join(', ')}.`);
  return classes[text as keyof typeof classes];
}

export const show = onInstallation(async (place: CommandContext, options: Json) => {
  const policy = await routesOf(place).call('GET /sign-in-policy');
  answer(options, policy, linesOf(policy));
});

export const change = onInstallation(async (place: CommandContext, options: Options) => {
  const required_acr = classNamed(options.everyone, '--everyone');
  const administrator_required_acr = classNamed(options.administrators, '--administrators');
  const body = {
    ...(required_acr !== undefined && { required_acr }),
    ...(administrator_required_acr !== undefined && { administrator_required_acr }),
    ...(options.allow !== undefined && { allowed_factors: methodsIn(options.allow) }),
    ...(options.rememberBrowsers !== undefined && { remember_browser_days: Number(options.rememberBrowsers) }),
  };
  if (Object.keys(body).length === 0)
    throw new UsageError('Name --everyone, --administrators, --allow or --remember-browsers.');
  const policy = await routesOf(place).call('PATCH /sign-in-policy', { body });
  answer(options, policy, linesOf(policy));
}, names);

type Policy = {
  required_acr: string | null;
  administrator_required_acr: string | null;
  allowed_factors: readonly string[] | null;
  remember_browser_days: number;
};

const linesOf = ({ required_acr, administrator_required_acr, allowed_factors, remember_browser_days }: Policy) =>
  columns([
    ['Everyone', required_acr ?? 'any'],
    ['Administrators', administrator_required_acr ?? required_acr ?? 'any'],
    ['Methods', allowed_factors?.join(', ') ?? 'all'],
    ['Browsers skip the second factor', remember_browser_days === 0 ? 'never' : `for ${remember_browser_days} days`],
  ]);
