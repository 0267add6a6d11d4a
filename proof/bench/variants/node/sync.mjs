// The sync function in JavaScript. It reads the secret once in each execution environment.
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { serve } from "./runtime.mjs";

const secrets = new SecretsManagerClient({});
let secret;

const mutation = `mutation($id: uuid!, $email: String) { insert_users_one(object: {id: $id, email: $email},
  on_conflict: {constraint: users_pkey, update_columns: [email]}) { id } }`;

serve(async (event) => {
  secret ??= JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId: process.env.SECRETS_ARN }))).SecretString);
  const { sub, email } = event.request.userAttributes;
  const response = await fetch(process.env.GRAPHQL_DOMAIN + "/v1/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", "x-hasura-admin-secret": secret.HASURA_GRAPHQL_ADMIN_SECRET },
    body: JSON.stringify({ query: mutation, variables: { id: sub, email } }),
  });
  const answer = await response.json();
  if (answer.errors) throw new Error("Hasura refused the row");
  console.log(JSON.stringify({ message: "synced", user: sub }));
  return event;
});
