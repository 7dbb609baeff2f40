// Evaluates requests by IAM policies with iam-simulate, whose folder is the argument. Standard input: `{"policies": [document],
// "boundaries": [document] or null, "requests": [{"action", "resource", "context"}]}`. Prints for each request `{"decision":
// "Allowed", "ImplicitlyDenied" or "ExplicitlyDenied", "errors"}`.

const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");

const { runSimulation } = createRequire(`${process.argv[2]}/`)("@cloud-copilot/iam-simulate");
const ACCOUNT = "123456789012";
const EVERYTHING = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };

const { policies, boundaries, requests } = JSON.parse(readFileSync(0, "utf8"));
const named = (documents) => documents.map((policy, n) => ({ name: `policy ${n}`, policy }));

async function decide({ action, resource, context }) {
  const simulated = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:user/deployer`,
        action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: context,
      },
      identityPolicies: named(policies),
      serviceControlPolicies: [{ orgIdentifier: "root", policies: named([EVERYTHING]) }],
      resourceControlPolicies: [],
      ...(boundaries && { permissionBoundaryPolicies: named(boundaries) }),
    },
    {},
  );
  // A context key that AWS does not evaluate for the action would make a condition on it useless.
  const errors = simulated.errors ?? simulated.result?.ignoredContextKeys.map((key) => `${key} does not apply`);
  return { decision: simulated.overallResult, errors };
}

Promise.all(requests.map(decide)).then((results) => process.stdout.write(JSON.stringify(results)));
