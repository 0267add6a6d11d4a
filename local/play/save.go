package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
)

// saveEvent downloads the event of a step. Nothing is written here.
func (a *app) saveEvent(w http.ResponseWriter, r *http.Request) error {
	this, err := a.findAction(r.PathValue("id"))
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PathValue("step"))
	if err != nil || n < 0 || n >= len(this.Steps) || len(this.Steps[n].Event) == 0 {
		return problemf(http.StatusNotFound, "The action has no such event.")
	}
	s := this.Steps[n]
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", s.File(this.User)))
	_, _ = w.Write([]byte(s.EventText())) // the client may be gone
	return nil
}

// File is the name that events/ gives to such an event, with the name of the user.
func (s step) File(who cognitoidp.User) string {
	var e struct{ Version string }
	_ = json.Unmarshal(s.Event, &e) // the event is made here
	trigger, source, _ := strings.Cut(s.Source, "_")
	name := map[string]string{"PostConfirmation": "post-confirmation", "PostAuthentication": "post-authentication"}[trigger]
	switch {
	case trigger == "TokenGeneration":
		name = "pre-token-generation-v" + e.Version + "-" + kebab(source)
	case source == "ConfirmForgotPassword":
		name += "-forgot-password"
	case who.Provider != "":
		name += "-federated-" + strings.ToLower(who.Provider)
	case source == "ConfirmSignUp":
		name += "-sign-up"
	}
	person, _, _ := strings.Cut(cmp.Or(label(who), "machine"), "@")
	person = strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '-'
	}, person)
	return strings.Trim(name+"-"+person, "-") + ".json"
}

// kebab turns ClientCredentials into client-credentials.
func kebab(name string) string {
	var text strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			text.WriteByte('-')
		}
		text.WriteRune(unicode.ToLower(r))
	}
	return text.String()
}

// EventText is the event as the files of events/ hold it: indented, with characters that do not print escaped.
func (s step) EventText() string {
	var text strings.Builder
	for _, r := range indent(s.Event) + "\n" {
		if r == '\n' || unicode.IsPrint(r) {
			text.WriteRune(r)
		} else {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&text, `\u%04x`, unit)
			}
		}
	}
	return text.String()
}
