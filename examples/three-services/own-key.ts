import { once } from 'node:events';
import { Secrets } from '@latchkey/secrets';

const { ISSUER: url = 'http://localhost:3000', SERVICE: service = '' } = process.env;

/** A token with the identity of this process, from its orchestrator. In a pod, it would be in a file that Kubernetes updates. */
async function identity(): Promise<string> {
  if (!process.send) throw new Error('Start this with "npm start": orchestrator.ts says who it is.');
  process.send('who am I?');
  const [token] = await once(process, 'message');
  return String(token);
}

/** The API key of this service, as stored in Latchkey. It exists only in memory, and so does the token that reads it. */
export async function ownKey(): Promise<string> {
  const secrets = new Secrets({ url, login: { method: 'jwt', role: service, identity } });
  try {
    const { data } = await secrets.get(`services/${service}`);
    return String(data.value);
  } finally {
    await secrets.close();
  }
}
