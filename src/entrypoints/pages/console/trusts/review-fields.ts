import type { Field } from '../../records/page-shapes.ts';
import type { FormInput } from '../actions.ts';
import type { Trust } from './trust.ts';

type Review = NonNullable<Trust['token_review']>;

/** The Kubernetes API server that reviews each token. */
export const reviewFields = (trust?: Trust): Field[] => [
  {
    name: 'url',
    label: 'Kubernetes API server',
    type: 'text',
    value: trust?.token_review?.url ?? '',
    hint: 'For example, https://10.96.0.1. It is asked about each token (TokenReview), and refuses tokens of deleted pods and accounts. Empty: it is not asked.',
  },
  {
    name: 'ca',
    label: 'Certificate authority of the API server',
    type: 'textarea',
    value: trust?.token_review?.ca ?? '',
    hint: 'In PEM. Empty: publicly trusted certificate authorities.',
  },
  {
    name: 'token',
    label: 'Reviewer token',
    type: 'password',
    value: '',
    is_secret: true,
    hint: trust?.token_review
      ? 'Empty: unchanged. After a change of the server or its certificates, enter it again.'
      : 'Of a service account with the role system:auth-delegator. Empty: each token is sent as its own proof.',
  },
];

/** The review settings of a form; undefined: no server is asked. */
export function reviewIn(sent: FormInput, before?: Review): Record<string, unknown> | undefined {
  const [url, ca, token] = ['url', 'ca', 'token'].map((name) => sent.text(name));
  if (url === undefined) return undefined;
  // A form sends other line ends. If that counted as a change, the stored token would be removed.
  const unchanged = ca !== undefined && ca === before?.ca?.trim().replaceAll('\r\n', '\n') ? before?.ca : ca;
  return { url, ...(unchanged !== undefined && { ca: unchanged }), ...(token !== undefined && { token }) };
}
