package cognitoidp

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

var errNoGroup = awsjson.Errorf("ResourceNotFoundException", "Group not found.")

// listGroups returns two groups. The token is the name of the next one.
func (s *Server) listGroups(request Object) Object {
	token, _ := request["NextToken"].(string)
	first := max(0, slices.Index(s.Groups, token))
	rest := s.Groups[first:]
	answer, groups := Object{}, []Object{}
	if len(rest) > 2 {
		answer["NextToken"], rest = rest[2], rest[:2]
	}
	for _, name := range rest {
		groups = append(groups, Object{"GroupName": name, "UserPoolId": s.Pool["Id"]})
	}
	answer["Groups"] = groups
	return answer
}

func (c *call) createGroup(in sdk.CreateGroupInput) (any, *awsjson.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := aws.ToString(in.GroupName)
	if slices.Contains(c.Groups, name) {
		return nil, awsjson.Errorf("GroupExistsException", "A group with the name already exists.")
	}
	c.Groups = append(slices.Clone(c.Groups), name)
	return Object{"Group": Object{"GroupName": name, "UserPoolId": c.pool["Id"]}}, nil
}

// deleteGroup also takes its members out of the group.
func (c *call) deleteGroup(in sdk.DeleteGroupInput) (any, *awsjson.Error) {
	name := aws.ToString(in.GroupName)
	if !c.hasGroup(name) {
		return nil, errNoGroup
	}
	c.mu.Lock()
	c.Groups = without(c.Groups, name)
	c.mu.Unlock()
	for _, user := range c.Users.All() {
		if slices.Contains(user.Groups, name) {
			_, _ = c.Users.edit(user.Sub(), func(u *User) *awsjson.Error { // a user who is gone has no groups
				u.Groups = without(u.Groups, name)
				return nil
			})
		}
	}
	return Object{}, nil
}

func (c *call) hasGroup(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.Groups, name)
}

func without(list []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(other string) bool { return other == name })
}

func (c *call) adminAddUserToGroup(in sdk.AdminAddUserToGroupInput) (any, *awsjson.Error) {
	return c.edit(in.Username, func(u *User) *awsjson.Error {
		name := aws.ToString(in.GroupName)
		if !c.hasGroup(name) {
			return errNoGroup
		}
		if !slices.Contains(u.Groups, name) {
			u.Groups = append(u.Groups, name)
		}
		return nil
	})
}

// adminRemoveUserFromGroup succeeds if there is no such group, as Cognito does.
func (c *call) adminRemoveUserFromGroup(in sdk.AdminRemoveUserFromGroupInput) (any, *awsjson.Error) {
	return c.edit(in.Username, func(u *User) *awsjson.Error {
		u.Groups = without(u.Groups, aws.ToString(in.GroupName))
		return nil
	})
}

func (c *call) adminListGroupsForUser(in sdk.AdminListGroupsForUserInput) (any, *awsjson.Error) {
	if refused := c.find(in.Username); refused != nil {
		return nil, refused
	}
	groups := []Object{}
	for _, name := range c.user.Groups {
		groups = append(groups, Object{"GroupName": name, "UserPoolId": c.pool["Id"]})
	}
	return Object{"Groups": groups}, nil
}
