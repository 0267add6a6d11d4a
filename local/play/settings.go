package main

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// local are the settings as the functions of the page get them. Reconcile marks who is gone, so that the page can show it; its default is
// report.
func local(chosen stack.Settings) stack.Settings {
	all := stack.Settings{"RECONCILE_ON_DELETE": "mark"}
	maps.Copy(all, chosen)
	return all
}

// settings returns a copy of the chosen settings.
func (a *app) settings() stack.Settings {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.chosen)
}

// entered are all values of the form that was applied last.
func (a *app) entered() stack.Settings {
	a.mu.Lock()
	defer a.mu.Unlock()
	values := make(stack.Settings)
	maps.Copy(values, a.chosen)
	maps.Copy(values, a.exported)
	return values
}

// A field is a setting in the form.
type field struct {
	*settings.Setting
	Value string
	Fault string // the parser's message about the value
}

// IsLong reports whether values have several lines.
func (f field) IsLong() bool { return strings.Contains(f.Example, "\n") }

// Short is the first line of the example.
func (f field) Short() string {
	first, _, more := strings.Cut(f.Example, "\n")
	if more {
		first += " …"
	}
	return first
}

// A fieldGroup is a card of the form.
type fieldGroup struct {
	Name, Text string
	Fields     []field
}

// settingsView is what templates/settings.html shows.
type settingsView struct {
	Groups  []fieldGroup
	Faults  faults
	First   string   // the first wrong setting of the page
	Fixed   []string // settings that the template sets
	Applied *applied // what the last change led to; nil before it
	Judged  []judged // the new tokens
	Files   []file
}

// has reports whether a function of this short name reads the setting.
func has(s *settings.Setting, function string) bool {
	return slices.Contains(strings.Split(s.Functions, ", "), function)
}

// isExported reports whether the page has a stand-in for what the setting names.
func isExported(s *settings.Setting) bool { return slices.Contains(stack.Provided, s.Name) }

// viewSettings shows these values, and what the parsers say about them.
func viewSettings(values stack.Settings, wrong faults) settingsView {
	v := settingsView{Faults: wrong, Groups: []fieldGroup{
		{Name: "Claims", Text: "Which claims the tokens have."},
		{Name: "Sync", Text: "How the sync function reaches Hasura, and how long a sign-in waits for it."},
		{Name: "Reconcile and follow", Text: "What the two functions of the page Pool do. If RECONCILE_ON_DELETE is empty, it is mark on this page."},
		{Name: "Your deployment", Text: "This page has stand-ins for these. What you enter here only goes into the files at the end of the page."},
	}}
	for _, s := range settings.All {
		group := &v.Groups[2]
		switch {
		case s.Parameter == "":
			v.Fixed = append(v.Fixed, s.Name)
			continue
		case isExported(s):
			group = &v.Groups[3]
		case has(s, "claims"):
			group = &v.Groups[0]
		case has(s, "sync"):
			group = &v.Groups[1]
		}
		group.Fields = append(group.Fields, field{s, values[s.Name], wrong[s.Name]})
	}
	for _, group := range slices.Backward(v.Groups) {
		for _, field := range slices.Backward(group.Fields) {
			if field.Fault != "" {
				v.First = field.Name
			}
		}
	}
	return v
}

// faults are messages of the parsers, without the name of the setting, by that name.
type faults map[string]string

// String says which settings are wrong.
func (f faults) String() string {
	names := slices.Sorted(maps.Keys(f))
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "One setting is wrong: " + names[0] + "."
	}
	return "These settings are wrong: " + strings.Join(names, ", ") + "."
}

// check asks the parsers of the functions, and looks for what Lambda does not take.
func check(values stack.Settings) faults {
	wrong := make(faults)
	note := func(err error) {
		if name, text, ok := strings.Cut(err.Error(), ": "); ok && wrong[name] == "" {
			wrong[name] = text
		}
	}
	for name, value := range values {
		if strings.ContainsRune(value, 0) {
			wrong[name] = "an environment variable cannot hold the character NUL."
		} else if err := settings.Lookup(name).Check(value); err != nil {
			note(err)
		}
	}
	for _, env := range values.Env() {
		// Lambda takes 4 KB of variables ("Lambda quotas"). Of these the template needs some for its own.
		const most = 4096 - 512
		size, longest := 0, ""
		for name, value := range env {
			if size += len(name) + len(value); len(value) >= len(env[longest]) {
				longest = name
			}
		}
		if size > most && wrong[longest] == "" {
			wrong[longest] = "Lambda takes 4 KB for all variables of a function together. Shorten the values."
		}
	}
	_, more := settings.ReadClaims(func(name string) string { return values[name] }) // it also finds settings that need others
	for _, err := range more {
		note(err)
	}
	return wrong
}

