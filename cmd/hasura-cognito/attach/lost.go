package attach

import (
	"context"
	"maps"
	"slices"
)

// requests are those that would leave a pool as it is, as the SDK sends them.
type requests struct{ update, mfa object }

func (a attacher) requests(ctx context.Context, s state) (r requests, err error) {
	r.update, err = serialized(func(o option) error {
		_, err := a.cognito.UpdateUserPool(ctx, updateOf(s.pool), o)
		return err
	})
	if err != nil {
		return r, err
	}
	r.mfa, err = serialized(func(o option) error {
		_, err := a.cognito.SetUserPoolMfaConfig(ctx, mfaOf(a.Pool, s.mfa), o)
		return err
	})
	return r, err
}

// readOnly are the members of a pool that UpdateUserPool does not take and does not reset.
var readOnly = []string{"AliasAttributes", "Arn", "CreationDate", "CustomDomain", "Domain", "EmailConfigurationFailure",
	"EstimatedNumberOfUsers", "LastModifiedDate", "SchemaAttributes", "SmsConfigurationFailure", "Status",
	"UsernameAttributes", "UsernameConfiguration"}

// lost returns the settings that AWS has sent and that the requests do not hold.
func (s state) lost(r requests) []string {
	have, update := maps.Clone(s.sent), maps.Clone(r.update)
	for _, name := range readOnly {
		delete(have, name)
	}
	update["Name"], update["Id"] = update["PoolName"], update["UserPoolId"]
	names := missing(have, update, tree(s.pool))
	names = slices.DeleteFunc(names, func(name string) bool { return name == "AdminCreateUserConfig.UnusedAccountValidityDays" }) // see adminCreateUserConfig
	for _, name := range missing(s.sentMFA, r.mfa, tree(s.mfa)) {
		names = append(names, "MFA."+name)
	}
	slices.Sort(names)
	return names
}

// missing returns the paths of have whose values are not in sent. The SDK does not send false, 0 and "", which is no loss for a
// setting that it knows.
func missing(have, sent, known object) (names []string) {
	had, send, know := flatten(have), flatten(sent), paths(known)
	for path := range paths(have) {
		value, ok := had[path]
		if ok && send[path] != value || !ok && !know[path] {
			names = append(names, path)
		}
	}
	return names
}
