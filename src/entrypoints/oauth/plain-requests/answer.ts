import type { AccessRecords } from '../../../domain/access-records/index.ts';
import type { SecretDeps } from '../provider/client-authentication.ts';
import type { RunningProvider } from '../provider/running-provider.ts';
import type { IssueDeps } from '../token-endpoint/issue-tokens.ts';
import type { PlainRequest } from './plain-request.ts';

export type Answer = { status: number; body: object; headers?: Record<string, string> | undefined };

/** Answers a request, or returns undefined: then the provider handles it from the start. */
export type AnswerPlainly = (asked: PlainRequest, body: Buffer) => Promise<Answer | undefined>;

/** The dependencies of answers. */
export type AnswerDeps = SecretDeps &
  IssueDeps & {
    issuer: string;
    provider: Pick<RunningProvider, 'current' | 'keys'>;
    records: AccessRecords;
    refreshGraceSeconds: number;
  };
