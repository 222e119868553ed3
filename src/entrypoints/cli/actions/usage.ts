import { Problem, pathAt } from '../../../platform/http/index.ts';

/** Wrong usage of a command. The message names the option; the command exits with code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
  /** Every wrong option, if there are several. */
  readonly errors: readonly WrongOption[] | undefined;

  constructor(message: string, errors?: readonly WrongOption[]) {
    super(message);
    this.errors = errors;
  }
}

type WrongOption = { option: string; detail: string };

/** The options of members whose option is not their name with dashes: `{ redirect_uris: '--redirect-uri' }`. */
export type OptionNames = Readonly<Record<string, string>>;

type InputError = { pointer: string; detail: string };

/**
 * A refusal in the words of the command line: an invalid input becomes a `UsageError` that names each option; others are unchanged.
 *
 * @param names the options of the input's members
 */
export function inOptions(error: unknown, names: OptionNames): unknown {
  if (!(error instanceof Problem) || error.status !== 400) return error;
  const { pointer = '', members } = error.options;
  const errors = members?.errors as InputError[] | undefined;
  if (errors) {
    const wrong = errors.map(({ pointer: at, detail }) => ({ option: optionAt(at, names), detail }));
    return new UsageError(`${wrong.map(({ option, detail }) => `${option} ${detail}`).join('; ')}.`, wrong);
  }
  const isNamed = pointer === '' || error.message.includes('--');
  return new UsageError(isNamed ? error.message : `${optionAt(pointer, names)}: ${error.message}`);
}

/** `/permissions/0` is `--permissions (0)`; the input as a whole is `--body`. */
function optionAt(pointer: string, names: OptionNames): string {
  const [first, ...rest] = pathAt(pointer);
  if (first === undefined) return names[''] ?? '--body';
  const option = Object.hasOwn(names, first) ? names[first] : `--${first.replaceAll('_', '-')}`;
  return rest.length > 0 ? `${option} (${rest.join('.')})` : `${option}`;
}
