// The claims function in JavaScript, as in Hasura's guide to Cognito.
import { serve } from "./runtime.mjs";

serve(async (event) => {
  const groups = event.request.groupConfiguration?.groupsToOverride ?? [];
  event.response = {
    claimsOverrideDetails: {
      claimsToAddOrOverride: {
        "https://hasura.io/jwt/claims": JSON.stringify({
          "x-hasura-user-id": event.request.userAttributes.sub,
          "x-hasura-default-role": "user",
          "x-hasura-allowed-roles": ["user", ...groups],
        }),
      },
    },
  };
  console.log(JSON.stringify({ message: "shaped", user: event.request.userAttributes.sub }));
  return event;
});
