package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// providerGroup is the group that Cognito makes for the users of an identity provider.
func providerGroup(u cognitoidp.User) string { return stack.PoolID + "_" + u.Provider }

// groups are the groups of the user without that of the identity provider.
func groups(u cognitoidp.User) []string {
	return slices.DeleteFunc(slices.Clone(u.Groups), func(name string) bool { return u.Provider != "" && name == providerGroup(u) })
}

// setGroups puts the user into these groups alone, apart from the one of the identity provider.
func (a *app) setGroups(ctx context.Context, u cognitoidp.User, want []string) error {
	var errs []error
	has := groups(u)
	for _, name := range want {
		if slices.Contains(has, name) {
			continue
		}
		// The group may be there already.
		_, err := a.pool.Do(ctx, "CreateGroup", cognitoidp.Object{"UserPoolId": stack.PoolID, "GroupName": name})
		if refused, ok := errors.AsType[*awsjson.Error](err); err != nil && (!ok || refused.Code != "GroupExistsException") {
			return err
		}
		_, err = a.pool.Do(ctx, "AdminAddUserToGroup", cognitoidp.Object{"UserPoolId": stack.PoolID, "Username": u.Username, "GroupName": name})
		errs = append(errs, err)
	}
	for _, name := range has {
		if !slices.Contains(want, name) {
			_, err := a.pool.Do(ctx, "AdminRemoveUserFromGroup", cognitoidp.Object{"UserPoolId": stack.PoolID, "Username": u.Username, "GroupName": name})
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// edit changes a user as an administrator does. Put sets the status, for which there is no operation.
func (a *app) edit(ctx context.Context, u cognitoidp.User, attributes map[string]string, groups []string, status string, enabled bool) error {
	in := cognitoidp.Object{"UserPoolId": stack.PoolID, "Username": u.Username}
	with := func(name string, value any) cognitoidp.Object {
		more := maps.Clone(in)
		more[name] = value
		return more
	}
	changed, gone := make(map[string]string), []string{}
	for name, value := range attributes {
		if u.Attributes[name] != value {
			changed[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		if _, stays := attributes[name]; !stays && name != "sub" && name != "identities" {
			gone = append(gone, name)
		}
	}
	var errs []error
	do := func(operation string, in cognitoidp.Object) {
		_, err := a.pool.Do(ctx, operation, in)
		errs = append(errs, err)
	}
	if len(gone) > 0 {
		do("AdminDeleteUserAttributes", with("UserAttributeNames", gone))
	}
	if len(changed) > 0 {
		do("AdminUpdateUserAttributes", with("UserAttributes", cognitoidp.Attributes(changed)))
	}
	if u.Enabled != enabled {
		do(map[bool]string{true: "AdminEnableUser", false: "AdminDisableUser"}[enabled], in)
	}
	errs = append(errs, a.setGroups(ctx, u, groups))
	if u.Status != status {
		if now, ok := a.pool.Users.Get(u.Sub()); ok {
			now.Status = status
			a.pool.Users.Put(now)
		}
	}
	return errors.Join(errs...)
}