// readValues reads the fields that have a value.
func readValues(r *http.Request) stack.Settings {
	values := make(stack.Settings)
	for _, s := range settings.All {
		text := strings.ReplaceAll(r.PostFormValue(s.Name), "\r\n", "\n")
		if text = strings.TrimRight(text, "\n"); text != "" && s.Parameter != "" {
			values[s.Name] = text
		}
	}
	return values
}

func (a *app) showSettings(w http.ResponseWriter, r *http.Request) error {
	values := a.entered()
	v := viewSettings(values, nil)
	a.mu.Lock()
	v.Applied = a.applied
	a.mu.Unlock()
	if v.Applied != nil && v.Applied.Action != nil {
		v.Judged = a.judgeAll(r.Context(), v.Applied.Action.Tokens)
	}
	var err error
	if v.Files, err = settingsFiles(a.root, values); err != nil {
		return err
	}
	return render(w, r, "settings.html", "Settings", v)
}

// checkSettings answers while someone types: it replaces the messages of the fields.
func (a *app) checkSettings(w http.ResponseWriter, r *http.Request) error {
	values := readValues(r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	return templates["settings.html"].ExecuteTemplate(w, "faults", viewSettings(values, check(values)))
}

func (a *app) applySettings(w http.ResponseWriter, r *http.Request) error {
	values := readValues(r)
	if r.PostFormValue("reset") != "" {
		values = make(stack.Settings)
	}
	if wrong := check(values); len(wrong) > 0 {
		return renderStatus(w, r, http.StatusUnprocessableEntity, "settings.html", "Settings", viewSettings(values, wrong))
	}
	if err := a.apply(r.Context(), values); err != nil {
		return err
	}
	return redirect(w, r, "/settings#applied")
}

// apply restarts the functions with the settings. Then the last user with tokens, or the machine, gets new tokens. They show what
// has changed.
func (a *app) apply(ctx context.Context, values stack.Settings) error {
	chosen, exported := make(stack.Settings), make(stack.Settings)
	for name, value := range values {
		if isExported(settings.Lookup(name)) {
			exported[name] = value
		} else {
			chosen[name] = value
		}
	}
	result, err := a.configure(ctx, chosen, exported)
	if err != nil {
		return err
	}
	old, r, title := a.lastSigned()
	if old != nil {
		operation := signIn
		if r.sub == "" {
			operation = machineTokens
		}
		result.Action, err = a.act(ctx, title+" with these settings", []string{operation}, r)
		if err == nil {
			result.Tokens = changedTokens(old, result.Action.Tokens)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.applied = result
	return err
}

// configure gives the settings to the functions and to the page. What is broken on the page Break it begins anew.
func (a *app) configure(ctx context.Context, chosen, exported stack.Settings) (*applied, error) {
	a.acting.Lock()
	defer a.acting.Unlock()
	if err := a.stack.Configure(local(chosen)); err != nil {
		return nil, err
	}
	a.mu.Lock()
	result := &applied{Settings: different(a.chosen, chosen)}
	a.chosen, a.exported = chosen, exported
	broken := a.broken
	a.mu.Unlock()
	if broken == "" {
		return result, nil
	}
	return result, a.begin(ctx, broken)
}

// lastSigned returns the last tokens of someone who can get new ones, and the request for them; nil if there is nobody.
func (a *app) lastSigned() (*signed, request, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, this := range slices.Backward(a.actions) {
		switch u, ok := a.pool.Users.Get(this.User.Sub()); {
		case this.Tokens == nil:
		case this.Tokens.Subject == clientID:
			return a.tokens[clientID], request{}, "A machine gets a token"
		case ok && u.Enabled && next(u.Status) == signIn && a.tokens[u.Sub()] != nil:
			return a.tokens[u.Sub()], request{sub: u.Sub()}, "signs in"
		}
	}
	return nil, request{}, ""
}

func (a *app) saveSettings(w http.ResponseWriter, r *http.Request) error {
	all, err := settingsFiles(a.root, a.entered())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(f file) bool { return f.Name == r.PathValue("file") })
	if i < 0 {
		return problemf(http.StatusNotFound, "There is no such file.")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+all[i].Name+`"`)
	_, _ = w.Write([]byte(all[i].Text)) // the client may be gone
	return nil
}
