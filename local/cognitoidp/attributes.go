package cognitoidp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

// Attributes is how a request of the API has attributes.
func Attributes(values map[string]string) []Object { return User{Attributes: values}.attributeList() }

// names returns texts of a list in the pool, such as UsernameAttributes.
func (c *call) names(setting string) (names []string) {
	list, _ := c.pool[setting].([]any)
	for _, name := range list {
		names = append(names, fmt.Sprint(name))
	}
	return names
}

// aliases are the attributes with which users sign in, such as email.
func (c *call) aliases() []string {
	return append(c.names("UsernameAttributes"), c.names("AliasAttributes")...)
}

// verifiable are the attributes that have a flag.
var verifiable = []string{"email", "phone_number"}

// set sets attributes. An empty value deletes one. A new e-mail address or phone number is not verified, unless the request says so.
func (c *call) set(u *User, attributes []types.AttributeType) *awsjson.Error {
	for _, a := range attributes {
		name, value := aws.ToString(a.Name), aws.ToString(a.Value)
		switch {
		case name == "sub" || name == "identities" || strings.HasPrefix(name, "cognito:"):
			return awsjson.Errorf("InvalidParameterException", "Cannot modify the non-mutable attribute %s", name)
		case len(value) > 2048:
			return awsjson.Errorf("InvalidParameterException", "1 validation error detected: Value at 'userAttributes' failed to satisfy constraint: "+
				"Member must have length less than or equal to 2048")
		}
		if slices.Contains(verifiable, name) && u.Attributes[name] != value {
			u.Attributes[name+"_verified"] = "false"
		}
		if u.Attributes[name] = value; value == "" {
			remove(u, name)
		}
	}
	for _, a := range attributes { // in any order
		if name := aws.ToString(a.Name); strings.HasSuffix(name, "_verified") && aws.ToString(a.Value) != "" {
			u.Attributes[name] = aws.ToString(a.Value)
		}
	}
	return nil
}

func remove(u *User, name string) {
	delete(u.Attributes, name)
	if slices.Contains(verifiable, name) {
		delete(u.Attributes, name+"_verified")
	}
}

// checkRequired refuses a new user who lacks an attribute that the pool requires.
func (c *call) checkRequired(u User) *awsjson.Error {
	schema, _ := c.pool["SchemaAttributes"].([]any)
	for _, item := range schema {
		attribute, _ := item.(Object)
		if name := fmt.Sprint(attribute["Name"]); attribute["Required"] == true && u.Attributes[name] == "" {
			return awsjson.Errorf("InvalidParameterException", "Attributes did not conform to the schema: %s: The attribute is required", name)
		}
	}
	return nil
}
