package jwt

import "strings"

// A Hint says what to do. Anchor is a heading of docs/troubleshooting.md.
type Hint struct{ Text, Anchor string }

// hints are by a part of Hasura's message; the first that fits counts.
var hints = []struct {
	part string
	Hint
}{
	{"from claims_map", Hint{"claims_map reads a claim that the token does not have. Add a default, or correct the path.", "hasura-refuses-a-token"}},
	{"not found", Hint{"The token has no claims where Hasura looks: claims function, trigger version and claims_namespace.", "claims-key-httpshasuraiojwtclaims-not-found"}},
	{"expecting a json object", Hint{"Set claims_format to stringified_json in Hasura, or CLAIMS_FORMAT=json with V2_0 or V3_0.", "expecting-a-json-object-when-claims_format-is-json"}},
	{"stringified", Hint{"Unset CLAIMS_FORMAT, or set claims_format to json in Hasura.", "expecting-a-string-when-claims_format-is-stringified_json"}},
	{"JWTExpired", Hint{"Refresh the token. If it is fresh, a clock is wrong.", "jwtexpired-jwtissuedatfuture"}},
	{"JWTIssuedAtFuture", Hint{"A clock is wrong. Set allowed_skew, or fix the clock.", "jwtexpired-jwtissuedatfuture"}},
	{"JWTNotYetValid", Hint{"A clock is wrong. Set allowed_skew, or fix the clock.", "jwtexpired-jwtissuedatfuture"}},
	{"JWTNotInIssuer", Hint{"The issuer must be exactly the pool's, without a slash at its end.", "jwtnotinissuer"}},
	{"JWTNotInAudience", Hint{"List the id of every app client in audience.", "jwtnotinaudience"}},
	{"Expected 3 parts", Hint{"A refresh token has five parts. Send the ID token or the access token.", "expected-3-parts-got-5"}},
	{"JSONDecodeError", Hint{"The token is damaged, or it is not a JWT. Copy the whole token again: it has three parts.", "hasura-refuses-a-token"}},
	{"JWTClaimsSetDecodeError", Hint{"Cognito did not make this token: the payload is not a JSON object, or a registered claim has the wrong type.", "hasura-refuses-a-token"}},
	{"JWSNoSignatures", Hint{"Cognito did not make this token: it has no signature that Hasura takes.", "hasura-refuses-a-token"}},
	{"JWSError", Hint{"The keys are of another pool, or they are old.", "jwserror-jwsinvalidsignature"}},
	{"requested role", Hint{"The default role must be one of x-hasura-allowed-roles.", "your-requested-role-is-not-in-allowed-roles"}},
	{"x-hasura-", Hint{"Something other than the claims function made the claims.", "jwt-claim-does-not-contain-x-hasura-allowed-roles"}},
}

func hintFor(refusal *Error) Hint {
	for _, hint := range hints {
		if strings.Contains(refusal.Message, hint.part) {
			return hint.Hint
		}
	}
	return Hint{"Hasura cannot read the token. Look at Hasura's answer first.", "hasura-refuses-a-token"}
}
