package pool

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// decodeUsers replaces the SDK's decoder of ListUsers for responses without an error. The
// SDK decodes into maps first, which would be a third of the CPU time of a reconcile.
func decodeUsers(stack *middleware.Stack) error {
	if stack.ID() != "ListUsers" {
		return nil
	}
	sdk, ok := stack.Deserialize.Get("OperationDeserializer")
	if !ok {
		return nil // the SDK has changed; its own decoder stays
	}
	_, err := stack.Deserialize.Swap(sdk.ID(), decoder{sdk})
	return err
}

type decoder struct {
	middleware.DeserializeMiddleware
}

func (d decoder) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
	out, metadata, err = next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.StatusCode != http.StatusOK {
		again := middleware.DeserializeHandlerFunc(func(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
			return out, metadata, err
		})
		return d.DeserializeMiddleware.HandleDeserialize(ctx, in, again)
	}
	var page struct {
		PaginationToken *string
		Users           []struct {
			Username   *string
			Attributes []types.AttributeType
			Enabled    bool
			UserStatus types.UserStatusType
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	list := make([]types.UserType, len(page.Users))
	for i, u := range page.Users {
		list[i] = types.UserType{Username: u.Username, Attributes: u.Attributes, Enabled: u.Enabled, UserStatus: u.UserStatus}
	}
	out.Result = &cognitoidentityprovider.ListUsersOutput{Users: list, PaginationToken: page.PaginationToken}
	return out, metadata, nil
}
