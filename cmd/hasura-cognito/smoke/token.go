package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/go-jose/go-jose/v4"
	signed "github.com/go-jose/go-jose/v4/jwt"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/doctor"
	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const (
	refusal  = "see docs/troubleshooting.md#hasura-refuses-a-token"
	noClaims = "see the log of the claims function, and docs/jwt.md"
)

// tokens checks both tokens. when is "" or "refreshed ".
func (s *smoke) tokens(ctx context.Context, when string, tokens *cognito.AuthenticationResultType) {
	s.token(ctx, when+"ID token", aws.ToString(tokens.IdToken))
	if s.version == cognito.PreTokenGenerationLambdaVersionTypeV10 {
		s.add(when+"access token", doctor.Warn, "it has no claims, because the trigger version is V1_0", "run hasura-cognito attach --version V2_0, if the app sends access tokens to Hasura")
		return
	}
	s.token(ctx, when+"access token", aws.ToString(tokens.AccessToken))
}

// token checks the claims of a token by Hasura's rules, then asks Hasura with the token.
func (s *smoke) token(ctx context.Context, check, token string) {
	found, hint := s.judge(token)
	if hint != "" {
		s.add(check, doctor.Fail, found, hint)
		return
	}
	s.ok(check, found)
	s.ask(ctx, check+": Hasura", token)
}

// judge returns what is in a token, or what is wrong and a hint. Hasura verifies the signature.
func (s *smoke) judge(token string) (found, hint string) {
	parsed, err := signed.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	var payload map[string]json.RawMessage
	if err != nil || parsed.UnsafeClaimsWithoutVerification(&payload) != nil {
		return "it is not a JWT that is signed with RS256", refusal
	}
	var issuer, sub string
	if json.Unmarshal(payload["iss"], &issuer) != nil || !strings.HasSuffix(issuer, "/"+s.Pool) {
		return "iss does not name the pool", refusal
	}
	if json.Unmarshal(payload["sub"], &sub) != nil || sub != s.user.attributes["sub"] {
		return "sub is not the user's", refusal
	}
	value := payload[s.claims.Namespace]
	if value == nil {
		return "it has no claim " + s.claims.Namespace, noClaims
	}
	session, err := jwt.Config{Namespace: s.claims.Namespace, Format: string(s.claims.Format)}.Claims(value, "")
	if err != nil {
		found = "the claims are not in the form that Hasura reads"
		if known, ok := errors.AsType[*jwt.Error](err); ok {
			found = "Hasura's rules refuse the claims: " + known.Code
		}
		return found, noClaims
	}
	if session.Variables["x-hasura-user-id"] != s.user.id {
		return "x-hasura-user-id is not the user's id", noClaims
	}
	return fmt.Sprintf("%s as %s, default role %s", s.claims.Namespace, s.claims.Format, session.Role), ""
}

// ask reads rows with a token, as the default role. Hasura checks the token before the query.
func (s *smoke) ask(ctx context.Context, check, token string) {
	var data struct{ Rows []struct{ Key any } }
	key := users.Description.Key
	code := s.hasura.query(ctx, asOwner(token), fmt.Sprintf("{ rows: %s(limit: 2) { key: %s } }", s.hasura.rows, key), &data)
	own := len(data.Rows) > 0 && data.Rows[0].Key == s.user.row.Key
	const permission = "the select permission of the token's default role does not compare the key with X-Hasura-User-Id: docs/hasura.md"
	switch {
	case code == "validation-failed":
		s.add(check, doctor.Warn, "it accepts the token, but the default role may not read the users table", "this is right if users read no rows of this table. An allow list has the same effect")
	case code != "":
		s.add(check, doctor.Fail, code, refusal)
	case len(data.Rows) == 0 && s.noRow:
		s.add(check, doctor.Warn, "it accepts the token, but there is no row to see", "see the check row")
	case len(data.Rows) == 0:
		s.add(check, doctor.Fail, "it accepts the token, but the user does not see the row", permission)
	case len(data.Rows) > 1 || !own:
		s.add(check, doctor.Warn, "it accepts the token, and the user sees rows of other users", permission)
	default:
		s.ok(check, "it accepts the token, and the user sees only their own row")
	}
}
