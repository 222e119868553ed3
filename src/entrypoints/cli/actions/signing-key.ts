import { type CommandContext, onInstallation } from './command-context.ts';
import { answer, answerPage } from './output.ts';
import { routesOf } from './routes.ts';

type Json = { json?: boolean };
type RotateOptions = Json & { alg: string; now?: boolean; leaked?: boolean };

export const rotate = onInstallation(async (place: CommandContext, options: RotateOptions) => {
  const { alg, leaked = false, now } = options;
  const body = { alg, leaked, ...(now && { activation_seconds: 0 }) };
  const made = await routesOf(place).call('POST /signing-keys/rotate', { body });
  answer(options, made, [
    `Published ${alg} key ${made.kid}.`,
    `It signs from ${made.signs_from.toISOString()}; older ${alg} keys stay published until ${made.previous_expires_at.toISOString()}.`,
  ]);
});

export const list = onInstallation(async (place: CommandContext, options: Json) => {
  const { items } = await routesOf(place).call('GET /signing-keys');
  answerPage(
    options,
    { items },
    {
      row: ({ kid, alg, state, signs_from, retires_at }) => [
        kid,
        alg,
        state,
        `signs from ${signs_from.toISOString()}`,
        retires_at ? `retires ${retires_at.toISOString()}` : '',
      ],
      none: 'No signing keys.',
    },
  );
});
