import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import pg from 'pg';

// better-auth's verification of an API key, with nothing around it: Node's HTTP server, the same PostgreSQL, no rate limit, no
// authentication of the caller. Plain JavaScript with its own packages: it is not part of Latchkey.
const options = {
  baseURL: 'http://127.0.0.1',
  secret: 'a secret for the benchmark, which is long enough',
  database: new pg.Pool({ connectionString: process.argv[2], max: 10 }),
  emailAndPassword: { enabled: true },
  plugins: [apiKey({ rateLimit: { enabled: false } })],
  telemetry: { enabled: false },
};
const permissions = { products: ['read'] };

await (await getMigrations(options)).runMigrations();
const { api } = betterAuth(options);
const { user } = await api.signUpEmail({
  body: { email: 'a@example.com', password: 'correct horse battery staple', name: 'A' },
});
const keys = [];
for (let n = 0; n < Number(process.argv[3]); n += 1)
  keys.push((await api.createApiKey({ body: { userId: user.id, permissions } })).key);

let asked = 0;
const server = createServer(async (request, response) => {
  await text(request);
  // Each connection of the load has its own key; requests come in turn.
  const key = keys[asked++ % keys.length];
  const body = JSON.stringify(await api.verifyApiKey({ body: { key, permissions } }));
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }).end(body);
}).listen(0, '127.0.0.1', () => process.send?.({ ready: `http://127.0.0.1:${server.address().port}` }));
process.on('SIGTERM', () => process.exit(0));
