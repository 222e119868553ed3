import { type Problem, problemJson, problemType } from '../../platform/http/index.ts';

/** A response of the gateway, without the headers that all have. */
export type Answer = {
  status: number;
  /** Names and values in turn. */
  headers: readonly string[];
  body: string;
  /** Whether a credential was allowed from the cache alone. */
  isFromMemory: boolean;
};

/** A refusal as problem+json (RFC 9457). */
export function refusal(problem: Problem, request_id: string): Answer {
  const headers = ['Content-Type', problemType, ...Object.entries(problem.options.headers ?? {}).flat()];
  return { status: problem.status, headers, body: problemJson(problem, request_id), isFromMemory: false };
}

/** A verdict, or several, as JSON. */
export function json(body: string, isFromMemory: boolean): Answer {
  return { status: 200, headers: jsonHeaders, body, isFromMemory };
}

const jsonHeaders = ['Content-Type', 'application/json; charset=utf-8'];

export function redirectTo(address: string): Answer {
  const headers = ['Location', address, 'Content-Type', 'text/plain; charset=utf-8'];
  return { status: 302, headers, body: `Redirecting to ${address}.`, isFromMemory: false };
}
