package attach

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

type option = func(*cognitoidentityprovider.Options)

// received decodes the JSON of a response into body too. The SDK's types leave out members that they do not know.
func received(body any) option {
	keep := middleware.DeserializeMiddlewareFunc("KeepBody", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
		out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
		out, metadata, err = next.HandleDeserialize(ctx, in)
		if response, ok := out.RawResponse.(*smithyhttp.Response); err == nil && ok {
			data, err := io.ReadAll(response.Body)
			if err != nil {
				return out, metadata, err
			}
			response.Body = io.NopCloser(bytes.NewReader(data))
			_ = json.Unmarshal(data, body) // the SDK reports what is not JSON
		}
		return out, metadata, err
	})
	return func(o *cognitoidentityprovider.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Deserialize.Add(keep, middleware.After) })
	}
}

var errNotSent = errors.New("not sent")

// serialized returns the JSON that a call would send. It does not send it.
func serialized(call func(option) error) (body object, err error) {
	stop := middleware.SerializeMiddlewareFunc("KeepRequest", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
		out middleware.SerializeOutput, metadata middleware.Metadata, err error) {
		request, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return out, metadata, errors.New("the request is not HTTP")
		}
		if err := json.NewDecoder(request.GetStream()).Decode(&body); err != nil {
			return out, metadata, err
		}
		return out, metadata, errNotSent
	})
	err = call(func(o *cognitoidentityprovider.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Serialize.Add(stop, middleware.After) })
	})
	if !errors.Is(err, errNotSent) {
		return nil, err
	}
	return body, nil
}
