// An OpenID provider with a sign-in page: `node provider.mjs NODE_MODULES SECRET REDIRECT_URI`. Prints its issuer.
// Any password signs in; the users `ann` and `bob` are in different groups.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [modules, secret, redirect] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));
const groups = { ann: ['staff', 'soc'], bob: ['kitchen'] };

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  // Another site than 127.0.0.1 for a browser, so that `SameSite` applies.
  const issuer = `http://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'waf-console', client_secret: secret, redirect_uris: [redirect] }],
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
    cookies: { keys: ['a key of a test'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id, groups: groups[id] ?? [] }),
    }),
  });
  server.on('request', provider.callback());
  // The test reads one line; the provider prints notices later.
  process.stdout.on('error', () => {});
  console.log(issuer);
});
