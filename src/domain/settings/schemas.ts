import { z } from 'zod';

export const SettingView = z.object({
  name: z.string().meta({ description: 'the environment variable' }),
  value: z.string().nullable().meta({ description: 'null: not set, or a secret' }),
  is_secret: z.boolean().meta({ description: 'the value is never shown' }),
  source: z.enum(['environment', 'file', 'default', 'unset']).meta({
    description: 'environment: the variable; file: the file that `NAME_FILE` names; default: the built-in value',
  }),
  description: z.string(),
});
export type SettingView = z.output<typeof SettingView>;
export const TestMailView = z.object({
  mailed_to: z.string().meta({ description: 'your e-mail address' }),
  accepted: z.boolean().meta({ description: 'whether the mail server accepted the e-mail' }),
  answer: z.string().meta({ description: 'the response of the mail server, or why it could not be reached' }),
});
