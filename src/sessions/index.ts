/** Sessions: who is signed in where; signing out everywhere. (oidc/token-store saves them as oidc-provider needs.) */
export { endSessionsOf } from './store.ts';
