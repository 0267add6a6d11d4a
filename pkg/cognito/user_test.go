package cognito

import (
	"bytes"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

func TestUserIsLoggedByIDAlone(t *testing.T) {
	const canary = "canary@example.com"
	u := User{ID: "69f23de6-af9e-43cc-b208-8b269334667d", Username: canary, Attributes: map[string]string{"email": canary}}
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).Info("synced", "user", u, "users", slog.GroupValue(slog.Any("u", u)))
	}
	fmt.Fprintf(&out, "%v %+v %#v %s %q", u, u, u, u, u)
	if strings.Contains(out.String(), canary) {
		t.Errorf("a user's attribute got out: %s", &out)
	}
	if got := strings.Count(out.String(), u.ID); got != 9 {
		t.Errorf("the ID stands %d times in %s, want 9", got, &out)
	}
}

func TestCustom(t *testing.T) {
	u := User{Attributes: map[string]string{"sub": "s", "custom:org_id": "7", "custom:": "x", "customs": "y"}}
	if got, want := u.Custom(), (map[string]string{"org_id": "7", "": "x"}); !reflect.DeepEqual(got, want) {
		t.Errorf("Custom() = %v, want %v", got, want)
	}
	if got := (User{}).Custom(); got != nil {
		t.Errorf("Custom() of nobody = %v, want nil", got)
	}
}
