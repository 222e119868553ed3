import Provider, { errors } from 'oidc-provider';
import type { z } from 'zod';
import { isSecretMethod } from '../../../domain/clients/index.ts';
import { issuesIn, Problem, pointerTo, validationWords } from '../../../platform/http/index.ts';
import { ClientMetadata } from './client-metadata-schema.ts';
import { metadataRules } from './configuration.ts';
import { type HiddenModels, hiddenModels } from './library-seams.ts';

type ClientModel = HiddenModels['Client'];
type WrongMember = { pointer: string; detail: string };

/**
 * Opens a validator of RFC 7591 client metadata, which decides as the provider will when the client is used. It throws Problem `invalid`,
 * whose `errors` point at every invalid member.
 */
export function clientMetadataRules(): (metadata: Record<string, unknown>) => Promise<void> {
  let model: ClientModel | undefined;
  return async (metadata) => {
    const { data, error } = ClientMetadata.safeParse(metadata, { error: validationWords });
    if (error) throw refused(metadata, wrongMembers(error));
    model ??= hiddenModels(new Provider('https://latchkey.invalid', metadataRules())).Client;
    await judgeByLibrary(model, metadata, isSecretMethod(data.token_endpoint_auth_method));
  };
}

/** Unknown members come first. */
function wrongMembers(error: z.ZodError): WrongMember[] {
  const names = new Set(error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [])));
  const { unknown = [], known = [] } = Object.groupBy(issuesIn(error), ({ path: [name] }) =>
    names.has(String(name)) ? 'unknown' : 'known',
  );
  const detail = 'is not a client member that this server supports';
  return [
    ...unknown.map(({ path }) => ({ pointer: pointerTo(path), detail })),
    ...known.map(({ path, message }) => ({ pointer: pointerTo(path), detail: message })),
  ];
}

/** An error of oidc-provider that our schema does not find is shown unchanged: it names no member. */
async function judgeByLibrary(
  model: ClientModel,
  metadata: Record<string, unknown>,
  usesSecret: boolean,
): Promise<void> {
  try {
    await model.validate(usesSecret ? { ...metadata, client_secret: 'compared as digests' } : metadata);
  } catch (error) {
    if (!(error instanceof errors.InvalidClientMetadata)) throw error;
    throw refused(metadata, [{ pointer: '', detail: error.error_description ?? 'the metadata is invalid' }]);
  }
}

function refused({ client_id }: Record<string, unknown>, wrong: readonly WrongMember[]): Problem {
  const [{ pointer, detail } = { pointer: '', detail: 'is wrong' }] = wrong;
  const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : '';
  // `/redirect_uris/0` is `redirect_uris`, the name used in the registration.
  const [, member = ''] = pointer.split('/');
  return new Problem(400, 'invalid', {
    title: 'Invalid input',
    detail: `Client "${String(client_id)}": ${`${member} ${detail}`.trim()}${more}.`,
    ...(pointer && { pointer }),
    members: { errors: wrong },
  });
}
