// A real authorization server for tests: oidc-provider, over TLS on a free loopback port.
//
//     node provider.mjs CERTIFICATE KEY MODULE
//
// MODULE is the path of oidc-provider's entry. It prints its issuer when it is ready, and ends when its standard input
// does. Anybody may sign in, by any name and password; clients that are native applications register themselves.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { pathToFileURL } from 'node:url';

const [certificate, key, module] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(module));

let handler;
const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) =>
  handler(request, response));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `https://localhost:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'native-client', application_type: 'native', token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    },
    {
      client_id: 'tenant-client', client_secret: 'tenant-secret-value-0123456789abcdef', redirect_uris: [],
      response_types: [], grant_types: ['client_credentials'],
    },
    {
      client_id: 'mail-server', client_secret: 'mail-server-secret-value-0123456789', redirect_uris: [],
      response_types: [], grant_types: [], token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  cookies: { keys: ['for tests'] },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    registration: { enabled: true },
    revocation: { enabled: true },
  },
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, RefreshToken: 86400, DeviceCode: 600 },
});
handler = provider.callback();
console.log(issuer);
process.stdin.on('end', () => process.exit(0)).resume();
