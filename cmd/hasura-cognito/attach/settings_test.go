package attach

import (
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// A new version of the SDK may know new members of a pool. Each is a setting that is sent back, or it is read-only.
func TestEveryMemberOfAPoolIsKnown(t *testing.T) {
	sent := append([]string{"Id", "Name"}, readOnly...) // UpdateUserPool calls the first two UserPoolId and PoolName
	for field := range reflect.TypeFor[cognitoidentityprovider.UpdateUserPoolInput]().Fields() {
		sent = append(sent, field.Name)
	}
	for field := range reflect.TypeFor[types.UserPoolType]().Fields() {
		if field.IsExported() && !slices.Contains(sent, field.Name) {
			t.Errorf("DescribeUserPool returns %s: does UpdateUserPool reset it?", field.Name)
		}
	}
	sent = nil
	for field := range reflect.TypeFor[cognitoidentityprovider.SetUserPoolMfaConfigInput]().Fields() {
		sent = append(sent, field.Name)
	}
	for field := range reflect.TypeFor[cognitoidentityprovider.GetUserPoolMfaConfigOutput]().Fields() {
		if field.IsExported() && field.Name != "ResultMetadata" && !slices.Contains(sent, field.Name) {
			t.Errorf("GetUserPoolMfaConfig returns %s, which SetUserPoolMfaConfig does not take", field.Name)
		}
	}
}
