import { type CommandContext, onInstallation } from './command-context.ts';
import { isConfirmed, readSecrets } from './input.ts';
import { answer } from './output.ts';
import { routesOf } from './routes.ts';
import { UsageError } from './usage.ts';
import { type Addressed, answerNodes, askNodes } from './vault-nodes.ts';

type Json = { json?: boolean };
type State = { kind: string; initialized: boolean; sealed: boolean };

export const initialize = onInstallation(
  async (place: CommandContext, options: Json & { shares: string; threshold: string }) => {
    const body = { shares: Number(options.shares), threshold: Number(options.threshold) };
    const made = await routesOf(place).call('POST /vault/initialize', { body });
    answer(options, made, [
      'The shares of the key, shown only this once. Give each to a different person:',
      ...made.keys.map((key, n) => `  ${n + 1}: ${key}`),
      `Any ${made.threshold} of them unseal the secrets: latchkey vault unseal`,
    ]);
  },
);

export const status = onInstallation(async (place: CommandContext, options: Addressed & Json) => {
  const state = await routesOf(place).call('GET /vault');
  if (state.kind === 'static') return answer(options, state, [wordsOf(state)]);
  return answerNodes(options, await askNodes(place, options, [{ path: 'sys/seal-status' }]));
});

export const seal = onInstallation(async (place: CommandContext, options: Json & { yes?: boolean }) => {
  const question = 'Seal the secrets? No server reads or writes one until they are unsealed.';
  const isDone = await isConfirmed(question, { ...options, scripts: 'continue' });
  const routes = routesOf(place);
  const state = isDone ? await routes.call('POST /vault/seal') : await routes.call('GET /vault');
  answer(options, state, [isDone ? wordsOf(state) : 'Nothing changed.']);
});

export const rotate = onInstallation(async (place: CommandContext, options: Json) => {
  const made = await routesOf(place).call('POST /vault/rotate');
  answer(options, made, [`New secrets are sealed under term ${made.term}; the present ones follow.`]);
});

export const unseal = onInstallation(async (place: CommandContext, options: Addressed & Json) => {
  const routes = routesOf(place);
  const { kind } = await routes.call('GET /vault');
  if (kind === 'static') {
    const state = await routes.call('POST /vault/unseal', { body: {} });
    return answer(options, state, [wordsOf(state)]);
  }
  const keys = await readSecrets('Share of the key: ', { atTerminal: 1 });
  if (keys.length === 0) throw new UsageError('Give a share of the key on standard input.');
  const shares = keys.map((key) => ({ path: 'sys/unseal', body: { key } }));
  return answerNodes(options, await askNodes(place, options, shares));
});

function wordsOf({ kind, initialized, sealed }: State): string {
  if (!initialized) return 'The secrets are not initialized.';
  if (kind === 'shamir') return 'The secrets are sealed on every server.';
  return sealed ? 'The secrets are sealed.' : 'The secrets are unsealed.';
}
