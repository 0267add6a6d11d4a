package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// claimsSettings checks the settings of the claims function.
func (d *doctor) claimsSettings(env func(string) string) {
	const check = "claims settings"
	var faults []error
	d.claims, faults = settings.ReadClaims(env)
	switch {
	case len(faults) > 0:
		d.report.add(check, Fail, sentences(faults), "correct the function's settings. Until then the invalid ones give no rights or have their defaults")
	case d.claims.Format == settings.JSON && d.version == cognito.PreTokenGenerationLambdaVersionTypeV10:
		d.report.add(check, Fail, "CLAIMS_FORMAT is json, but a V1_0 trigger gives stringified_json only",
			"remove CLAIMS_FORMAT here and claims_format in Hasura, or use V2_0")
	case len(d.claims.Machines) > 0 && d.version != cognito.PreTokenGenerationLambdaVersionTypeV30:
		d.report.add(check, Fail, "MACHINE_ROLES is set, but Cognito calls a trigger for machines only with V3_0",
			"run attach with --version V3_0, or remove MACHINE_ROLES")
	default:
		d.report.ok(check, fmt.Sprintf("%s as %s", d.claims.Namespace, d.claims.Format))
	}
}

// syncSettings checks the settings of the sync function. ok is false if Hasura cannot be called with them.
func (d *doctor) syncSettings(env func(string) string) (s settings.Hasura, ok bool) {
	const check = "sync settings"
	s, faults := settings.ReadHasura(env)
	ok = len(faults) == 0
	sync, more := settings.ReadSync(env)
	switch faults = slices.Concat(faults, more); {
	case !ok:
		d.report.add(check, Fail, sentences(faults), "correct the function's settings. Until then users are let in and every sync is parked")
	case len(faults) > 0:
		d.report.add(check, Fail, sentences(faults), "correct the function's settings. Until then the invalid ones have their defaults")
	case s.Endpoint.IsPlainHTTP():
		d.report.add(check, Warn, s.Endpoint.URL.String()+" is called without TLS: the admin secret crosses the network in plain text",
			"give the load balancer an HTTPS listener and set GRAPHQL_HOST to the name on its certificate, and GRAPHQL_CA for a private certificate authority")
	default:
		d.report.ok(check, s.Endpoint.URL.String())
	}
	d.userID(sync)
	return s, ok
}

// userID checks that claims and rows identify a user by the same attribute. Otherwise users do not see their rows.
func (d *doctor) userID(sync settings.Sync) {
	const check = "USER_ID"
	switch {
	case d.claims.Namespace == "": // the claims function could not be read
	case d.claims.UserID != sync.UserID:
		d.report.add(check, Fail, fmt.Sprintf("the claims function has %q, the sync function %q", d.claims.UserID, sync.UserID), "set USER_ID to the same value in both functions")
	default:
		d.report.ok(check, "the same in both functions")
	}
}

// replaySettings checks the settings of the replay function.
func (d *doctor) replaySettings(env func(string) string) {
	const check = "replay settings"
	if s, faults := settings.ReadHasura(env); len(faults) > 0 {
		d.report.add(check, Fail, sentences(faults), "correct the function's settings. Until then no parked sync is written")
	} else {
		d.report.ok(check, s.Endpoint.URL.String())
	}
}

func sentences(faults []error) string {
	return strings.ReplaceAll(errors.Join(faults...).Error(), "\n", "; ")
}
