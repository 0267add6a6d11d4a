package cognitoidp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

// client returns an app client. The mutex must be held.
func (s *Server) client(id any) (Object, *awsjson.Error) {
	for _, client := range s.Clients {
		if client["ClientId"] == id {
			return client, nil
		}
	}
	return nil, awsjson.Errorf("ResourceNotFoundException", "User pool client does not exist.")
}

// app returns the app client of a self-service operation.
func (c *call) app(id *string) (Object, *awsjson.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client(aws.ToString(id))
}

// checkSecret refuses a request without the hash that an app client with a secret must send.
func checkSecret(client Object, name, hash string) *awsjson.Error {
	secret, ok := client["ClientSecret"].(string)
	if !ok {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprint(mac, name, client["ClientId"])
	if hash != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		return awsjson.Errorf("NotAuthorizedException", "Unable to verify secret hash for client")
	}
	return nil
}

// listClients returns one app client. The token is the id of the next one.
func (s *Server) listClients(request Object) Object {
	answer, clients := Object{}, []Object{}
	for i, client := range s.Clients {
		if token := request["NextToken"]; token != nil && token != client["ClientId"] {
			continue
		}
		clients = append(clients, Object{"ClientId": client["ClientId"], "ClientName": client["ClientName"]})
		if i+1 < len(s.Clients) {
			answer["NextToken"] = s.Clients[i+1]["ClientId"]
		}
		break
	}
	answer["UserPoolClients"] = clients
	return answer
}
