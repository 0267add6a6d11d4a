package attach

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// fill sets every exported field to some value, so that a field that is not copied shows.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), reflect.ValueOf("value"))
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32:
		v.SetInt(3)
	}
}

// A new version of the SDK may know settings that are not sent back yet. Cognito would reset them.
func TestEverySettingIsSentBack(t *testing.T) {
	var p types.UserPoolType
	fill(reflect.ValueOf(&p).Elem())
	sent, have := reflect.ValueOf(*updateOf(&p)), reflect.ValueOf(p)
	renamed := map[string]string{"UserPoolId": "Id", "PoolName": "Name"}
	var names []string
	for i := range sent.NumField() {
		name := sent.Type().Field(i).Name
		if !sent.Type().Field(i).IsExported() {
			continue
		}
		source := name
		if other, ok := renamed[name]; ok {
			source = other
		}
		names = append(names, source)
		want := have.FieldByName(source)
		if !want.IsValid() {
			t.Errorf("UpdateUserPool takes %s, which DescribeUserPool does not return", name)
			continue
		}
		ignore := cmp.Options{
			cmpopts.IgnoreUnexported(), cmp.Exporter(func(reflect.Type) bool { return true }),
			cmpopts.IgnoreFields(types.AdminCreateUserConfigType{}, "UnusedAccountValidityDays"), // refused beside its successor
		}
		if diff := cmp.Diff(want.Interface(), sent.Field(i).Interface(), ignore); diff != "" {
			t.Errorf("%s is not sent as it is (-is +sent):\n%s", name, diff)
		}
	}

	// What DescribeUserPool returns is sent back, or it is read-only.
	for i := range have.NumField() {
		field := have.Type().Field(i)
		if field.IsExported() && !slices.Contains(names, field.Name) && !slices.Contains(readOnly, field.Name) {
			t.Errorf("DescribeUserPool returns %s: is it a setting that has to be sent back?", field.Name)
		}
	}
}

func TestEveryMFASettingIsSentBack(t *testing.T) {
	var m cognitoidentityprovider.GetUserPoolMfaConfigOutput
	fill(reflect.ValueOf(&m).Elem())
	sent := reflect.ValueOf(*mfaOf("pool", &m))
	for i := range sent.NumField() {
		if sent.Type().Field(i).IsExported() && sent.Field(i).IsZero() {
			t.Errorf("%s is not sent", sent.Type().Field(i).Name)
		}
	}
}
