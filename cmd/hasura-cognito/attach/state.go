package attach

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A state is a pool at one time, as AWS sent it: the SDK's types leave out members that they do not know.
type state struct {
	pool object // UserPool of DescribeUserPool
	mfa  object // GetUserPoolMfaConfig
}

type object = map[string]any

func (a attacher) read(ctx context.Context) (s state, err error) {
	var body struct{ UserPool object }
	if _, err = a.cognito.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &a.Pool}, keep(&body)); err != nil {
		return s, err
	}
	s.pool = body.UserPool
	_, err = a.cognito.GetUserPoolMfaConfig(ctx, &cognitoidentityprovider.GetUserPoolMfaConfigInput{UserPoolId: &a.Pool}, keep(&s.mfa))
	return s, err
}

// keep decodes the JSON of a response into body too.
func keep(body any) func(*cognitoidentityprovider.Options) {
	decode := middleware.DeserializeMiddlewareFunc("KeepBody", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
		out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
		out, metadata, err = next.HandleDeserialize(ctx, in)
		if response, ok := out.RawResponse.(*smithyhttp.Response); err == nil && ok {
			data, err := io.ReadAll(response.Body)
			if err != nil {
				return out, metadata, err
			}
			response.Body = io.NopCloser(bytes.NewReader(data))
			_ = json.Unmarshal(data, body) // the SDK reports a body that is not JSON
		}
		return out, metadata, err
	})
	return func(o *cognitoidentityprovider.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Deserialize.Add(decode, middleware.After) })
	}
}

// text returns a member of the pool.
func (s state) text(name string) string {
	text, _ := s.pool[name].(string)
	return text
}

// config returns the pool's LambdaConfig.
func (s state) config() object {
	config, _ := s.pool["LambdaConfig"].(object)
	return config
}

func (s state) triggers() (t triggers) {
	_ = decode(s.config(), &t) // the SDK has read the same members
	return t
}

// with returns the state that a change of the triggers alone makes of s.
func (s state) with(t triggers) state {
	config := object{}
	maps.Copy(config, s.config())
	for _, name := range triggerNames {
		delete(config, name)
	}
	maps.Copy(config, tree(t))
	pool := maps.Clone(s.pool)
	pool["LambdaConfig"] = config
	return state{pool, s.mfa}
}

// flat returns all settings of the pool except those that change by themselves.
func (s state) flat() flat {
	f := flatten(s.pool)
	for _, path := range []string{"LastModifiedDate", "EstimatedNumberOfUsers"} {
		delete(f, path)
	}
	for path, value := range flatten(s.mfa) {
		f["MFA."+path] = value
	}
	return f
}

// readOnly are the members of a pool that UpdateUserPool does not take and does not reset.
var readOnly = []string{"AliasAttributes", "Arn", "CreationDate", "CustomDomain", "Domain", "EmailConfigurationFailure",
	"EstimatedNumberOfUsers", "LastModifiedDate", "SchemaAttributes", "SmsConfigurationFailure", "Status",
	"UsernameAttributes", "UsernameConfiguration"}

// settings returns the request of UpdateUserPool that leaves the pool as it is.
func (s state) settings() object {
	all := maps.Clone(s.pool)
	for _, name := range append([]string{"Id", "Name"}, readOnly...) {
		delete(all, name)
	}
	all["UserPoolId"], all["PoolName"] = s.pool["Id"], s.pool["Name"]
	// DescribeUserPool returns this setting and UpdateUserPool refuses it ("Please use TemporaryPasswordValidityDays in
	// PasswordPolicy instead of UnusedAccountValidityDays"). The password policy has the same value under its new name.
	policies, _ := all["Policies"].(object)
	passwords, _ := policies["PasswordPolicy"].(object)
	if create, ok := all["AdminCreateUserConfig"].(object); ok && passwords["TemporaryPasswordValidityDays"] != nil {
		create = maps.Clone(create)
		delete(create, "UnusedAccountValidityDays")
		all["AdminCreateUserConfig"] = create
	}
	return all
}

// mfaSettings returns the request of SetUserPoolMfaConfig that leaves multi-factor authentication as it is. UpdateUserPool has
// only its switch.
func (s state) mfaSettings() object {
	all := maps.Clone(s.mfa)
	all["UserPoolId"] = s.pool["Id"]
	return all
}

// requests returns both requests in the SDK's types, and the settings that these types do not hold.
func (s state) requests() (update cognitoidentityprovider.UpdateUserPoolInput, mfa cognitoidentityprovider.SetUserPoolMfaConfigInput, lost []string, err error) {
	settings, mfaSettings := s.settings(), s.mfaSettings()
	if err = decode(settings, &update); err == nil {
		err = decode(mfaSettings, &mfa)
	}
	if err != nil {
		return update, mfa, nil, refuse("this version of hasura-cognito cannot read the pool's settings: %w. Nothing was changed", err)
	}
	lost = missing(settings, tree(update))
	for _, name := range missing(mfaSettings, tree(mfa)) {
		lost = append(lost, "MFA."+name)
	}
	slices.Sort(lost)
	return update, mfa, lost, nil
}

func decode(settings object, into any) error {
	data, err := json.Marshal(settings)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("decode %T: %w", into, err)
	}
	return nil
}

// missing returns the paths of have whose values are not in sent. The SDK does not send false, 0 and "", which is no loss for a
// setting that it knows.
func missing(have, sent object) (names []string) {
	had, send, known := flatten(have), flatten(sent), paths(sent)
	for path := range paths(have) {
		value, ok := had[path]
		if ok && send[path] != value || !ok && !known[path] {
			names = append(names, path)
		}
	}
	return names
}
