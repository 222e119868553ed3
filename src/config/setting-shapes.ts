import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';

export const FilePath = z.string().transform((path) => resolve(path));

export const DatabaseUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: 'must be a URL, postgres://user:password@host:5432/name',
});

export function refuse(issues: z.core.$RefinementCtx, message: string): never {
  issues.addIssue({ code: 'custom', message });
  return z.NEVER;
}

export function wholeNumber(least: number, most: number): z.ZodType<number, string> {
  const message = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,12}$/, message)
    .transform(Number)
    .refine((value) => value >= least && value <= most, message);
}

export function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$/.test(text);
}

export function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, origin, hostname } = new URL(text);
  return /^https?:$/.test(protocol) && origin === text && isHost(hostname.replace(/^\[|\]$/g, ''));
}
