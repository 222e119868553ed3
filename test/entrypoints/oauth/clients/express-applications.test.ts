import { createRequire } from 'node:module';
import express from 'express';
import { clientSecrets, standardInstallation } from '../../../support/installation.ts';
import { type Latchkey, startLatchkey } from '../../../support/latchkey.ts';
import { RelyingParty } from '../../../support/relying-party.ts';
import type { UserAgent } from '../../../support/user-agent.ts';

const require = createRequire(import.meta.url);
// Their own types include browser types, which conflict with Node's.
type Middleware = (options: object) => express.RequestHandler;
const { auth } = require('express-openid-connect') as { auth: Middleware };
const session = require('express-session') as Middleware;
const library = '@auth/express';
const { ExpressAuth } = (await import(library)) as { ExpressAuth: Middleware };
const client_secret = clientSecrets['web-app'];
const secret = 'a secret of the application, which signs its cookies';

/** An application like its library's first example, with its user at `/me`. */
type Program = {
  redirect: string;
  /** Its public address; default: its own port. */
  publicOrigin?: string;
  build: (given: { issuer: string; origin: string; client_id: string }) => express.Express;
  start: (visitor: UserAgent) => Promise<{ url: string }>;
  me: string;
};

const programs: Record<string, Program> = {
  'express-openid-connect': {
    redirect: '/callback',
    build: ({ issuer, origin, client_id: clientID }) => {
      const app = express();
      const own = { issuerBaseURL: issuer, baseURL: origin, clientID, clientSecret: client_secret, secret };
      // The library's default is the implicit flow, which OAuth 2.1 and Latchkey do not support.
      app.use(auth({ ...own, authorizationParams: { response_type: 'code' } }));
      app.get('/', (_request, response) => void response.send('signed in'));
      app.get('/me', (request, response) => void response.json((request as { oidc?: { user?: unknown } }).oidc?.user));
      return app;
    },
    start: (visitor) => visitor.get('/login'),
    me: '/me',
  },
  'Auth.js': {
    redirect: '/auth/callback/latchkey',
    build: ({ issuer, client_id: clientId }) => {
      const app = express();
      app.set('trust proxy', true);
      app.get('/', (_request, response) => void response.send('signed in'));
      const provider = { id: 'latchkey', name: 'Latchkey', type: 'oidc' as const, issuer, clientId };
      app.use(
        /^\/auth\/(.*)/,
        ExpressAuth({ providers: [{ ...provider, clientSecret: client_secret }], secret, trustHost: true }),
      );
      return app;
    },
    start: async (visitor) => {
      const { csrfToken } = JSON.parse((await visitor.get('/auth/csrf')).html);
      return visitor.post('/auth/signin/latchkey', new URLSearchParams({ csrfToken }));
    },
    me: '/auth/session',
  },
  passport: {
    redirect: '/callback',
    // Without a code challenge, redirects to the user's own computer are refused.
    publicOrigin: 'https://passport.example',
    build: ({ issuer, origin, client_id: clientID }) => {
      const passport = require('passport');
      const Strategy = require('passport-openidconnect');
      const addresses = {
        authorizationURL: `${issuer}/oauth/authorize`,
        tokenURL: `${issuer}/oauth/token`,
        userInfoURL: `${issuer}/oauth/userinfo`,
        callbackURL: `${origin}/callback`,
      };
      const own = {
        issuer,
        clientID,
        clientSecret: client_secret,
        ...addresses,
        scope: ['profile', 'email'],
        nonce: true,
      };
      const app = express();
      app.use(session({ secret, resave: false, saveUninitialized: true }));
      type Done = (error: null, user: unknown) => void;
      passport.use(new Strategy(own, (_issuer: string, profile: unknown, done: Done) => done(null, profile)));
      passport.serializeUser((user: unknown, done: Done) => done(null, user));
      passport.deserializeUser((user: unknown, done: Done) => done(null, user));
      app.use(passport.authenticate('session'));
      app.get('/login', passport.authenticate('openidconnect'));
      app.get('/callback', passport.authenticate('openidconnect', { successRedirect: '/me' }));
      app.get('/me', (request, response) => void response.json((request as { user?: unknown }).user));
      return app;
    },
    start: (visitor) => visitor.get('/login'),
    me: '/me',
  },
};

describe('an Express application', () => {
  const parties = Object.entries(programs).map(([name, program], n) => ({
    ...{ name, program, party: new RelyingParty(), client_id: `express-app-${n}` },
  }));
  const latchkey: Latchkey = startLatchkey({
    prepare: async () => {
      await Promise.all(parties.map(({ party }) => party.listen()));
      const clients = parties.map(({ client_id, party, program }) => ({
        ...{ client_id, client_secret, scope: 'openid profile email' },
        redirect_uris: [`${program.publicOrigin ?? party.origin}${program.redirect}`],
      }));
      return { apply: { ...standardInstallation, clients: [...standardInstallation.clients, ...clients] } };
    },
  });
  beforeAll(() => {
    for (const { client_id, party, program } of parties)
      party.serve(program.build({ issuer: latchkey.issuer, origin: program.publicOrigin ?? party.origin, client_id }));
  });
  afterAll(() => Promise.all(parties.map(({ party }) => party.close())));

  const signedIn = async (wanted: string) => {
    const found = parties.find(({ name }) => name === wanted);
    if (!found) throw new Error(`there is no ${wanted}`);
    const { party, program } = found;
    const { visitor, asked, landed } = await party.signIn(latchkey, program.start);
    expect(landed.status === 200 ? '' : landed.html).toBe('');
    return { asked, user: JSON.parse((await visitor.get(program.me)).html) };
  };

  test('with express-openid-connect gets name and e-mail from the ID token', async () => {
    const { asked, user } = await signedIn('express-openid-connect');
    expect(asked.get('code_challenge_method')).toBe('S256');
    expect(user).toMatchObject({
      sub: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'Alice Example',
      preferred_username: 'alice',
      email: 'alice@example.com',
      email_verified: false,
    });
  });

  test('with Auth.js gets name and e-mail from the ID token', async () => {
    const { asked, user } = await signedIn('Auth.js');
    expect(asked.get('code_challenge_method')).toBe('S256');
    expect(user).toEqual({
      user: { name: 'Alice Example', email: 'alice@example.com' },
      expires: expect.stringMatching(/Z$/),
    });
  });

  test('with passport, which sends no code challenge but a nonce, gets name and e-mail (RFC 9700 §2.1.1)', async () => {
    const { asked, user } = await signedIn('passport');
    expect(asked.has('code_challenge')).toBe(false);
    expect(asked.get('nonce')).toMatch(/./);
    expect(user).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      displayName: 'Alice Example',
      username: 'alice',
      emails: [{ value: 'alice@example.com' }],
    });
  });
});
