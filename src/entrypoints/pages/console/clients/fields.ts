import { Risk, riskDays } from '../../../../domain/credentials/index.ts';
import { defaultSigningAlg, signingAlgs } from '../../../../domain/signing-keys/index.ts';
import type { Field, Option } from '../../records/page-shapes.ts';
import { apiLines, type RightsPerApi, rightsFields } from '../../records/rights-lines.ts';

// The default first.
const idTokenAlgs = [defaultSigningAlg, ...signingAlgs.filter((alg) => alg !== defaultSigningAlg)];

const rightsHint =
  'One permission per line with its API, such as orders:* at https://api.example. Only permissions that you hold.';

export const nameField = (value = ''): Field => ({
  name: 'client_name',
  label: 'Name',
  type: 'text',
  value,
  hint: 'Shown to users on the sign-in and consent pages.',
});
export const redirectsField = (value = ''): Field => ({
  name: 'redirect_uris',
  label: 'Redirect URIs',
  type: 'textarea',
  value,
  hint: 'Where users are sent back after they sign in. One per line, exactly as the app sends it. A service has none.',
});
export const corsField = (value = ''): Field => ({
  name: 'allowed_cors_origins',
  label: 'Allowed CORS origins',
  type: 'textarea',
  value,
  hint: 'Origins whose pages can call the OAuth endpoints as this client, one per line, such as capacitor://localhost. The origins of the redirect URIs of a single-page or native app are allowed already.',
});
export const scopeField = (value: string): Field => ({
  name: 'scope',
  label: 'User data',
  type: 'text',
  value,
  hint: 'The scopes openid, profile, email, groups and offline_access, separated by spaces. A service has none.',
});
export const claimsField = (value: boolean): Field => ({
  name: 'claims_in_id_token',
  label: 'ID token',
  type: 'select',
  value: String(value),
  options: [
    { value: 'true', text: 'Include name, e-mail address and groups, as the scopes allow' },
    { value: 'false', text: 'Identify the user only; the app asks userinfo for the rest' },
  ],
});

export const signingAlgField = (value: string): Field => ({
  name: 'id_token_signed_response_alg',
  label: 'ID token signature algorithm',
  type: 'select',
  value,
  options: idTokenAlgs.map((alg) => ({ value: alg, text: alg })),
  hint: 'Most client libraries expect RS256 unless they are configured otherwise. A service gets no ID tokens.',
});

export const ownerField = (value: string, suggestions: readonly string[]): Field => ({
  name: 'owner',
  label: 'Owner',
  type: 'text',
  value,
  hint: 'Who is responsible for it: a username, or client: and a client ID. The owner gains no permissions.',
  suggestions,
});
export const riskField = (value = ''): Field => ({
  name: 'risk',
  label: 'Risk',
  type: 'select',
  value,
  options: [
    { value: '', text: 'Not classified: secrets do not expire by default' },
    ...Risk.options.map((risk) => ({ value: risk, text: `${risk}: secrets expire after ${riskDays[risk]} days` })),
  ],
  hint: 'The impact if a secret leaks.',
});

export const clientRightsFields = (
  name: string,
  label: string,
  { options, rights }: { options: readonly Option[]; rights: RightsPerApi },
): Field[] => rightsFields({ name, label, options, lines: apiLines(rights), hint: rightsHint });
