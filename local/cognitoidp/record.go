package cognitoidp

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

// hidden is what CloudTrail writes in place of personal data and secrets.
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

const account = "123456789012"

// plain are the members of requests that CloudTrail shows.
var plain = []string{"UserPoolId", "ClientId", "GroupName", "Permanent", "MessageAction", "ForceAliasCreation", "ChallengeName", "AuthFlow",
	"UserAttributeNames", "Limit", "PaginationToken"}

// readOnly are the operations that CloudTrail calls read-only. EventBridge's rules do not get them by default.
var readOnly = []string{"ListUsers", "AdminGetUser", "AdminListGroupsForUser", "GetUser"}

// withoutSub are the operations whose records have no sub if they fail.
var withoutSub = []string{"SignUp", "AdminUpdateUserAttributes"}

// An event is what EventBridge gets of a record.
type event struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     Object   `json:"detail"`
}

// record hands CloudTrail's record of an operation over. The forms are those of public captures of real records. Those of
// ConfirmSignUp, ForgotPassword, ConfirmForgotPassword and AdminDeleteUserAttributes have not been seen: they are made by the rules
// of the others.
func (c *call) record(response any, refused *awsjson.Error) {
	if c.Recorded == nil {
		return
	}
	detail := c.detail("1.11", "AwsApiCall")
	detail["userAgent"], detail["sourceIPAddress"] = "example-client/3.2", "198.51.100.24"
	detail["userIdentity"] = Object{"type": "Unknown", "principalId": "Anonymous"}
	if selfService[c.operation] == nil {
		detail["userIdentity"] = Object{"type": "IAMUser", "principalId": "AIDAXAMPLEOPERATOR0001", "arn": "arn:aws:iam::" + account + ":user/pool-operator",
			"accountId": account, "accessKeyId": "AKIAXAMPLEXAMPLE0001", "userName": "pool-operator"}
	}
	detail["requestParameters"], detail["responseElements"] = c.requestParameters(), nil
	detail["readOnly"] = slices.Contains(readOnly, c.operation)
	detail["tlsDetails"] = Object{"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": "cognito-idp." + c.region() + ".amazonaws.com"}
	if refused != nil {
		detail["errorCode"], detail["errorMessage"] = refused.Code, refused.Message
	} else {
		detail["responseElements"] = responseElements(response)
	}
	if sub := c.user.Sub(); sub != "" && (refused == nil || !slices.Contains(withoutSub, c.operation)) {
		detail["additionalEventData"] = Object{"sub": sub}
	}
	c.hand("AWS API Call via CloudTrail", detail)
}

// recordManagedLogin records a token that the endpoint of managed login issued. The record has no sub.
func (c *call) recordManagedLogin(clientID string) {
	if c.Recorded == nil {
		return
	}
	detail := c.detail("1.08", "AwsServiceEvent")
	detail["userAgent"], detail["sourceIPAddress"] = "Mozilla/5.0 (example)", "203.0.113.61"
	detail["userIdentity"] = Object{"accountId": account}
	detail["requestParameters"], detail["responseElements"], detail["readOnly"] = nil, nil, false
	detail["serviceEventDetails"] = Object{"serviceAccountId": "000000008822"}
	detail["additionalEventData"] = Object{
		"responseParameters": Object{"status": 200}, "userPoolDomain": "people-front.auth." + c.region() + ".amazoncognito.com", "userPoolId": c.pool["Id"],
		"requestParameters": Object{"client_id": []string{clientID}, "code": []string{hidden}},
	}
	c.hand("AWS Service Event via CloudTrail", detail)
}

// detail has what every record has.
func (c *call) detail(version, kind string) Object {
	return Object{
		"eventVersion": version, "eventTime": time.Now().UTC().Format(time.RFC3339), "eventSource": "cognito-idp.amazonaws.com", "eventName": c.operation,
		"awsRegion": c.region(), "requestID": uuid.NewString(), "eventID": uuid.NewString(), "eventType": kind,
		"managementEvent": true, "recipientAccountId": account, "eventCategory": "Management",
	}
}

func (c *call) hand(kind string, detail Object) {
	data, err := json.Marshal(event{
		Version: "0", ID: uuid.NewString(), DetailType: kind, Source: "aws.cognito-idp", Account: account,
		Time: detail["eventTime"].(string), Region: c.region(), Resources: []string{}, Detail: detail,
	})
	if err != nil {
		panic("cognitoidp: " + err.Error()) // there are texts, lists and objects
	}
	c.Recorded(c.ctx, data)
}

func (c *call) region() string {
	id, _ := c.pool["Id"].(string)
	region, _, _ := strings.Cut(id, "_")
	return region
}

// requestParameters are the members of the request. Values that are not known to be shown are hidden.
func (c *call) requestParameters() Object {
	var request Object
	_ = json.Unmarshal(c.body, &request) // the operation has refused a body that is not JSON
	parameters := Object{}
	for name, value := range request {
		switch {
		case value == nil:
		case slices.Contains(plain, name):
			parameters[lower(name)] = value
		default:
			parameters[lower(name)] = hidden
		}
	}
	return parameters
}

func lower(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// responseElements are null for most operations.
func responseElements(response any) any {
	object, _ := response.(Object)
	if sub, ok := object["UserSub"]; ok {
		return Object{"userConfirmed": object["UserConfirmed"], "userSub": sub}
	}
	if user := member(object, "User"); user != nil {
		date := time.UnixMilli(int64(user["UserCreateDate"].(float64) * 1000)).UTC().Format("Jan 2, 2006, 3:04:05 PM")
		return Object{"user": Object{"username": hidden, "attributes": hidden, "enabled": user["Enabled"], "userStatus": user["UserStatus"],
			"userCreateDate": date, "userLastModifiedDate": date}}
	}
	if object["ChallengeName"] != nil {
		return Object{"challengeName": object["ChallengeName"], "session": hidden, "challengeParameters": hidden}
	}
	if result := member(object, "AuthenticationResult"); result != nil {
		shown := Object{"tokenType": result["TokenType"], "expiresIn": result["ExpiresIn"]}
		for _, name := range []string{"AccessToken", "IdToken", "RefreshToken"} {
			if result[name] != nil {
				shown[lower(name)] = hidden
			}
		}
		return Object{"authenticationResult": shown}
	}
	return nil
}
