// The claim shaper in JavaScript: what one would write by Hasura's guide to Cognito.
export const handler = async (event) => {
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
};
