// An OpenID provider for the tests: oidc-provider with three people and clients that register themselves.
// Prints its port once it listens. Ends with its standard input.
import http from "node:http";
import Provider from "oidc-provider";

const people = {
  alice: { name: "Alice Example", preferred_username: "alice", email: "alice@example.org", email_verified: true, groups: ["engineers", "unheard-of"] },
  bob: { name: "Bob Example", preferred_username: "bob", email: "bob@example.org", email_verified: false, groups: [] },
};

const configuration = {
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"], groups: ["groups"] },
  conformIdTokenClaims: false,
  cookies: { keys: ["only for tests"] },
  enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA", "PS256"] },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    backchannelLogout: { enabled: true },
    userinfo: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  // The vault of the tests stands on this machine, which the provider calls nowhere else.
  fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  acrValues: ["urn:example:silver"],
  findAccount: (_, id) => (people[id] ? { accountId: id, claims: () => ({ sub: id, ...people[id] }) } : undefined),
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile email groups");
    await grant.save();
    return grant;
  },
  scopes: ["openid", "profile", "email", "groups"],
};

const server = http.createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, configuration);
  const serve = provider.callback();
  server.on("request", async (request, response) => {
    const url = new URL(request.url, "http://127.0.0.1");
    const body = url.pathname.startsWith("/interaction/") || url.pathname === "/people" ? await read(request) : "";
    if (url.pathname === "/people") {
      Object.assign(people, JSON.parse(body));
      response.end();
    } else if (url.pathname.startsWith("/interaction/") && request.method === "POST") {
      const form = new URLSearchParams(body);
      const login = { accountId: form.get("login"), amr: form.getAll("amr"), ...(form.get("acr") && { acr: form.get("acr") }) };
      await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
    } else if (url.pathname.startsWith("/interaction/")) {
      response.end("Sign in");
    } else {
      serve(request, response);
    }
  });
  console.log(port);
});
process.stdin.on("end", () => process.exit(0)).resume();

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}
